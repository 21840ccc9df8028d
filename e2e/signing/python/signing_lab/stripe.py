"""Stripe's webhook signature: `Stripe-Signature: t=…,v1=…`, HMAC-SHA256 over `t.body`.

Follows https://docs.stripe.com/webhooks/signature (Verify manually).
"""

import hashlib
import hmac
import re
import time

from .catalog import Errors, Scheme, verifier
from .sent import raw_body
from .stores import Used

SECRET = "whsec_5c1f7e90d2ab4836"
STRIPE = Scheme(
    "stripe",
    "https://docs.stripe.com/webhooks/signature",
    {"preset": "stripe", "encoding": "hex", "clock": "s", "headers": {"signature": "Stripe-Signature"}},
    credentials=((None, SECRET),),
    gaps=("SIG-004", "SIG-005", "SIG-006", "SIG-008", "SIG-011", "SIG-021"),
)


def parse(header):
    """Returns the time and the signatures by scheme, as `t=1,v1=a,v1=b` has them."""
    pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
    timestamp = next((value for name, value in pairs if name == "t"), "")
    return timestamp, pairs


def signature(timestamp, body):
    return hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def matches(request, tolerance, schemes=("v1",)):
    timestamp, pairs = parse(request.headers.get("Stripe-Signature", ""))
    if not re.fullmatch("[0-9]{10}", timestamp) or abs(time.time() - int(timestamp)) > tolerance:
        return False
    expected = signature(timestamp, raw_body(request)).encode()
    return any(hmac.compare_digest(expected, value.encode()) for name, value in pairs if name in schemes)


@verifier("stripe-as-documented", STRIPE, Errors("json", 400, "No signatures found matching the expected signature"))
def as_documented(request):
    return matches(request, tolerance=300)


@verifier(
    "stripe-three-days",
    STRIPE,
    Errors("text", 400, "Webhook Error: invalid signature"),
    defect="SIG-018",
    shows="the tolerance is three days instead of five minutes",
)
def three_days(request):
    return matches(request, tolerance=3 * 86400)


@verifier(
    "stripe-v0-accepted",
    STRIPE,
    Errors("json", 400, "Ungültige Signatur", "de"),
    defect="SIG-026",
    shows="`v0`, the form of test events with an empty secret here, is accepted beside v1",
)
def v0_accepted(request):
    timestamp, pairs = parse(request.headers.get("Stripe-Signature", ""))
    if not re.fullmatch("[0-9]{10}", timestamp) or abs(time.time() - int(timestamp)) > 300:
        return False
    body = raw_body(request)
    test = hmac.new(b"", timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    expected = {"v0": test, "v1": signature(timestamp, body)}
    return any(hmac.compare_digest(expected.get(name, "").encode(), value.encode()) for name, value in pairs if value)


STRIPE_ONCE = Scheme(
    STRIPE.name,
    STRIPE.document,
    STRIPE.signing,
    STRIPE.credentials,
    tuple(gap for gap in STRIPE.gaps if gap != "SIG-021"),
)
delivered = Used(600)


@verifier(
    "stripe-once",
    STRIPE_ONCE,
    Errors("problem", 400, "Signature verification failed"),
    nonce_store=True,
)
def once(request):
    timestamp, _ = parse(request.headers.get("Stripe-Signature", ""))
    return matches(request, tolerance=300) and delivered.add((timestamp, raw_body(request)))
