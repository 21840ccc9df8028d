"""Admits a request only if one of our clients signed all of it, just now, and for the first time.

    # settings.py; the first entry, so that nothing reads request.POST before it
    MIDDLEWARE = ["shop.signatures.require_signature", ...]
    SIGNING_SECRETS = {"acme": os.environ["ACME_SIGNING_SECRET"].encode()}
    UNSIGNED_PATHS = {"/health"}

CACHES must name a cache that all processes share, such as Redis. The server must pass the target
on as it was sent: gunicorn, uWSGI, waitress and mod_wsgi do, `runserver` does not.
"""

import hashlib
import hmac
import re
import time

from django.conf import settings
from django.core.cache import cache
from django.http import JsonResponse

WINDOW_SECONDS = 120


def require_signature(get_response):
    """Middleware; the client's key id is then `request.client`."""

    def verify(request):
        if request.path not in settings.UNSIGNED_PATHS:
            request.client = signer(request)
            if request.client is None:
                return JsonResponse({"error": "unauthorized"}, status=401, headers={"WWW-Authenticate": "HMAC"})
        return get_response(request)

    return verify


def signer(request):
    """Returns the key id of the client that signed the request, or None."""
    key_id, timestamp, nonce, signature = (
        request.META.get(name, "") for name in ("HTTP_X_KEY_ID", "HTTP_X_TIMESTAMP", "HTTP_X_NONCE", "HTTP_X_SIGNATURE")
    )
    secret = settings.SIGNING_SECRETS.get(key_id)
    if not secret or not re.fullmatch("[0-9]{10}", timestamp):
        return None
    if not re.fullmatch("[A-Za-z0-9_-]{16,64}", nonce) or not re.fullmatch("[0-9a-f]{64}", signature):
        return None
    if abs(time.time() - int(timestamp)) > WINDOW_SECONDS:
        return None
    meta = request.META
    target = meta.get("RAW_URI") or meta["REQUEST_URI"]
    digest = hashlib.sha256(request.body).hexdigest()
    lines = [
        "v1", key_id, timestamp, nonce, request.method, meta.get("HTTP_HOST", ""), target,
        meta.get("CONTENT_TYPE", ""), digest,
    ]  # fmt: skip
    expected = hmac.digest(secret, "\n".join(lines).encode("latin-1"), "sha256")
    if not hmac.compare_digest(expected, bytes.fromhex(signature)):
        return None
    # Last, so that only signed requests fill the store; `add` is true once.
    return key_id if cache.add(f"nonce:{key_id}:{nonce}", 1, 2 * WINDOW_SECONDS) else None
