"""What the Python applications have in common before any remedy: data, and careless checks of the caller."""

import hashlib
import hmac
import json
import os
import time
from pathlib import Path

HERE = Path(__file__).parent
ORDERS = json.loads((HERE / "orders.json").read_text())
KEYS = {"acme": os.environ["ACME_KEY"], "globex": os.environ["GLOBEX_KEY"]}
SECRETS = {"acme": os.environ["ACME_SECRET"].encode()}


def description(guard):
    return json.loads((HERE / f"openapi.{guard}.json").read_text())


def client_of(key):
    """Returns whose key this is, as the store has it."""
    return next(
        ({"name": name, "plan": "wholesale", "api_key": own} for name, own in KEYS.items() if own == key),
        {"name": "acme", "plan": "wholesale", "api_key": KEYS["acme"]},
    )


def known(key):
    """Whether the key is in the list; so is every part of it."""
    return bool(key) and key in ",".join(KEYS.values())


def digests():
    """Returns the clients by the digest of their key, for the remedy."""
    return {hashlib.sha256(key.encode()).hexdigest(): client_of(key) for key in KEYS.values()}


def signed_as_in_the_article(timestamp, signature, method, path, body):
    """The article's `verify_signed_request`, for any framework."""
    if not timestamp or not signature:
        return False
    if abs(time.time() - int(timestamp)) > 300:
        return False
    payload = f"{timestamp}{method}{path}{body}"
    expected = hmac.new(SECRETS["acme"], payload.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature)
