"""The OpenAPI description that each app serves at /openapi.json."""

import re


def describe(entry):
    """Returns the description: signed operations name the signature's header, public ones an empty list."""
    schemes = security_schemes(entry.scheme.signing)
    signed = [{name: [] for name in schemes}]
    paths = {
        "/health": {"get": operation("health", "Whether the service is up", [])},
        "/orders": {"get": operation("listOrders", "The caller's orders", signed)},
        "/orders/{order_id}": {
            "get": operation("readOrder", "One order", signed, [path_parameter("order_id", "integer", 1001)])
        },
        "/search": {"get": operation("findOrders", "Orders whose item has these words", signed, [query_parameter()])},
        "/echo": {"post": operation("echo", "What the server received", signed, body="application/json")},
    }
    if entry.files:
        name = path_parameter("path", "string", "terms.txt")
        paths["/files/{path}"] = {
            "get": operation("readFile", "One file", signed, [name]),
            "put": operation("writeFile", "Replace one file", signed, [name], body="text/plain"),
        }
    for extra in entry.operations:
        path = extra.get("path", extra["target"].partition("?")[0])
        parameters = [path_parameter(name, "string", "a") for name in re.findall(r"{(\w+)}", path)]
        body = extra.get("content_type")
        name = extra["method"].lower() + path.title().translate({ord(c): None for c in "/{}-"})
        described = operation(name, f"{extra['method']} {path}", signed, parameters, body=body)
        paths.setdefault(path, {})[extra["method"].lower()] = described
    for public in entry.public:
        path = public.removeprefix("GET ")
        paths[path] = {"get": operation("public" + path.title().replace("/", ""), "Open to everyone", [])}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Orders API", "version": "2.1.0"},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"securitySchemes": schemes},
    }


def security_schemes(signing):
    places = {"header": signing.get("headers", {}), "query": signing.get("query", {})}
    return {
        role: {"type": "apiKey", "in": place, "name": names[role]}
        for place, names in places.items()
        for role in ("key_id", "signature")
        if role in names
    }


def operation(identifier, summary, security, parameters=(), body=None):
    described = {
        "operationId": identifier,
        "summary": summary,
        "security": security,
        "parameters": list(parameters),
        "responses": {"200": {"description": "Done", "content": {"application/json": {"schema": {"type": "object"}}}}},
    }
    if body is not None:
        kind = "object" if body == "application/json" else "string"
        described["requestBody"] = {"required": True, "content": {body: {"schema": {"type": kind}}}}
    return described


def path_parameter(name, kind, example):
    return {"name": name, "in": "path", "required": True, "schema": {"type": kind}, "example": example}


def query_parameter():
    return {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}, "example": "paper"}
