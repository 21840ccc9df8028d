"""The orders API of vulnerable.py with every defect removed, mostly by the code of `remedies/`.

Keys and users come from the environment as digests, so neither the code nor the environment
holds a usable key or password (environment.py makes a set):

    ORDERS_KEYS     JSON list of {"id", "owner", "plan", "sha256", "scopes"}
    ORDERS_USERS    JSON object, user name to {"password_hash", "role"}
    ORDERS_JWT_SECRET   at least 32 random bytes, as text
    ORDERS_ALLOWED_ORIGIN   the one browser origin that may read answers; optional

Run it under a WSGI server, with an access log that leaves query strings out:

    gunicorn --chdir e2e/flask_keys -b 127.0.0.1:5103 --threads 4 --no-control-socket \\
        --access-logfile - --access-logformat '%(h)s %(m)s %(U)s %(s)s' remediated:app
"""

import json
import os
import re
import sys
from pathlib import Path

from flask import Flask, abort, g, jsonify, request
from werkzeug.security import check_password_hash, generate_password_hash

from description import describe
from records import ORDERS, REPORTS

sys.path.append(str(Path(__file__).parents[1]))
from remedy import remedy

needs_scope = remedy("api-key-lookup", "flask").needs_scope
only = remedy("declared-fields", "flask").only
secret = remedy("secret-from-environment", "python").secret

LARGEST_ID = 10_000
LARGEST_PAGE = 10_000
LARGEST_LIMIT = 100
LONGEST_CREDENTIAL = 200

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
app.logger.setLevel("INFO")

keys = json.loads(os.environ["ORDERS_KEYS"])
users = json.loads(os.environ["ORDERS_USERS"])
tokens = remedy("jwt-verification", "flask").Tokens(
    secret("ORDERS_JWT_SECRET"), issuer="https://orders.example", audience="orders-api"
)
tries = remedy("rate-limit", "flask").Tries(most=5, seconds=60)

allowed_origins = {os.environ["ORDERS_ALLOWED_ORIGIN"]} if "ORDERS_ALLOWED_ORIGIN" in os.environ else set()
allowed_headers = "Authorization, Content-Type, X-API-Key"
remedy("cors-allow-list", "flask").allow_origins(app, allowed_origins, headers=allowed_headers)
remedy("api-key-lookup", "flask").require_key(
    app, {record["sha256"]: record for record in keys}.get, public={"login", "read_user", "healthz", "openapi"}
)
remedy("generic-errors", "flask").answer_errors_generically(app)
remedy("no-store-answers", "flask").forbid_storing(app)
remedy("security-headers", "flask").set_security_headers(app)
remedy("key-out-of-logs", "flask").keep_credentials_out_of_logs()

# Checked for user names that do not exist, so that they take as long as those that do.
password_hash_of_nobody = generate_password_hash(os.urandom(16).hex())


def number_from(text, most):
    """Returns an integer from 1 to `most`; anything else, in any other spelling, is a 400."""
    if text is None or not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        abort(400)
    number = int(text)
    if number > most:
        abort(400)
    return number


def number_in_query(name, most, default=None):
    if default is not None and name not in request.args:
        return default
    return number_from(request.args.get(name), most)


@app.post("/admin/export")
@needs_scope("orders:export")
def start_export():
    app.logger.info("export started by key id %s", g.key["id"])
    return jsonify({"status": "export started"})


@app.get("/orders")
@needs_scope("orders:read")
def list_orders():
    owner = g.key["owner"]
    return jsonify({"orders": [order for order in ORDERS.values() if order["owner"] == owner]})


@app.get("/orders/<order_id>")
@needs_scope("orders:read")
def read_order(order_id):
    order = ORDERS.get(number_from(order_id, LARGEST_ID))
    if order is None or order["owner"] != g.key["owner"]:
        abort(404)
    return jsonify(order)


@app.get("/reports")
@needs_scope("reports:read")
def list_reports():
    page = number_in_query("page", LARGEST_PAGE, default=1)
    limit = number_in_query("limit", LARGEST_LIMIT, default=20)
    start = (page - 1) * limit
    return jsonify({"page": page, "limit": limit, "reports": REPORTS[start : start + limit]})


@app.get("/reports/summary")
@needs_scope("reports:read")
def read_report():
    number = number_in_query("id", LARGEST_ID)
    for report in REPORTS:
        if report["id"] == number:
            return jsonify(report)
    abort(404)


@app.get("/profile")
@needs_scope("orders:read")
def read_profile():
    return jsonify(only({"owner", "plan"}, g.key))


@app.post("/login")
@tries.limited
def login():
    username, password = credentials_from(request.get_json())
    user = users.get(username)
    stored = user["password_hash"] if user else password_hash_of_nobody
    matches = check_password_hash(stored, password)
    if user is None or not matches:
        abort(401)
    return jsonify({"token": tokens.issue(username)})


@app.get("/me")
def read_user():
    username = tokens.subject()
    if username not in users:
        abort(401)
    return jsonify({"username": username, "role": users[username]["role"]})


@app.get("/healthz")
def healthz():
    return jsonify({"status": "ok"})


@app.get("/openapi.json")
def openapi():
    return jsonify(describe(export_method="post"))


def credentials_from(body):
    if not isinstance(body, dict) or set(body) != {"username", "password"}:
        abort(400)
    for value in body.values():
        if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_CREDENTIAL:
            abort(400)
        # JSON can spell half a surrogate pair, which has no UTF-8 form to hash.
        if not value.isprintable():
            abort(400)
    return body["username"], body["password"]
