"""The orders and reports that both forms of the orders API serve. All of it is test data."""

ORDERS = {
    1001: {
        "id": 1001,
        "owner": "northwind",
        "item": "espresso beans 5 kg",
        "quantity": 12,
        "contact": "purchasing@northwind.example",
        "pickup_code": "nw-7f3a9c2e41d8",
    },
    1002: {
        "id": 1002,
        "owner": "northwind",
        "item": "paper filters",
        "quantity": 400,
        "contact": "purchasing@northwind.example",
        "pickup_code": "nw-c05be1774a92",
    },
    1003: {
        "id": 1003,
        "owner": "contoso",
        "item": "oat drink 1 l",
        "quantity": 240,
        "contact": "kitchen@contoso.example",
        "pickup_code": "co-91d6f8b3205c",
    },
}

REPORTS = [
    {
        "id": number,
        "month": f"{2004 + (number - 1) // 12}-{(number - 1) % 12 + 1:02}",
        "orders": 30 + number * 7 % 40,
        "total_cents": 100_000 + number * 7919 % 90_000,
    }
    for number in range(1, 251)
]
