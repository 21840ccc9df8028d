"""Coinbase Exchange: base64 HMAC-SHA256 over timestamp, method, request path and body, undelimited.

Follows https://docs.cdp.coinbase.com/exchange/rest-api/authentication; the secret is base64 itself.
"""

import base64
import hashlib
import hmac
import re
import time

from .catalog import Errors, Scheme, verifier

KEY, SECRET = "4b1d7c0f9a2e", "c2lnbmluZy1sYWItY29pbmJhc2Utc2VjcmV0LTAxMjM="
HEADERS = {"timestamp": "CB-ACCESS-TIMESTAMP", "signature": "CB-ACCESS-SIGN", "key_id": "CB-ACCESS-KEY"}


def coinbase(gaps, **changed):
    signing = {"preset": "coinbase", "encoding": "base64", "clock": "s", "headers": HEADERS, **changed}
    document = "https://docs.cdp.coinbase.com/exchange/rest-api/authentication"
    return Scheme("coinbase", document, signing, credentials=((KEY, SECRET),), gaps=gaps)


def check(request, path):
    timestamp = request.headers.get("CB-ACCESS-TIMESTAMP", "")
    if request.headers.get("CB-ACCESS-KEY") != KEY or not re.fullmatch("[0-9]{10}", timestamp):
        return False
    if abs(time.time() - int(timestamp)) > 30:
        return False
    prehash = (timestamp + request.method + path).encode() + request.get_data()
    expected = base64.b64encode(hmac.new(base64.b64decode(SECRET), prehash, hashlib.sha256).digest())
    return hmac.compare_digest(expected, request.headers.get("CB-ACCESS-SIGN", "").encode())


@verifier(
    "coinbase-boundary",
    coinbase(("SIG-008", "SIG-011", "SIG-021")),
    Errors("json", 401, "invalid signature"),
    defect="SIG-013",
    shows="as documented: PUT /files/a with the body /b is PUT /files/a/b with none",
    files=True,
)
def boundary(request):
    return check(request, request.environ["REQUEST_URI"])


@verifier(
    "coinbase-query",
    coinbase(("SIG-008", "SIG-011", "SIG-013", "SIG-021"), canonical="{ts}{METHOD}{path}{body}"),
    Errors("html", 401, "Invalid API signature"),
    defect="SIG-004",
    shows="`request.path` for `requestPath` loses the query, as the Prime document asks for",
    files=True,
)
def query(request):
    return check(request, request.path)
