"""The orders API in Flask: careless, or with the remedies that are named.

    python e2e/mended/flask_orders.py PORT keyed|signed [REMEDY...]
"""

import sys
from pathlib import Path

from flask import Flask, g, jsonify, request
from waitress import serve

import before

sys.path.append(str(Path(__file__).parents[1]))
from remedy import remedy

PUBLIC = {"openapi"}


def orders_api(guard, remedies):
    app = Flask(__name__)

    if "cors-allow-list" in remedies:
        remedy("cors-allow-list", "flask").allow_origins(app, {"https://shop.example"}, headers="X-API-Key")
    else:
        reflect_every_origin(app)
    if "no-store-answers" in remedies:
        remedy("no-store-answers", "flask").forbid_storing(app)
    if "security-headers" in remedies:
        remedy("security-headers", "flask").set_security_headers(app)
    if "generic-errors" in remedies:
        remedy("generic-errors", "flask").answer_errors_generically(app)

    if "verify-signature" in remedies:
        remedy("verify-signature", "flask").require_signature(app, before.SECRETS.get, public=PUBLIC)
    elif "api-key-lookup" in remedies:
        remedy("api-key-lookup", "flask").require_key(app, before.digests().get, public=PUBLIC)
    else:
        guard_carelessly(app, guard)
    add_routes(app, guard, remedies)
    return app


def guard_carelessly(app, guard):
    @app.before_request
    def check():
        if request.endpoint in PUBLIC:
            return None
        if guard == "signed":
            good = before.signed_as_in_the_article(
                request.headers.get("X-Timestamp"),
                request.headers.get("X-Signature"),
                request.method,
                request.path,
                request.get_data(as_text=True),
            )
        else:
            key = request.headers.get("X-API-Key")
            g.key = before.client_of(key)
            good = before.known(key)
        return None if good else (jsonify({"error": "unauthorized"}), 401)


def reflect_every_origin(app):
    @app.after_request
    def reflect(response):
        response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
        response.headers["Access-Control-Allow-Credentials"] = "true"
        return response


def add_routes(app, guard, remedies):
    def own():
        return before.ORDERS[g.key["name"] if guard == "keyed" else "acme"]

    @app.get("/orders")
    def list_orders():
        return jsonify({"orders": own()})

    @app.get("/orders/<number>")
    def read_order(number):
        if "generic-errors" in remedies:
            return one_of(own(), int(number)) if number.isdecimal() else (jsonify({"error": "bad request"}), 400)
        try:
            return one_of(own(), int(number))
        except Exception as e:
            return jsonify({"error": str(e)}), 400

    @app.get("/search")
    def find_orders():
        return jsonify({"orders": [order for order in own() if request.args["q"] in order["item"]]})

    @app.post("/echo")
    def echo():
        return jsonify({"received": request.get_json()})

    @app.get("/profile")
    def read_profile():
        if "declared-fields" in remedies:
            return jsonify(remedy("declared-fields", "flask").only({"name", "plan"}, g.key))
        return jsonify(g.key)

    @app.get("/openapi.json")
    def openapi():
        return jsonify(before.description(guard))


def one_of(orders, number):
    found = [order for order in orders if order["id"] == number]
    return jsonify(found[0]) if found else (jsonify({"error": "not found"}), 404)


if __name__ == "__main__":
    port, guard, *remedies = sys.argv[1:]
    serve(orders_api(guard, remedies), host="127.0.0.1", port=int(port), threads=8)
