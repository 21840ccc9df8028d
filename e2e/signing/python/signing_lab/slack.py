"""Slack's request signature: `X-Slack-Signature: v0=…`, HMAC-SHA256 over `v0:timestamp:body`.

Follows https://docs.slack.dev/authentication/verifying-requests-from-slack/.
"""

import hashlib
import hmac
import time

from .catalog import Errors, Scheme, verifier

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
HEADERS = {"timestamp": "X-Slack-Request-Timestamp", "signature": "X-Slack-Signature"}
SLACK = Scheme(
    "slack",
    "https://docs.slack.dev/authentication/verifying-requests-from-slack/",
    {"preset": "slack", "encoding": "hex", "clock": "s", "headers": HEADERS},
    credentials=((None, SECRET),),
    gaps=("SIG-004", "SIG-005", "SIG-006", "SIG-008", "SIG-011", "SIG-021"),
)


def signature(timestamp, body):
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()


@verifier(
    "slack-future",
    SLACK,
    Errors("ok-false", 200, "invalid_signature"),
    defect="SIG-019",
    shows="only requests from the past are too old",
)
def future(request):
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    if not timestamp.isdecimal() or not timestamp.isascii() or len(timestamp) > 12:
        return False
    if time.time() - int(timestamp) > 60 * 5:
        return False
    sent = request.headers.get("X-Slack-Signature", "")
    return hmac.compare_digest(signature(timestamp, request.get_data()).encode(), sent.encode())
