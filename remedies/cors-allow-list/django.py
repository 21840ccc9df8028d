"""Lets pages of the listed origins, and of no others, read answers.

    # settings.py; before what asks for credentials: a preflight carries none
    MIDDLEWARE = ["shop.origins.allow_origins", ...]
    ALLOWED_ORIGINS = {"https://shop.example"}
    ALLOWED_HEADERS = "X-API-Key, Content-Type"
"""

from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers

METHODS = "GET, POST, PUT, PATCH, DELETE"


def allow_origins(get_response):
    def allow(request):
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if is_preflight else get_response(request)
        patch_vary_headers(response, ["Origin"])
        origin = request.headers.get("Origin")
        if origin in settings.ALLOWED_ORIGINS:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = settings.ALLOWED_HEADERS
            response.headers["Access-Control-Allow-Methods"] = METHODS
        return response

    return allow
