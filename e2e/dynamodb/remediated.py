"""The records API of vulnerable.py with every defect removed, mostly by the code of `remedies/`.

Keys come from the environment as digests, so neither the code, nor the environment, nor a table
holds a usable key (environment.py makes a set):

    RECORDS_KEYS    JSON object, SHA-256 of a key to the user whom it belongs to

Run it under a WSGI server; `--preload` makes the server listen only when the tables are filled:

    gunicorn --chdir e2e/dynamodb -b 127.0.0.1:5108 --threads 4 --preload --no-control-socket \\
        --access-logfile - --access-logformat '%(h)s %(m)s %(U)s %(s)s' remediated:app
"""

import json
import os
import re
import sys
from pathlib import Path

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError
from flask import Flask, abort, g, jsonify, request

import storage
from description import describe

sys.path.append(str(Path(__file__).parents[1]))
from remedy import remedy

expression = remedy("dynamodb-expression", "boto3")

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


def holder_of(digest):
    """Returns the user of a key's digest, from the base table, read consistently: a revoked key stops at once."""
    found = keys.get_item(Key={"key_sha256": digest}, ConsistentRead=True, **expression.projection("user_id"))
    return found.get("Item")


remedy("api-key-lookup", "flask").require_key(app, holder_of, public={"openapi"})
remedy("generic-errors", "flask").answer_errors_generically(app)
remedy("no-store-answers", "flask").forbid_storing(app)
remedy("security-headers", "flask").set_security_headers(app)
remedy("key-out-of-logs", "flask").keep_credentials_out_of_logs()


@app.errorhandler(expression.UnknownName)
def unknown_name(error):
    return jsonify({"error": "bad request"}), 400


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
def get_user(user_id):
    only("fields")
    fields = request.args.get("fields", ",".join(USER_FIELDS)).split(",")
    if not USER_ID.fullmatch(user_id) or not set(fields) <= set(USER_FIELDS) or len(set(fields)) < len(fields):
        abort(400)
    if user_id != g.key["user_id"]:
        abort(404)
    item = users.get_item(Key={"user_id": user_id}, **expression.projection(*fields)).get("Item")
    return jsonify(item) if item else abort(404)


@app.get("/records")
def list_records():
    only()
    response = records.query(
        KeyConditionExpression=Key("holder").eq(g.key["user_id"]), Limit=100, **expression.projection(*RECORD_FIELDS)
    )
    return jsonify({"records": response["Items"]})


@app.get("/records/matching")
def match_records():
    only("field", "value")
    wanted = expression.matching(request.args.get("field", "phase"), text("value", "open"), allowed=MATCHED_FIELDS)
    response = records.query(
        KeyConditionExpression=Key("holder").eq(g.key["user_id"]),
        FilterExpression=wanted,
        Limit=100,
        **expression.projection(*RECORD_FIELDS),
    )
    return jsonify({"records": response["Items"]})


@app.get("/records/after")
def records_after():
    only("sort", "start")
    sort = expression.listed(request.args.get("sort", "record_id"), allowed=("record_id",))
    response = records.query(
        KeyConditionExpression=Key("holder").eq(g.key["user_id"]) & Key(sort).gte(text("start", "r-0")),
        Limit=100,
        **expression.projection(*RECORD_FIELDS),
    )
    return jsonify({"records": response["Items"]})


@app.get("/records/titled")
def titled_records():
    only("title")
    response = client.execute_statement(
        **expression.statement(
            "SELECT record_id, title, holder, phase FROM records WHERE holder = ? AND title = ?",
            g.key["user_id"],
            text("title", "lease"),
        )
    )
    found = [{name: value["S"] for name, value in item.items()} for item in response["Items"]]
    return jsonify({"records": found})


@app.get("/notices")
def list_notices():
    only()
    response = notices.scan(Limit=100, **expression.projection("notice_id", "headline", "channel"))
    return jsonify({"notices": response["Items"]})


@app.get("/activity")
def activity():
    only()
    response = records.query(
        KeyConditionExpression=Key("holder").eq(g.key["user_id"]),
        ScanIndexForward=False,
        Limit=2,
        **expression.projection("record_id", "title", "created_at"),
    )
    return jsonify({"records": response["Items"]})


@app.put("/records/<record_id>")
def update_record(record_id):
    only()
    body = request.get_json()
    if not isinstance(body, dict) or set(body) != {"phase"} or body["phase"] not in PHASES:
        abort(400)
    if not RECORD_ID.fullmatch(record_id):
        abort(400)
    try:
        response = records.update_item(
            Key={"holder": g.key["user_id"], "record_id": record_id},
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
