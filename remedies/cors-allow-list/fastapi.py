"""Lets pages of the listed origins, and of no others, read answers.

    allow_origins(app, ["https://shop.example"], headers=["X-API-Key", "Content-Type"])

It is added last, so that preflights, which carry no credentials, reach it first.
"""

from starlette.middleware.cors import CORSMiddleware


def allow_origins(app, origins, headers, methods=("GET", "POST", "PUT", "PATCH", "DELETE")):
    app.add_middleware(CORSMiddleware, allow_origins=origins, allow_headers=headers, allow_methods=methods)
