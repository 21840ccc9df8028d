"""The OpenAPI description that both forms of the records API serve at /openapi.json."""


def describe(key_in_query):
    """Returns the description; `key_in_query` adds the parameter `api_key` of the article's /records."""
    records = [in_query("api_key")] if key_in_query else []
    return {
        "openapi": "3.0.3",
        "info": {"title": "Records API", "version": "2.1.0", "description": "Filed records of several holders."},
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "paths": {
            "/user/{user_id}": {
                "get": operation(
                    "getUser",
                    "Read a user's profile and settings",
                    "User",
                    [in_path("user_id", "alice"), in_query("fields", "profile")],
                )
            },
            "/records": {"get": operation("listRecords", "List one's own records", "RecordList", records)},
            "/records/matching": {
                "get": operation(
                    "matchRecords",
                    "List one's own records where an attribute has a value",
                    "RecordList",
                    [in_query("field", "phase"), in_query("value", "open")],
                )
            },
            "/records/after": {
                "get": operation(
                    "recordsAfter",
                    "List one's own records from a start on",
                    "RecordList",
                    [in_query("sort", "record_id"), in_query("start", "r-1000")],
                )
            },
            "/records/titled": {
                "get": operation(
                    "titledRecords",
                    "List one's own records of a title",
                    "RecordList",
                    [in_query("title", "lease")],
                )
            },
            "/records/{record_id}": {
                "put": {
                    **operation("updateRecord", "Change a record's phase", "Updated", [in_path("record_id", "r-1001")]),
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": record(phase="string")}},
                    },
                }
            },
            "/notices": {"get": operation("listNotices", "List notices to everyone", "NoticeList", [])},
            "/activity": {"get": operation("activity", "The latest records", "RecordList", [])},
        },
        "components": {
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
            "schemas": {
                "Error": record(error="string"),
                "User": {
                    "type": "object",
                    "properties": {"profile": {"type": "object"}, "settings": {"type": "object"}},
                },
                "Record": {
                    "type": "object",
                    "properties": {
                        name: {"type": "string"}
                        for name in ("record_id", "holder", "title", "phase", "created_at")
                    },
                },
                "RecordList": many("records", "Record"),
                "Updated": {"type": "object", "properties": {"updated": schema("Record")}},
                "Notice": record(notice_id="string", headline="string", channel="string"),
                "NoticeList": many("notices", "Notice"),
            },
        },
    }


def operation(identifier, summary, name, parameters):
    return {
        "operationId": identifier,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": answer("What was asked for", name),
            "400": answer("A parameter is not allowed", "Error"),
            "401": answer("No valid key", "Error"),
            "404": answer("There is no such thing", "Error"),
        },
    }


def answer(description, name):
    return {"description": description, "content": {"application/json": {"schema": schema(name)}}}


def schema(name):
    return {"$ref": f"#/components/schemas/{name}"}


def many(member, name):
    items = {"type": "array", "items": schema(name)}
    return {"type": "object", "required": [member], "properties": {member: items}}


def record(**fields):
    properties = {name: {"type": kind} for name, kind in fields.items()}
    return {"type": "object", "required": list(fields), "properties": properties}


def in_path(name, example):
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example}


def in_query(name, example=None):
    parameter = {"name": name, "in": "query", "schema": {"type": "string"}}
    return parameter if example is None else {**parameter, "example": example}
