"""The credentials that a request carries in headers, for the apps with a form of their own."""

import base64
import hashlib
import hmac
import re
import time
from dataclasses import dataclass

from .catalog import CONTOSO, NORTHWIND, SECRETS, Scheme
from .orders import act_as
from .stores import Used

WINDOW_SECONDS = 300
ENCODE = {
    "hex": bytes.hex,
    "base64": lambda raw: base64.b64encode(raw).decode(),
    "base64url": lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
}
used = Used(2 * WINDOW_SECONDS)


def own_form(canonical, headers, algorithm="hmac-sha256", encoding="hex", clock="s", credentials=(NORTHWIND, CONTOSO)):
    """A scheme in the manner of Hawk and Azure SharedKey: a header each, HMAC over joined fields."""
    signing = {"canonical": canonical, "algorithm": algorithm, "encoding": encoding, "headers": headers, "clock": clock}
    return Scheme("own form", "in-house, after Hawk's normalized request string", signing, credentials)


@dataclass
class Sent:
    """The headers of one request, empty where absent."""

    scheme: Scheme
    key_id: str
    timestamp: str
    nonce: str
    signature: str

    def __init__(self, request, scheme):
        self.scheme = scheme
        names = scheme.signing["headers"]
        for field in ("key_id", "timestamp", "nonce", "signature"):
            setattr(self, field, request.headers.get(names[field], "") if field in names else "")

    def fresh(self, window=WINDOW_SECONDS):
        """Whether the timestamp is digits of the right length and at most `window` seconds off."""
        milliseconds = self.scheme.signing["clock"] == "ms"
        if not re.fullmatch("[0-9]{13}" if milliseconds else "[0-9]{10}", self.timestamp):
            return False
        sent = int(self.timestamp) / (1000 if milliseconds else 1)
        return abs(time.time() - sent) <= window

    def expected(self, message, secret):
        digest = self.scheme.signing["algorithm"].removeprefix("hmac-")
        raw = hmac.new(secret, message.encode() if isinstance(message, str) else message, digest).digest()
        return ENCODE[self.scheme.signing["encoding"]](raw)

    def signs(self, message):
        """Whether the signature is the one that the key's owner makes for `message`."""
        secret = SECRETS.get(self.key_id)
        if secret is None:
            return False
        return hmac.compare_digest(self.expected(message, secret).encode(), self.signature.encode())

    def first_use(self):
        """Whether the nonce is well-formed and was never used with this key."""
        return bool(re.fullmatch(r"[A-Za-z0-9_-]{12,64}", self.nonce)) and used.add((self.key_id, self.nonce))

    def admitted(self):
        return self.first_use() and act_as(self.key_id)


def lines(*fields):
    return "\n".join(fields)


def sha256hex(raw):
    return hashlib.sha256(raw).hexdigest()


def target(request):
    """The path and query as they were sent, still encoded."""
    return request.environ["REQUEST_URI"]


def raw_body(request):
    """The body's bytes, read before anything parses a form."""
    return request.get_data(cache=True, parse_form_data=False)
