"""The orders API behind every verifier: who may call is the verifier's business, the rest is here."""

import hashlib

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException, NotFound

from .catalog import TENANTS
from .description import describe
from .records import FILES, ORDERS, orders_of, search
from .refusals import fault, refuse

OPEN = {"health", "description"}


def orders_api(entry):
    """Returns the WSGI application of one verifier."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20
    files = dict(FILES)

    @app.before_request
    def check_signature():
        g.tenant = "northwind"
        if request.endpoint in OPEN or (request.endpoint or "").startswith("public_"):
            return None
        if entry.guards == "routes" and request.routing_exception is not None:
            return None
        verdict = entry.verify(request)
        if isinstance(verdict, Response):
            return verdict
        return None if verdict else refuse(entry.errors)

    @app.errorhandler(HTTPException)
    def http_error(error):
        return fault(entry.errors, error.code)

    @app.errorhandler(Exception)
    def crash(_error):
        return fault(entry.errors, 500)

    @app.after_request
    def never_stored(response):
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def answer(**fields):
        return jsonify({"ok": True, **fields} if entry.errors.style == "ok-false" else fields)

    @app.get("/health")
    def health():
        return answer(status="up")

    @app.get("/openapi.json")
    def description():
        return jsonify(describe(entry))

    @app.get("/orders")
    def list_orders():
        return answer(orders=orders_of(g.tenant))

    @app.get("/orders/<int:order_id>")
    def read_order(order_id):
        order = ORDERS.get(order_id)
        if order is None or order["owner"] != g.tenant:
            raise NotFound
        return answer(**order)

    @app.get("/search")
    def find_orders():
        return answer(query=request.args.get("q", ""), found=search(g.tenant, request.args.get("q", "")))

    @app.post("/echo")
    def echo():
        return answer(**received(request))

    if entry.files:

        @app.get("/files/<path:name>")
        def read_file(name):
            if name not in files:
                raise NotFound
            return Response(files[name], content_type="application/octet-stream")

        @app.put("/files/<path:name>")
        def write_file(name):
            files[name] = request.get_data()
            return answer(path=name, bytes=len(files[name]), sha256=hashlib.sha256(files[name]).hexdigest())

    app.extensions["orders"] = answer
    return (entry.arrange and entry.arrange(app)) or app


def received(request):
    """What the server made of a request: its length and digest, and the fields of JSON or a form."""
    raw = request.get_data(cache=True)
    fields = request.get_json() if request.is_json else request.form.to_dict()
    return {
        "method": request.method,
        "bytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "fields": fields,
    }


def act_as(key_id):
    """Makes the owner of the key the caller of this request."""
    g.tenant = TENANTS.get(key_id, "northwind")
    return True
