"""Binance: `signature` is the last query parameter, HMAC-SHA256 over query and body, undelimited.

Follows https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security.
"""

import hashlib
import hmac
import re
import time

from .catalog import Errors, Scheme, verifier

KEY, SECRET = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP"
SIGNING = {
    "preset": "binance",
    "encoding": "hex",
    "clock": "ms",
    "headers": {"key_id": "X-MBX-APIKEY"},
    "query": {"signature": "signature", "timestamp": "timestamp"},
}
DOCUMENT = "https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security"
GAPS = ("SIG-005", "SIG-006", "SIG-008", "SIG-011", "SIG-021")
BINANCE = Scheme("binance", DOCUMENT, SIGNING, credentials=((KEY, SECRET),), gaps=(*GAPS, "SIG-013"))
QUERY_ONLY = Scheme("binance", DOCUMENT, {**SIGNING, "canonical": "{query}"}, credentials=((KEY, SECRET),), gaps=GAPS)


def check(request, most_ms, body):
    head, mark, given = request.query_string.decode("latin-1").rpartition("&signature=")
    parameters = request.args
    timestamp, window = parameters.get("timestamp", ""), parameters.get("recvWindow", "5000")
    if not mark or request.headers.get("X-MBX-APIKEY") != KEY:
        return False
    if not re.fullmatch("[0-9]{13}", timestamp) or not re.fullmatch("[0-9]{1,15}", window):
        return False
    age = time.time() * 1000 - int(timestamp)
    if not -1000 < age <= min(int(window), most_ms):
        return False
    expected = hmac.new(SECRET.encode(), head.encode("latin-1") + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode())


@verifier(
    "binance-client-window",
    BINANCE,
    Errors("coded", 400, "Signature for this request is not valid."),
    defect="SIG-017",
    shows="`recvWindow` has no maximum: the client says how old a request may be",
)
def client_window(request):
    return check(request, most_ms=10**15, body=request.get_data())


@verifier(
    "binance-query-only",
    QUERY_ONLY,
    Errors("json", 401, "Firma de la solicitud no válida", "es"),
    defect="SIG-010",
    shows="`totalParams` is read as the query alone; the body is free",
)
def query_only(request):
    return check(request, most_ms=60_000, body=b"")
