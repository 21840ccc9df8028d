"""Admits a request only if one of our clients signed all of it, just now, and for the first time.

    secrets = {"acme": os.environ["ACME_SIGNING_SECRET"].encode()}
    require_signature(app, secrets.get, public={"health"})

The server must pass the target on as it was sent: gunicorn, uWSGI, waitress and mod_wsgi do.
"""

import hashlib
import hmac
import re
import threading
import time

from flask import abort, g, request
from werkzeug.datastructures import WWWAuthenticate

WINDOW_SECONDS = 120


class Nonces:
    """Nonces seen within twice the window, in this process."""

    def __init__(self):
        self.lock = threading.Lock()
        self.expiry = {}

    def first_use(self, nonce):
        now = time.monotonic()
        with self.lock:
            while self.expiry and next(iter(self.expiry.values())) <= now:
                del self.expiry[next(iter(self.expiry))]
            if nonce in self.expiry:
                return False
            self.expiry[nonce] = now + 2 * WINDOW_SECONDS
            return True


def require_signature(app, secret_of, first_use=None, public=()):
    """Verifies each request; `secret_of(key_id)` is the client's secret, as bytes, or None.

    `first_use((key_id, nonce))` is True once. `public` names endpoints for everybody.
    The client's key id is then `g.client`.
    """
    first_use = first_use or Nonces().first_use

    @app.before_request
    def verify():
        # The bytes as they arrived, and before anybody reads request.form, which leaves none.
        body = request.get_data(cache=True, parse_form_data=False)
        if request.endpoint in public:
            return
        g.client = signer(body, secret_of, first_use)
        if g.client is None:
            abort(401, www_authenticate=WWWAuthenticate("hmac"))


def signer(body, secret_of, first_use):
    """Returns the key id of the client that signed the request, or None."""
    key_id, timestamp, nonce, signature = (
        request.headers.get(name, "") for name in ("X-Key-Id", "X-Timestamp", "X-Nonce", "X-Signature")
    )
    secret = secret_of(key_id)
    if not secret or not re.fullmatch("[0-9]{10}", timestamp):
        return None
    if not re.fullmatch("[A-Za-z0-9_-]{16,64}", nonce) or not re.fullmatch("[0-9a-f]{64}", signature):
        return None
    if abs(time.time() - int(timestamp)) > WINDOW_SECONDS:
        return None
    target = request.environ.get("RAW_URI") or request.environ["REQUEST_URI"]
    lines = [
        "v1", key_id, timestamp, nonce, request.method, request.headers.get("Host", ""), target,
        request.headers.get("Content-Type", ""), hashlib.sha256(body).hexdigest(),
    ]  # fmt: skip
    expected = hmac.digest(secret, "\n".join(lines).encode("latin-1"), "sha256")
    if not hmac.compare_digest(expected, bytes.fromhex(signature)):
        return None
    # Last, so that only signed requests fill the store.
    return key_id if first_use((key_id, nonce)) else None
