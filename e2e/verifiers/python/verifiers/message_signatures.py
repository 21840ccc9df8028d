"""http-message-signatures (RFC 9421), mounted as its README shows: bare, and with the coverage that it asks callers to require."""

from flask import request
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature, algorithms

from .catalog import mounted
from .orders import OPERATIONS, orders, sent_url

KEYS = {"northwind": b"e0b7c1d54a9f48c3b26d7f81a5c93e60"}
SIGNING = {
    "preset": "rfc9421",
    "key_id": "northwind",
    "secret": KEYS["northwind"].decode(),
    "components": ["@method", "@authority", "@target-uri", "content-type", "content-digest"],
}
DOCUMENT = "https://github.com/pyauth/http-message-signatures/blob/main/README.rst"


class Resolver(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id):
        return KEYS[key_id]

    def resolve_private_key(self, key_id):
        return KEYS[key_id]


class Received:
    """What the verifier reads of a request: method, URL as sent, and headers."""

    def __init__(self):
        self.method = request.method
        self.url = sent_url()
        self.headers = dict(request.headers)


def guard(app, **required):
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=Resolver())

    def admits():
        try:
            verifier.verify(Received(), body=request.get_data(), **required)
        except InvalidSignature:
            return False
        return True

    orders(app, admits, ({"error": "invalid http message signature"}, 401))


OPTIONS = {
    "library": "http-message-signatures",
    "document": DOCUMENT,
    "scheme": "rfc9421",
    "signing": SIGNING,
    "operations": OPERATIONS,
}


@mounted("http-message-signatures-python", **OPTIONS)
def mount_as_shown(app):
    guard(app)


@mounted("http-message-signatures-python-required", **OPTIONS)
def mount_with_required_components(app):
    guard(app, require_components=("@method", "@authority", "@target-uri"))
