"""Admits a request only with a whole, known API key in its header.

    require_key(app, keys_by_digest.get, public={"health"})

    @app.post("/exports")
    @needs_scope("orders:export")
    def start_export(): ...
"""

import hashlib
import secrets
from functools import wraps

from flask import abort, g, request
from werkzeug.datastructures import WWWAuthenticate


def new_key(prefix="sk_"):
    """Returns a key, which its owner is shown once, and the digest to store."""
    key = prefix + secrets.token_urlsafe(32)
    return key, digest(key)


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


def require_key(app, find, public=(), header="X-API-Key"):
    """Guards every endpoint that is not named in `public`.

    `find(digest)` returns the key's record, which is then `g.key`, or None.
    """

    @app.before_request
    def admit():
        if request.endpoint in public:
            return
        g.key = find(digest(request.headers.get(header, "")))
        if g.key is None:
            abort(401, www_authenticate=WWWAuthenticate("apikey"))


def needs_scope(scope):
    """Refuses keys whose record does not list the scope."""

    def decorate(view):
        @wraps(view)
        def guarded(*args, **kwargs):
            if scope not in g.key["scopes"]:
                abort(403)
            return view(*args, **kwargs)

        return guarded

    return decorate
