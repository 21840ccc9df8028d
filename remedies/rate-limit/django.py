"""Limits failed tries per client address.

    @limited(most=5, seconds=60)
    def login(request): ...                # a failure is an answer with the status 401

CACHES must name a cache that all processes share, such as Redis.
"""

from functools import wraps

from django.core.cache import cache
from django.http import JsonResponse


def limited(most, seconds):
    """Lets an address fail `most` times before it waits; each period begins with its first failure."""

    def decorate(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            name = f"tries:{view.__name__}:{request.META['REMOTE_ADDR']}"
            cache.add(name, 0, seconds)
            # Counted before the secret is checked, taken back when that went well.
            if cache.incr(name) > most:
                return JsonResponse({"error": "too many requests"}, status=429, headers={"Retry-After": str(seconds)})
            response = view(request, *args, **kwargs)
            if response.status_code != 401:
                cache.decr(name)
            return response

        return guarded

    return decorate
