"""The orders API in Django: careless, or with the remedies that are named.

    python e2e/mended/django_orders.py PORT keyed|signed [REMEDY...]
"""

import json
import secrets
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from waitress import serve

import before

sys.path.append(str(Path(__file__).parents[1]))
from remedy import remedy

PUBLIC = {"/openapi.json"}

port, guard, *remedies = sys.argv[1:]


def careless(get_response):
    def check(request):
        if request.path in PUBLIC:
            return get_response(request)
        if guard == "signed":
            good = before.signed_as_in_the_article(
                request.headers.get("X-Timestamp"),
                request.headers.get("X-Signature"),
                request.method,
                request.path,
                request.body.decode(errors="replace"),
            )
        else:
            key = request.headers.get("X-API-Key")
            request.key = before.client_of(key)
            good = before.known(key)
        return get_response(request) if good else JsonResponse({"error": "unauthorized"}, status=401)

    return check


def reflect_every_origin(get_response):
    def reflect(request):
        response = get_response(request)
        response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
        response.headers["Access-Control-Allow-Credentials"] = "true"
        return response

    return reflect


# Each stands in this module under the name by which MIDDLEWARE finds it.
MENDING = {
    "cors-allow-list": "allow_origins",
    "no-store-answers": "forbid_storing",
    "security-headers": "set_policy",
    "generic-errors": "AnswerErrorsGenerically",
    "verify-signature": "require_signature",
    "api-key-lookup": "require_key",
}
middleware = ["django.middleware.security.SecurityMiddleware"] if "security-headers" in remedies else []
middleware += [] if "cors-allow-list" in remedies else ["reflect_every_origin"]
for name, function in MENDING.items():
    if name in remedies:
        globals()[function] = getattr(remedy(name, "django"), function)
        middleware.append(function)
if not {"verify-signature", "api-key-lookup"} & set(remedies):
    middleware.append("careless")
key_of_digest = before.digests().get

settings.configure(
    ALLOWED_HOSTS=["*"],
    ALLOWED_HEADERS="X-API-Key",
    ALLOWED_ORIGINS={"https://shop.example"},
    DEBUG="generic-errors" not in remedies,
    KEYLESS_PATHS=PUBLIC,
    KEY_LOOKUP=f"{__name__}.key_of_digest",
    MIDDLEWARE=[name if "." in name else f"{__name__}.{name}" for name in middleware],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_urlsafe(48),
    SECURE_REFERRER_POLICY="no-referrer",
    SIGNING_SECRETS=before.SECRETS,
    UNSIGNED_PATHS=PUBLIC,
)
django.setup()


def own(request):
    return before.ORDERS[request.key["name"] if guard == "keyed" else "acme"]


def list_orders(request):
    return JsonResponse({"orders": own(request)})


def read_order(request, number):
    if "generic-errors" in remedies and not number.isdecimal():
        raise BadRequest
    found = [order for order in own(request) if order["id"] == int(number)]
    return JsonResponse(found[0]) if found else JsonResponse({"error": "not found"}, status=404)


def find_orders(request):
    return JsonResponse({"orders": [order for order in own(request) if request.GET.get("q", "") in order["item"]]})


def echo(request):
    try:
        return JsonResponse({"received": json.loads(request.body)})
    except ValueError:
        raise BadRequest from None


def read_profile(request):
    return JsonResponse({"name": request.key["name"], "plan": request.key["plan"]})


def openapi(request):
    return JsonResponse(before.description(guard))


urlpatterns = [
    path("orders", list_orders),
    path("orders/<str:number>", read_order),
    path("search", find_orders),
    path("echo", echo),
    path("profile", read_profile),
    path("openapi.json", openapi),
]

if __name__ == "__main__":
    serve(get_wsgi_application(), host="127.0.0.1", port=int(port), threads=8)
