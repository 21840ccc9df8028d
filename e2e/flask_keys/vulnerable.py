"""An orders API as a careless developer writes it. Every defect is on purpose: see ../README.md.

Run it on loopback only:

    python vulnerable.py 5101                                   Werkzeug's server, debugger on
    gunicorn --chdir e2e/flask_keys -b 127.0.0.1:5102 --no-control-socket vulnerable:app
"""

import sys

import jwt
from flask import Flask, jsonify, request

from description import describe
from records import ORDERS, REPORTS

app = Flask(__name__)

VALID_KEYS = {"sk_live_abc123", "sk_test_xyz789"}
REPORT_KEYS = "sk_live_abc123,sk_test_xyz789"
OWNERS = {
    "sk_live_abc123": {"owner": "northwind", "plan": "wholesale"},
    "sk_test_xyz789": {"owner": "contoso", "plan": "trial"},
}
USERS = {
    "alice": {"password": "wonderland", "role": "clerk"},
    "root": {"password": "toor", "role": "admin"},
}
JWT_SECRET = "secret"


@app.route("/admin/export")
def admin_export():
    key = request.headers.get("X-API-Key")
    if key not in VALID_KEYS:
        return jsonify({"error": "forbidden"}), 403
    # Proceed with sensitive operation
    return jsonify({"status": "export started"})


@app.route("/orders")
def list_orders():
    key = request.headers.get("X-API-Key") or request.args.get("api_key")
    app.logger.warning("orders requested with key %s", key)
    if key not in VALID_KEYS:
        return jsonify({"error": "unknown api key" if key else "missing api key"}), 401
    owner = OWNERS[key]["owner"]
    return jsonify({"orders": [order for order in ORDERS.values() if order["owner"] == owner]})


@app.route("/orders/<order_id>")
def read_order(order_id):
    if request.headers.get("X-API-Key") not in VALID_KEYS:
        return jsonify({"error": "unknown api key" if key else "missing api key"}), 401
    try:
        order = ORDERS.get(int(order_id))
    except Exception as e:
        return jsonify({"error": str(e), "type": type(e).__name__}), 400
    if order is None:
        return jsonify({"error": "order not found"}), 404
    return jsonify(order)


@app.route("/reports")
def list_reports():
    key = request.headers.get("X-API-Key")
    if not key or key not in REPORT_KEYS:
        return jsonify({"error": "unknown api key" if key else "missing api key"}), 401
    page = request.args.get("page", 1, type=int)
    limit = request.args.get("limit", 20, type=int)
    start = (page - 1) * limit
    return jsonify({"page": page, "limit": limit, "reports": REPORTS[start : start + limit]})


@app.route("/reports/summary")
def read_report():
    if request.headers.get("X-API-Key") not in VALID_KEYS:
        return jsonify({"error": "unknown api key" if key else "missing api key"}), 401
    number = int(request.args["id"])
    for report in REPORTS:
        if report["id"] == number:
            return jsonify(report)
    return jsonify({"error": "report not found"}), 404


@app.route("/profile")
def read_profile():
    key = request.headers.get("X-API-Key")
    if key not in VALID_KEYS:
        return jsonify({"error": "unknown api key" if key else "missing api key"}), 401
    return jsonify({**OWNERS[key], "api_key": key})


@app.route("/login", methods=["POST"])
def login():
    body = request.get_json()
    user = USERS.get(body["username"])
    if user is None:
        return jsonify({"error": "unknown user"}), 401
    if user["password"] != body["password"]:
        return jsonify({"error": "wrong password"}), 401
    claims = {"sub": body["username"], "role": user["role"]}
    return jsonify({"token": jwt.encode(claims, JWT_SECRET, algorithm="HS256")})


@app.route("/me")
def read_user():
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(token, JWT_SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return jsonify({"error": "invalid token"}), 401
    return jsonify({"username": claims["sub"], "role": claims["role"]})


@app.route("/_debug/users")
def debug_users():
    return jsonify({"users": [{"username": name, **user} for name, user in USERS.items()]})


@app.route("/healthz")
def healthz():
    return jsonify({"status": "ok"})


@app.route("/openapi.json")
def openapi():
    return jsonify(describe(export_method="get"))


@app.after_request
def allow_every_origin(response):
    origin = request.headers.get("Origin")
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-API-Key"
    return response


if __name__ == "__main__":
    # The reloader would run the server in a child that outlives a signal to this process.
    app.run(host="127.0.0.1", port=int(sys.argv[1]), debug=True, use_reloader=False)
