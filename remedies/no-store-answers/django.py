"""Keeps every answer out of caches, except those whose view set Cache-Control.

    # settings.py
    MIDDLEWARE = ["shop.caching.forbid_storing", ...]
"""


def forbid_storing(get_response):
    def forbid(request):
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return forbid
