"""Admits a request only if one of our clients signed all of it, just now, and for the first time.

    secrets = {"acme": os.environ["ACME_SIGNING_SECRET"].encode()}
    require_signature(app, secrets.get, public={"/health"})

WebSockets pass it by.
"""

import hashlib
import hmac
import re
import time

from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware

WINDOW_SECONDS = 120


class Nonces:
    """Nonces seen within twice the window, in this process; the event loop runs one call at a time."""

    def __init__(self):
        self.expiry = {}

    async def first_use(self, nonce):
        now = time.monotonic()
        while self.expiry and next(iter(self.expiry.values())) <= now:
            del self.expiry[next(iter(self.expiry))]
        if nonce in self.expiry:
            return False
        self.expiry[nonce] = now + 2 * WINDOW_SECONDS
        return True


def require_signature(app, secret_of, first_use=None, public=()):
    """Verifies each request; `secret_of(key_id)` is the client's secret, as bytes, or None.

    `await first_use((key_id, nonce))` is True once. `public` names paths for everybody.
    The client's key id is then `request.state.client`.
    """
    first_use = first_use or Nonces().first_use

    async def verify(request, call_next):
        if request.url.path not in public:
            request.state.client = await signer(request, secret_of, first_use)
            if request.state.client is None:
                return JSONResponse({"error": "unauthorized"}, 401, {"WWW-Authenticate": "HMAC"})
        return await call_next(request)

    app.add_middleware(BaseHTTPMiddleware, dispatch=verify)


async def signer(request, secret_of, first_use):
    """Returns the key id of the client that signed the request, or None."""

    def one(name):
        values = request.headers.getlist(name)
        return values[0] if len(values) == 1 else ""

    key_id, timestamp, nonce, signature = map(one, ("x-key-id", "x-timestamp", "x-nonce", "x-signature"))
    secret = secret_of(key_id)
    if not secret or not re.fullmatch("[0-9]{10}", timestamp):
        return None
    if not re.fullmatch("[A-Za-z0-9_-]{16,64}", nonce) or not re.fullmatch("[0-9a-f]{64}", signature):
        return None
    if abs(time.time() - int(timestamp)) > WINDOW_SECONDS:
        return None
    # As they were sent: the path with its escapes, the query in its order.
    target = request.scope["raw_path"].decode("latin-1")
    if request.scope["query_string"]:
        target += "?" + request.scope["query_string"].decode("latin-1")
    digest = hashlib.sha256(await request.body()).hexdigest()
    lines = ["v1", key_id, timestamp, nonce, request.method, one("host"), target, one("content-type"), digest]
    expected = hmac.digest(secret, "\n".join(lines).encode("latin-1"), "sha256")
    if not hmac.compare_digest(expected, bytes.fromhex(signature)):
        return None
    # Last, so that only signed requests fill the store.
    return key_id if await first_use((key_id, nonce)) else None
