"""A records API on DynamoDB as a careless developer writes it. Every defect is on purpose: see ../README.md.

Its first two routes and the update are those of the article "Api Key Exposure in Flask with
Dynamodb" before its remedies. Run it on loopback only:

    python e2e/dynamodb/vulnerable.py 5107
"""

import sys

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError
from flask import Flask, jsonify, request

import storage
from description import describe

app = Flask(__name__)

API_KEYS = {"alice": "rk_alice_5f0c2e9d7b", "bob": "rk_bob_81d4a6c3f2"}

database, client = storage.start()
users = storage.make(
    database, "users", "user_id", [{**user, "api_key": API_KEYS[user["user_id"]]} for user in storage.USERS]
)
# The key itself is the partition key: it stands in every trail and metric that names an item.
records = storage.make(
    database,
    "records",
    "api_key",
    [{**record, "api_key": API_KEYS[record["holder"]]} for record in storage.RECORDS],
    sort_key="record_id",
)
notices = storage.make(database, "notices", "notice_id", storage.NOTICES)


def caller():
    """Returns the user whose key is in the header, or None."""
    key = request.headers.get("X-API-Key")
    if not key:
        return None
    found = users.scan(FilterExpression=Attr("api_key").eq(key))["Items"]
    return found[0] if found else None


def refused(reason="missing api_key"):
    return jsonify({"error": reason}), 401


@app.route("/user/<user_id>")
def get_user(user_id):
    if not caller():
        return refused()
    arguments = {"Key": {"user_id": user_id}}
    if "fields" in request.args:
        arguments["ProjectionExpression"] = request.args["fields"]
    try:
        item = users.get_item(**arguments).get("Item")
    except ClientError as e:
        return jsonify({"error": str(e)}), 400
    if not item:
        return jsonify({"error": f"no user {user_id}"}), 404
    return jsonify(item)


@app.route("/records")
def list_records():
    api_key = request.headers.get("X-API-Key") or request.args.get("api_key")
    if not api_key:
        return refused()
    app.logger.info("records of %s", api_key)
    found = records.query(KeyConditionExpression=Key("api_key").eq(api_key))["Items"]
    return jsonify({"records": found}) if found else refused("unknown api_key")


@app.route("/records/matching")
def match_records():
    user = caller()
    if not user:
        return refused()
    field, value = request.args.get("field", "holder"), request.args.get("value", user["user_id"])
    try:
        response = records.scan(
            FilterExpression=f"holder = :holder and {field} = :value",
            ProjectionExpression="record_id, holder, title, phase",
            ExpressionAttributeValues={":holder": user["user_id"], ":value": value},
        )
    except ClientError as e:
        return jsonify({"error": str(e)}), 400
    return jsonify({"records": response["Items"]})


@app.route("/records/after")
def records_after():
    user = caller()
    if not user:
        return refused()
    sort = request.args.get("sort", "record_id")
    try:
        response = records.query(
            KeyConditionExpression=f"api_key = :key and {sort} >= :start",
            ProjectionExpression="record_id, title, phase",
            ExpressionAttributeValues={":key": user["api_key"], ":start": request.args.get("start", "r")},
        )
    except ClientError as e:
        return jsonify({"error": str(e)}), 400
    return jsonify({"records": response["Items"]})


@app.route("/records/titled")
def titled_records():
    user = caller()
    if not user:
        return refused()
    statement = "SELECT record_id, title, holder, phase FROM records WHERE "
    statement += f"holder = '{user['user_id']}' AND title = '{request.args.get('title', '')}'"
    try:
        response = database.meta.client.execute_statement(Statement=statement)
    except ClientError as e:
        return jsonify({"error": str(e)}), 400
    return jsonify({"records": response["Items"]})


@app.route("/notices")
def list_notices():
    if not caller():
        return refused()
    try:
        response = notices.scan(**request.args)
    except ClientError as e:
        return jsonify({"error": str(e)}), 400
    return jsonify({"notices": response["Items"]})


@app.route("/activity")
def activity():
    user = caller()
    if not user:
        return refused()
    # The low-level client keeps the attributes' types, and its answer holds the SDK's own notes.
    response = client.query(
        TableName="records",
        KeyConditionExpression="api_key = :key",
        ProjectionExpression="record_id, title, created_at",
        ExpressionAttributeValues={":key": {"S": user["api_key"]}},
        ReturnConsumedCapacity="TOTAL",
        Limit=2,
    )
    return jsonify(response)


@app.route("/records/<record_id>", methods=["PUT"])
def update_record(record_id):
    user = caller()
    if not user:
        return refused()
    body = request.get_json()
    try:
        response = records.update_item(
            Key={"record_id": record_id, "api_key": user["api_key"]},
            UpdateExpression="SET phase = :phase",
            ExpressionAttributeValues={":phase": body["phase"]},
            ReturnValues="ALL_NEW",
        )
    except Exception as e:
        return jsonify({"error": str(e)}), 400
    return jsonify({"updated": response["Attributes"]})


@app.route("/openapi.json")
def openapi():
    return jsonify(describe(key_in_query=True))


if __name__ == "__main__":
    # The reloader would run the server in a child that outlives a signal to this process.
    app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True, use_reloader=False)
