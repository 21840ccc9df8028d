"""Admits a request only with a whole, known API key in its header.

    key = key_lookup(keys_by_digest.get)
    app = FastAPI(dependencies=[Depends(key)])          # every route; public ones go into another app

    @app.post("/exports", dependencies=[Depends(needs_scope("orders:export"))])
    def start_export(record=Depends(key)): ...
"""

import hashlib
import secrets

from fastapi import HTTPException, Request, Security
from fastapi.security import APIKeyHeader


def new_key(prefix="sk_"):
    """Returns a key, which its owner is shown once, and the digest to store."""
    key = prefix + secrets.token_urlsafe(32)
    return key, digest(key)


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


def key_lookup(find, header="X-API-Key"):
    """Returns a dependency that gives the record of the request's key; `find(digest)` finds it."""

    def admit(request: Request, key: str | None = Security(APIKeyHeader(name=header, auto_error=False))):
        request.state.key = find(digest(key or ""))
        if request.state.key is None:
            raise HTTPException(401, headers={"WWW-Authenticate": "ApiKey"})
        return request.state.key

    return admit


def needs_scope(scope):
    """Returns a dependency that refuses keys whose record does not list the scope."""

    def check(request: Request):
        if scope not in request.state.key["scopes"]:
            raise HTTPException(403)

    return check
