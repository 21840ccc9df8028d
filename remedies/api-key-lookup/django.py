"""Admits a request only with a whole, known API key in its header.

    # settings.py
    MIDDLEWARE = ["shop.keys.require_key", ...]
    KEY_LOOKUP = "shop.models.key_of_digest"
    KEYLESS_PATHS = {"/health"}

    # models.py
    def key_of_digest(digest):
        return ApiKey.objects.filter(digest=digest).first()
"""

import hashlib
import secrets

from django.conf import settings
from django.http import JsonResponse
from django.utils.module_loading import import_string


def new_key(prefix="sk_"):
    """Returns a key, which its owner is shown once, and the digest to store."""
    key = prefix + secrets.token_urlsafe(32)
    return key, digest(key)


def digest(key):
    return hashlib.sha256(key.encode()).hexdigest()


def require_key(get_response):
    """Middleware; the record of the key is then `request.key`."""
    find = import_string(settings.KEY_LOOKUP)

    def admit(request):
        if request.path not in settings.KEYLESS_PATHS:
            request.key = find(digest(request.headers.get("X-API-Key", "")))
            if request.key is None:
                return JsonResponse({"error": "unauthorized"}, status=401, headers={"WWW-Authenticate": "ApiKey"})
        return get_response(request)

    return admit
