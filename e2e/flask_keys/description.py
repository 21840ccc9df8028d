"""The OpenAPI description that both forms of the orders API serve at /openapi.json.

Every operation is described except /healthz and, in the vulnerable form, /_debug/users.
"""

API_KEY = [{"apiKey": []}]
USER_TOKEN = [{"userToken": []}]


def describe(export_method):
    """Returns the description; `export_method` is the lower-case HTTP method of /admin/export."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Orders API",
            "version": "1.4.0",
            "description": "Orders and monthly reports for wholesale partners.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": "admin"}, {"name": "orders"}, {"name": "reports"}, {"name": "account"}],
        "paths": {
            "/admin/export": {
                export_method: {
                    "operationId": "startExport",
                    "tags": ["admin"],
                    "summary": "Start an export of all orders",
                    "security": API_KEY,
                    "responses": {
                        "200": answer("The export has started", "ExportStarted"),
                        "401": answer("No valid key", "Error"),
                        "403": answer("The key may not export", "Error"),
                    },
                }
            },
            "/orders": {
                "get": {
                    "operationId": "listOrders",
                    "tags": ["orders"],
                    "summary": "List the orders of the key's owner",
                    "security": API_KEY,
                    "responses": {
                        "200": answer("The orders", "OrderList"),
                        "401": answer("No valid key", "Error"),
                    },
                }
            },
            "/orders/{order_id}": {
                "get": {
                    "operationId": "readOrder",
                    "tags": ["orders"],
                    "summary": "Read one order",
                    "security": API_KEY,
                    "parameters": [
                        {
                            "name": "order_id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "integer", "minimum": 1},
                            "example": 1001,
                        }
                    ],
                    "responses": {
                        "200": answer("The order", "Order"),
                        "401": answer("No valid key", "Error"),
                        "404": answer("The key's owner has no such order", "Error"),
                    },
                }
            },
            "/reports": {
                "get": {
                    "operationId": "listReports",
                    "tags": ["reports"],
                    "summary": "List the monthly reports, page by page",
                    "security": API_KEY,
                    "parameters": [
                        number_in_query("page", most=10_000, default=1),
                        number_in_query("limit", most=100, default=20),
                    ],
                    "responses": {
                        "200": answer("One page of reports", "ReportPage"),
                        "400": answer("A parameter is out of range", "Error"),
                        "401": answer("No valid key", "Error"),
                    },
                }
            },
            "/reports/summary": {
                "get": {
                    "operationId": "readReport",
                    "tags": ["reports"],
                    "summary": "Read the totals of one report",
                    "security": API_KEY,
                    "parameters": [number_in_query("id", most=10_000, required=True, example=1)],
                    "responses": {
                        "200": answer("The report", "Report"),
                        "400": answer("The id is missing or out of range", "Error"),
                        "401": answer("No valid key", "Error"),
                        "404": answer("No such report", "Error"),
                    },
                }
            },
            "/profile": {
                "get": {
                    "operationId": "readProfile",
                    "tags": ["account"],
                    "summary": "Who the API key belongs to",
                    "security": API_KEY,
                    "responses": {
                        "200": answer("The key's owner", "Profile"),
                        "401": answer("No valid key", "Error"),
                    },
                }
            },
            "/login": {
                "post": {
                    "operationId": "login",
                    "tags": ["account"],
                    "summary": "Exchange a user name and password for a token",
                    "security": [],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": schema("Credentials")}},
                    },
                    "responses": {
                        "200": answer("A token for the Authorization header", "Token"),
                        "400": answer("The body is not a user name and a password", "Error"),
                        "401": answer("Refused", "Error"),
                        "429": answer("Too many tries", "Error"),
                    },
                }
            },
            "/me": {
                "get": {
                    "operationId": "readUser",
                    "tags": ["account"],
                    "summary": "The user whom the token was issued to",
                    "security": USER_TOKEN,
                    "responses": {
                        "200": answer("The user", "User"),
                        "401": answer("No valid token", "Error"),
                    },
                }
            },
        },
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "userToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
            "schemas": {
                "Error": record(error="string"),
                "ExportStarted": record(status="string"),
                "Order": record(
                    id="integer",
                    owner="string",
                    item="string",
                    quantity="integer",
                    contact="string",
                    pickup_code="string",
                ),
                "OrderList": {
                    "type": "object",
                    "required": ["orders"],
                    "properties": {"orders": {"type": "array", "items": schema("Order")}},
                },
                "Report": record(id="integer", month="string", orders="integer", total_cents="integer"),
                "ReportPage": {
                    "type": "object",
                    "required": ["page", "limit", "reports"],
                    "properties": {
                        "page": {"type": "integer"},
                        "limit": {"type": "integer"},
                        "reports": {"type": "array", "items": schema("Report")},
                    },
                },
                "Profile": record(owner="string", plan="string"),
                "Credentials": record(username="string", password="string"),
                "Token": record(token="string"),
                "User": record(username="string", role="string"),
            },
        },
    }


def schema(name):
    return {"$ref": f"#/components/schemas/{name}"}


def record(**fields):
    return {
        "type": "object",
        "required": list(fields),
        "properties": {name: {"type": kind} for name, kind in fields.items()},
    }


def answer(description, name):
    return {"description": description, "content": {"application/json": {"schema": schema(name)}}}


def number_in_query(name, most, default=None, required=False, example=None):
    parameter = {
        "name": name,
        "in": "query",
        "required": required,
        "schema": {"type": "integer", "minimum": 1, "maximum": most},
    }
    if default is not None:
        parameter["schema"]["default"] = default
    if example is not None:
        parameter["example"] = example
    return parameter
