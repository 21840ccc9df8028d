"""The article's routes with its remedy made sound: the recommended reference in Flask.

Follows docs: the recommended reference. The body is read before any form access, the canonical string
has one field per line and covers host, mount prefix, query and content type, and nonces are stored.
"""

from flask import Flask, jsonify, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from .catalog import Errors, verifier
from .reference import reference_scheme, verify_reference

ARTICLE_REFERENCE = reference_scheme("X-Timestamp", "X-Nonce", "X-Signature", "X-Key-Id")
NAMES = ARTICLE_REFERENCE.signing["headers"]
ERRORS = Errors("json", 401, "invalid signature")


def article_routes(app):
    @app.post("/admin/export")
    def admin_export():
        return jsonify({"status": "export started"})

    @app.post("/transfers/preview")
    def preview():
        return jsonify({"amount": request.form.get("amount"), "to": request.form.get("to")})

    @app.route("/admin/exports", methods=["GET", "POST"])
    def exports():
        return jsonify({"handled_as": request.method})

    return DispatcherMiddleware(app, {"/contoso": contoso()})


def contoso():
    app = Flask("contoso")

    @app.before_request
    def check_signature():
        if not verify_reference(request, NAMES):
            return jsonify({"error": ERRORS.text}), ERRORS.status
        return None

    @app.get("/orders/<int:order_id>")
    def read_order(order_id):
        return jsonify({"id": order_id, "owner": "contoso", "item": "oat drink 1 l", "pickup_code": "co-55aa0b7e3c19"})

    return app


@verifier(
    "article-reference",
    ARTICLE_REFERENCE,
    ERRORS,
    files=True,
    nonce_store=True,
    operations=(
        {"method": "POST", "target": "/admin/export", "content_type": "application/json", "body": "{}"},
        {"method": "GET", "target": "/admin/exports"},
        {
            "method": "POST",
            "target": "/transfers/preview",
            "content_type": "application/x-www-form-urlencoded",
            "body": "amount=10&to=acme",
        },
        {"method": "GET", "target": "/contoso/orders/1001"},
    ),
    arrange=article_routes,
)
def sound(request):
    return verify_reference(request, NAMES)
