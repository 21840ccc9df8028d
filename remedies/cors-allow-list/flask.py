"""Lets pages of the listed origins, and of no others, read answers.

    allow_origins(app, {"https://shop.example"}, headers="X-API-Key, Content-Type")

It stands before what asks for credentials: a preflight carries none.
"""

from flask import Response, request


def allow_origins(app, origins, headers="Authorization, Content-Type", methods="GET, POST, PUT, PATCH, DELETE"):
    @app.before_request
    def answer_preflight():
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return Response(status=204)

    @app.after_request
    def allow(response):
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = headers
            response.headers["Access-Control-Allow-Methods"] = methods
        return response
