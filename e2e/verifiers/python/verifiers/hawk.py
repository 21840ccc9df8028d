"""Mohawk, mounted as its guide to receiving a request shows, with the nonces kept as it asks."""

import threading
import time

import mohawk
from flask import request
from mohawk.exc import HawkFail

from .catalog import mounted
from .orders import OPERATIONS, orders, sent_url

CREDENTIALS = {
    "northwind": {"id": "northwind", "key": "c7f1a2d90b6e4f58a3d4e6b7c8f90123", "algorithm": "sha256"},
}


class Nonces:
    """Nonces that were used within the last minutes, as `seen_nonce` asks for them."""

    def __init__(self):
        self.used = {}
        self.lock = threading.Lock()

    def seen(self, sender_id, nonce, timestamp):
        with self.lock:
            now = time.monotonic()
            self.used = {key: at for key, at in self.used.items() if now - at < 300}
            key = (sender_id, nonce, timestamp)
            if key in self.used:
                return True
            self.used[key] = now
            return False


@mounted(
    "mohawk",
    library="mohawk",
    document="https://mohawk.readthedocs.io/en/latest/usage.html#receiving-a-request",
    scheme="hawk",
    signing={"preset": "hawk", "key_id": "northwind", "secret": CREDENTIALS["northwind"]["key"]},
    operations=OPERATIONS,
)
def mount(app):
    nonces = Nonces()

    def admits():
        try:
            mohawk.Receiver(
                CREDENTIALS.__getitem__,
                request.headers.get("Authorization"),
                sent_url(),
                request.method,
                content=request.get_data(),
                content_type=request.headers.get("Content-Type", ""),
                seen_nonce=nonces.seen,
            )
        except HawkFail:
            return False
        return True

    orders(app, admits, ({"error": "unauthorized"}, 401, {"WWW-Authenticate": "Hawk"}))
