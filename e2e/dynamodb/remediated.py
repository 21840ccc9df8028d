"""The records API of vulnerable.py with every defect removed.

Keys come from the environment as digests, so neither the code, nor the environment, nor a table
holds a usable key (environment.py makes a set):

    RECORDS_KEYS    JSON object, SHA-256 of a key to the user whom it belongs to

Run it under a WSGI server; `--preload` makes the server listen only when the tables are filled:

    gunicorn --chdir e2e/dynamodb -b 127.0.0.1:5108 --threads 4 --preload --no-control-socket \\
        --access-logfile - --access-logformat '%(h)s %(m)s %(U)s %(s)s' remediated:app
"""

import hashlib
import json
import os
import re
from functools import wraps

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError
from flask import Flask, abort, g, jsonify, request
from werkzeug.exceptions import HTTPException

import storage
from description import describe

USER_ID = re.compile(r"[a-z][a-z0-9-]{0,31}")
RECORD_ID = re.compile(r"r-[0-9]{1,8}")
TEXT = re.compile(r"[\w .:-]{1,64}")

USER_FIELDS = ("profile", "settings")
RECORD_FIELDS = ("record_id", "holder", "title", "phase", "created_at")
MATCHED_FIELDS = ("phase", "title")
PHASES = ("open", "closed")

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16 * 1024

holders_by_digest = json.loads(os.environ["RECORDS_KEYS"])

database, client = storage.start()
keys = storage.make(
    database,
    "keys",
    "key_sha256",
    [{"key_sha256": digest, "user_id": holder} for digest, holder in holders_by_digest.items()],
)
users = storage.make(database, "users", "user_id", storage.USERS)
records = storage.make(database, "records", "holder", storage.RECORDS, sort_key="record_id")
notices = storage.make(database, "notices", "notice_id", storage.NOTICES)


def requires_key(view):
    """Admits requests whose X-API-Key header holds a known key, and puts its user into `g.user_id`."""

    @wraps(view)
    def guarded(*args, **kwargs):
        presented = request.headers.get("X-API-Key", "")
        digest = hashlib.sha256(presented.encode()).hexdigest()
        # The base table, read consistently: a revoked key stops at once.
        found = keys.get_item(
            Key={"key_sha256": digest}, ProjectionExpression="user_id", ConsistentRead=True
        ).get("Item")
        if not found:
            abort(401)
        g.user_id = found["user_id"]
        return view(*args, **kwargs)

    return guarded


def projection(fields):
    """Returns the arguments that make DynamoDB send these attributes and no others."""
    names = {f"#f{position}": field for position, field in enumerate(fields)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def one_of(name, allowed, default):
    """Returns a query parameter that names something; a name that is not on the list is a 400."""
    value = request.args.get(name, default)
    if value not in allowed:
        abort(400)
    return value


def text(name, default):
    """Returns a query parameter that holds a short text without quotes; anything else is a 400."""
    value = request.args.get(name, default)
    if not TEXT.fullmatch(value):
        abort(400)
    return value


def only(*names):
    """Refuses query parameters that the operation does not have."""
    if set(request.args) - set(names):
        abort(400)


@app.get("/user/<user_id>")
@requires_key
def get_user(user_id):
    only("fields")
    fields = request.args.get("fields", ",".join(USER_FIELDS)).split(",")
    if not USER_ID.fullmatch(user_id) or not set(fields) <= set(USER_FIELDS) or len(set(fields)) < len(fields):
        abort(400)
    if user_id != g.user_id:
        abort(404)
    item = users.get_item(Key={"user_id": user_id}, **projection(fields)).get("Item")
    return jsonify(item) if item else abort(404)


@app.get("/records")
@requires_key
def list_records():
    only()
    response = records.query(
        KeyConditionExpression=Key("holder").eq(g.user_id), Limit=100, **projection(RECORD_FIELDS)
    )
    return jsonify({"records": response["Items"]})


@app.get("/records/matching")
@requires_key
def match_records():
    only("field", "value")
    field, value = one_of("field", MATCHED_FIELDS, "phase"), text("value", "open")
    response = records.query(
        KeyConditionExpression=Key("holder").eq(g.user_id),
        FilterExpression=Attr(field).eq(value),
        Limit=100,
        **projection(RECORD_FIELDS),
    )
    return jsonify({"records": response["Items"]})


@app.get("/records/after")
@requires_key
def records_after():
    only("sort", "start")
    sort, start = one_of("sort", ("record_id",), "record_id"), text("start", "r-0")
    response = records.query(
        KeyConditionExpression=Key("holder").eq(g.user_id) & Key(sort).gte(start),
        Limit=100,
        **projection(RECORD_FIELDS),
    )
    return jsonify({"records": response["Items"]})


@app.get("/records/titled")
@requires_key
def titled_records():
    only("title")
    response = client.execute_statement(
        Statement="SELECT record_id, title, holder, phase FROM records WHERE holder = ? AND title = ?",
        Parameters=[{"S": g.user_id}, {"S": text("title", "lease")}],
    )
    found = [{name: value["S"] for name, value in item.items()} for item in response["Items"]]
    return jsonify({"records": found})


@app.get("/notices")
@requires_key
def list_notices():
    only()
    response = notices.scan(Limit=100, **projection(("notice_id", "headline", "channel")))
    return jsonify({"notices": response["Items"]})


@app.get("/activity")
@requires_key
def activity():
    only()
    response = records.query(
        KeyConditionExpression=Key("holder").eq(g.user_id),
        ScanIndexForward=False,
        Limit=2,
        **projection(("record_id", "title", "created_at")),
    )
    return jsonify({"records": response["Items"]})


@app.put("/records/<record_id>")
@requires_key
def update_record(record_id):
    only()
    body = request.get_json()
    if not isinstance(body, dict) or set(body) != {"phase"} or body["phase"] not in PHASES:
        abort(400)
    if not RECORD_ID.fullmatch(record_id):
        abort(400)
    try:
        response = records.update_item(
            Key={"holder": g.user_id, "record_id": record_id},
            UpdateExpression="SET #phase = :phase",
            ConditionExpression="attribute_exists(record_id)",
            ExpressionAttributeNames={"#phase": "phase"},
            ExpressionAttributeValues={":phase": body["phase"]},
            ReturnValues="UPDATED_NEW",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            abort(404)
        raise
    return jsonify({"updated": response["Attributes"]})


@app.get("/openapi.json")
def openapi():
    return jsonify(describe(key_in_query=False))


@app.errorhandler(HTTPException)
def plain_error(error):
    """Answers with the status alone: never with the exception's text."""
    response = jsonify({"error": error.name.lower()})
    response.status_code = error.code
    if error.code == 401:
        response.headers["WWW-Authenticate"] = 'ApiKey realm="records"'
    if error.code == 405 and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response


@app.errorhandler(Exception)
def unexpected_error(error):
    # The class alone: the texts of boto3 name tables, attributes, roles and accounts.
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
    return response
