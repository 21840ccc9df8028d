"""OAuthLib's endpoint that verifies signatures only, with the validator that its guide to OAuth 1 providers asks for."""

import threading
import time

from flask import request
from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

from .catalog import mounted
from .orders import OPERATIONS, orders, sent_url

SECRETS = {"northwind_consumer_key_7d1f": "a1d4c69e50f2b7384c1e8d20f6b3957a"}


class Validator(RequestValidator):
    """Knows the clients and the nonces of the last ten minutes."""

    enforce_ssl = False  # it listens on loopback
    dummy_client = "dummy_client_of_the_provider"

    def __init__(self):
        super().__init__()
        self.used = {}
        self.lock = threading.Lock()

    def check_client_key(self, client_key):
        return 10 <= len(client_key) <= 40 and client_key.replace("_", "").isalnum()

    def check_nonce(self, nonce):
        return 8 <= len(nonce) <= 64 and nonce.isascii()

    def validate_client_key(self, client_key, request):
        return client_key in SECRETS

    def get_client_secret(self, client_key, request):
        return SECRETS.get(client_key, "secret_of_the_dummy_client_7a1")

    def validate_timestamp_and_nonce(
        self, client_key, timestamp, nonce, request, request_token=None, access_token=None
    ):
        with self.lock:
            now = time.monotonic()
            self.used = {key: at for key, at in self.used.items() if now - at < 1200}
            key = (client_key, timestamp, nonce)
            if key in self.used:
                return False
            self.used[key] = now
            return True


@mounted(
    "oauthlib",
    library="oauthlib",
    document="https://oauthlib.readthedocs.io/en/latest/oauth1/endpoints/signature_only.html",
    scheme="oauth1",
    signing={"preset": "oauth1", "key_id": next(iter(SECRETS)), "secret": next(iter(SECRETS.values()))},
    operations=OPERATIONS,
)
def mount(app):
    endpoint = SignatureOnlyEndpoint(Validator())

    def admits():
        body = request.get_data(as_text=True)
        valid, _ = endpoint.validate_request(sent_url(), request.method, body, dict(request.headers))
        return valid

    orders(app, admits, ({"error": "invalid signature"}, 401, {"WWW-Authenticate": "OAuth"}))
