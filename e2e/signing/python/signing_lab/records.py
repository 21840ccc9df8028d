"""The orders and files that every app of the lab serves. All of it is test data."""

ORDERS = {
    1001: {"id": 1001, "owner": "northwind", "item": "espresso beans 5 kg", "pickup_code": "nw-7f3a9c2e41d8"},
    1002: {"id": 1002, "owner": "northwind", "item": "paper filters", "pickup_code": "nw-c05be1774a92"},
    1003: {"id": 1003, "owner": "contoso", "item": "oat drink 1 l", "pickup_code": "co-91d6f8b3205c"},
}

FILES = {
    "terms.txt": b"Net 30 days.\n",
    "Terms.txt": b"Net 60 days, for partners only.\n",
    "2026/q3.txt": b"Third quarter, by region.\n",
    "2026%2Fq3.txt": b"Third quarter, by partner.\n",
}


def orders_of(tenant):
    return [order for order in ORDERS.values() if order["owner"] == tenant]


def search(tenant, words):
    return [order for order in orders_of(tenant) if words.lower() in order["item"]]
