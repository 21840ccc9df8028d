"""A Flask app around a mounted verifier, with its description."""

import json
import re

from flask import Flask, jsonify


def create(entry):
    """Returns the app: the verifier's routes, `/health` and `/openapi.json`."""
    app = Flask(entry.name)
    entry.mount(app)
    description = describe(entry)

    @app.get("/health")
    def health():
        return jsonify(status="up")

    @app.get("/openapi.json")
    def openapi():
        return jsonify(description)

    return app


def describe(entry):
    """Returns the OpenAPI description."""
    paths = {"/health": {"get": {"operationId": "health", "security": [], "responses": answers()}}}
    for operation in entry.operations:
        path = operation.path or operation.target.partition("?")[0]
        paths.setdefault(path, {})[operation.method.lower()] = described(operation, path)
    return {
        "openapi": "3.0.3",
        "info": {"title": entry.name, "version": "1.0.0"},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"securitySchemes": {"signature": scheme(entry.signing)}},
    }


def scheme(signing):
    header = signing.get("headers", {}).get("signature", "Authorization").partition(":")[0]
    return {"type": "apiKey", "in": "header", "name": header}


def described(operation, path):
    words = re.findall(r"\w+", path)
    described = {
        "operationId": operation.method.lower() + "".join(word.title() for word in words),
        "security": [{"signature": []}],
        "parameters": [*path_parameters(operation, path), *query_parameters(operation)],
        "responses": answers(),
    }
    if operation.content_type is not None:
        media = {"schema": {"type": "object"}}
        if operation.content_type == "application/json":
            media["example"] = json.loads(operation.body)
        else:
            fields = dict(pair.split("=") for pair in operation.body.split("&"))
            media["schema"]["properties"] = {
                name: {"type": "string", "example": value} for name, value in fields.items()
            }
        described["requestBody"] = {"required": True, "content": {operation.content_type: media}}
    return described


def path_parameters(operation, path):
    names = re.findall(r"{(\w+)}", path)
    values = re.fullmatch(re.sub(r"{\w+}", "([^/]+)", path), operation.target.partition("?")[0]).groups()
    return [parameter(name, "path", value) for name, value in zip(names, values)]


def query_parameters(operation):
    query = operation.target.partition("?")[2]
    pairs = [pair.split("=") for pair in query.split("&") if pair]
    return [parameter(name, "query", value) for name, value in pairs]


def parameter(name, place, value):
    return {"name": name, "in": place, "required": True, "schema": {"type": "string"}, "example": value}


def answers():
    return {"200": {"description": "Done"}}
