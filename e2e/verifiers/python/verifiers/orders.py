"""The API behind the verifiers that sign every kind of request: an order, and a price for one."""

from flask import request

from .catalog import Operation

OPEN = ("/health", "/openapi.json")
OPERATIONS = (
    Operation("GET", "/orders/1001?expand=lines", path="/orders/{order_id}"),
    Operation("POST", "/quotes", "application/json", '{"item":"paper filters","quantity":400}'),
)


def orders(app, admits, refusal):
    """Adds the operations; whatever `admits()` is false for gets the refusal."""

    @app.before_request
    def authenticate():
        return None if request.path in OPEN or admits() else refusal

    @app.get("/orders/<order_id>")
    def read_order(order_id):
        return {"id": order_id, "item": "paper filters", "pickup_code": "QX7-21"}

    @app.post("/quotes")
    def quote():
        asked = request.get_json(silent=True)
        return {"quote": "Q-88", "for": asked if isinstance(asked, dict) else None}


def sent_url():
    """The received request's URL with path and query as they were sent."""
    return f"{request.scheme}://{request.host}{request.environ['REQUEST_URI']}"
