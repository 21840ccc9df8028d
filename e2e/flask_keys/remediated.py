"""The orders API of vulnerable.py with every defect removed.

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

import hashlib
import hmac
import json
import os
import re
import threading
import time
from collections import deque
from functools import wraps

import jwt
from flask import Flask, abort, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.security import check_password_hash, generate_password_hash

from description import describe
from records import ORDERS, REPORTS

JWT_ISSUER = "https://orders.example"
JWT_AUDIENCE = "orders-api"
JWT_LIFETIME_SECONDS = 900

LOGIN_TRIES = 5
LOGIN_WINDOW_SECONDS = 60

LARGEST_ID = 10_000
LARGEST_PAGE = 10_000
LARGEST_LIMIT = 100
LONGEST_CREDENTIAL = 200

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
app.logger.setLevel("INFO")

keys = json.loads(os.environ["ORDERS_KEYS"])
users = json.loads(os.environ["ORDERS_USERS"])
jwt_secret = os.environ["ORDERS_JWT_SECRET"]
if len(jwt_secret.encode()) < 32:
    raise SystemExit("ORDERS_JWT_SECRET must have at least 32 bytes (RFC 7518, section 3.2)")
allowed_origin = os.environ.get("ORDERS_ALLOWED_ORIGIN")

# Checked for user names that do not exist, so that they take as long as those that do.
password_hash_of_nobody = generate_password_hash(os.urandom(16).hex())


def find_key(presented):
    """Returns the key's record, or None. Compares digests, in constant time, with every record."""
    digest = hashlib.sha256(presented.encode()).hexdigest()
    found = None
    for record in keys:
        if hmac.compare_digest(digest, record["sha256"]):
            found = record
    return found


def requires_key(scope):
    """Admits requests whose X-API-Key header holds a known key with this scope."""

    def decorate(view):
        @wraps(view)
        def guarded(*args, **kwargs):
            g.key = find_key(request.headers.get("X-API-Key", ""))
            if g.key is None:
                abort(401)
            if scope not in g.key["scopes"]:
                abort(403)
            return view(*args, **kwargs)

        return guarded

    return decorate


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


class Tries:
    """Failed logins per client address within the last LOGIN_WINDOW_SECONDS.

    Kept in this process: with several workers, keep them in a store that all of them share.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.times = {}

    def begin(self, address):
        """Counts a try before its password is checked. Returns its time, or None when over the limit."""
        now = time.monotonic()
        with self.lock:
            self.drop_before(now - LOGIN_WINDOW_SECONDS)
            times = self.times.setdefault(address, deque())
            if len(times) >= LOGIN_TRIES:
                return None
            times.append(now)
            return now

    def forgive(self, address, begun):
        """Takes back the try that began at `begun`, because it succeeded."""
        with self.lock:
            times = self.times.get(address)
            if times and begun in times:
                times.remove(begun)

    def drop_before(self, oldest):
        for address, times in list(self.times.items()):
            while times and times[0] < oldest:
                times.popleft()
            if not times:
                del self.times[address]


tries = Tries()


@app.post("/admin/export")
@requires_key("orders:export")
def start_export():
    app.logger.info("export started by key id %s", g.key["id"])
    return jsonify({"status": "export started"})


@app.get("/orders")
@requires_key("orders:read")
def list_orders():
    owner = g.key["owner"]
    return jsonify({"orders": [order for order in ORDERS.values() if order["owner"] == owner]})


@app.get("/orders/<order_id>")
@requires_key("orders:read")
def read_order(order_id):
    order = ORDERS.get(number_from(order_id, LARGEST_ID))
    if order is None or order["owner"] != g.key["owner"]:
        abort(404)
    return jsonify(order)


@app.get("/reports")
@requires_key("reports:read")
def list_reports():
    page = number_in_query("page", LARGEST_PAGE, default=1)
    limit = number_in_query("limit", LARGEST_LIMIT, default=20)
    start = (page - 1) * limit
    return jsonify({"page": page, "limit": limit, "reports": REPORTS[start : start + limit]})


@app.get("/reports/summary")
@requires_key("reports:read")
def read_report():
    number = number_in_query("id", LARGEST_ID)
    for report in REPORTS:
        if report["id"] == number:
            return jsonify(report)
    abort(404)


@app.get("/profile")
@requires_key("orders:read")
def read_profile():
    return jsonify({"owner": g.key["owner"], "plan": g.key["plan"]})


@app.post("/login")
def login():
    body = request.get_json()
    username, password = credentials_from(body)
    address = request.remote_addr
    begun = tries.begin(address)
    if begun is None:
        abort(429)
    user = users.get(username)
    stored = user["password_hash"] if user else password_hash_of_nobody
    matches = check_password_hash(stored, password)
    if user is None or not matches:
        abort(401)
    tries.forgive(address, begun)
    return jsonify({"token": token_for(username)})


@app.get("/me")
def read_user():
    username = user_of_token(request.headers.get("Authorization", ""))
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


def token_for(username):
    now = int(time.time())
    claims = {
        "sub": username,
        "iss": JWT_ISSUER,
        "aud": JWT_AUDIENCE,
        "iat": now,
        "exp": now + JWT_LIFETIME_SECONDS,
    }
    return jwt.encode(claims, jwt_secret, algorithm="HS256")


def user_of_token(authorization):
    """Returns the user whom a bearer token of ours names; any other value is a 401."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        abort(401)
    try:
        claims = jwt.decode(
            token,
            jwt_secret,
            algorithms=["HS256"],
            audience=JWT_AUDIENCE,
            issuer=JWT_ISSUER,
            options={"require": ["sub", "iss", "aud", "iat", "exp"]},
        )
    except jwt.InvalidTokenError:
        abort(401)
    if claims["sub"] not in users:
        abort(401)
    return claims["sub"]


@app.errorhandler(HTTPException)
def plain_error(error):
    """Answers with the status alone: never with the exception's text."""
    response = jsonify({"error": error.name.lower()})
    response.status_code = error.code
    if error.code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="orders", ApiKey realm="orders"'
    if error.code == 405 and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    if error.code == 429:
        response.headers["Retry-After"] = str(LOGIN_WINDOW_SECONDS)
    return response


@app.errorhandler(Exception)
def unexpected_error(error):
    app.logger.error("unexpected %s at %s", type(error).__name__, request.url_rule)
    return jsonify({"error": "internal server error"}), 500


@app.after_request
def add_security_headers(response):
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    response.headers["Referrer-Policy"] = "no-referrer"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    response.headers["Vary"] = "Origin"
    if allowed_origin and request.headers.get("Origin") == allowed_origin:
        response.headers["Access-Control-Allow-Origin"] = allowed_origin
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-API-Key"
    return response
