"""The signed request of the article "Integrity Failures in Flask with Api Keys", as printed there.

`verify_signed_request` and its route are the article's own. The other routes let each of its flaws
show: a second tenant under a mount prefix, files by path, forms, a method override.
"""

import hashlib
import hmac
import time

from flask import Flask, jsonify, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from .catalog import Errors, Scheme, verifier

SECRET = "{{shared_secret}}"
ARTICLE = Scheme(
    "article",
    "Integrity Failures in Flask with Api Keys, section 2",
    {
        "preset": "article",
        "canonical": "{ts}{METHOD}{path}{body}",
        "algorithm": "hmac-sha256",
        "encoding": "hex",
        "headers": {"timestamp": "X-Timestamp", "signature": "X-Signature"},
        "clock": "s",
    },
    credentials=((None, SECRET),),
    gaps=("SIG-004", "SIG-006", "SIG-008", "SIG-011", "SIG-012", "SIG-013", "SIG-014", "SIG-021", "SIG-028", "SIG-031"),
)


def verify_signed_request(request, secret):
    timestamp = request.headers.get("X-Timestamp")
    signature = request.headers.get("X-Signature")
    if not timestamp or not signature:
        return False
    # Reject old requests to prevent replay
    if abs(time.time() - int(timestamp)) > 300:
        return False
    payload = f"{timestamp}{request.method}{request.path}{request.get_data(as_text=True)}"
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature)


def article_routes(app):
    """Adds the article's route and the rest, and mounts a second tenant at /contoso."""

    # Endpoints named public_ skip the check of every other route: these two verify for themselves.
    @app.route("/admin/export", methods=["POST"], endpoint="public_admin_export_signed")
    def admin_export_signed():
        if not verify_signed_request(request, "{{shared_secret}}"):
            return jsonify({"error": "invalid signature"}), 403
        return jsonify({"status": "export started"})

    @app.post("/transfers/preview", endpoint="public_preview")
    def preview():
        # The bot trap reads the form before the signature is verified.
        if request.form.get("website"):
            return jsonify({"error": "invalid signature"}), 403
        if not verify_signed_request(request, SECRET):
            return jsonify({"error": "invalid signature"}), 403
        return jsonify({"amount": request.form.get("amount"), "to": request.form.get("to")})

    @app.route("/admin/exports", methods=["GET", "POST"])
    def exports():
        # Methods that a proxy does not let through travel in the header.
        method = request.headers.get("X-HTTP-Method-Override", request.method)
        return jsonify({"handled_as": method})

    return DispatcherMiddleware(app, {"/contoso": contoso()})


def contoso():
    app = Flask("contoso")

    @app.get("/orders/<int:order_id>")
    def read_order(order_id):
        if not verify_signed_request(request, SECRET):
            return jsonify({"error": "invalid signature"}), 403
        return jsonify({"id": order_id, "owner": "contoso", "item": "oat drink 1 l", "pickup_code": "co-55aa0b7e3c19"})

    return app


@verifier(
    "article",
    ARTICLE,
    Errors("json", 403, "invalid signature"),
    defect="SIG-015",
    shows="as printed; every flaw that the design lists under the article's scheme is here, see `gaps`",
    files=True,
    repeatable=("POST /transfers/preview",),
    operations=(
        {"method": "POST", "target": "/admin/export", "content_type": "application/json", "body": "{}"},
        {"method": "GET", "target": "/admin/exports"},
        {
            "method": "POST",
            "target": "/transfers/preview",
            "content_type": "application/x-www-form-urlencoded",
            "body": "amount=10&to=acme",
            "signs": {"body": ""},
        },
        {"method": "GET", "target": "/contoso/orders/1001", "signs": {"target": "/orders/1001"}},
    ),
    arrange=article_routes,
)
def as_printed(request):
    return verify_signed_request(request, SECRET)
