"""AWS Signature Version 4 in the Authorization header, as an S3-like service verifies it.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime

from .catalog import Errors, Scheme, verifier
from .sent import raw_body, sha256hex

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION, SERVICE = "eu-central-1", "orders"
SIGNING = {
    "preset": "sigv4",
    "region": REGION,
    "service": SERVICE,
    "encoding": "hex",
    "components": ["content-type", "host", "x-amz-content-sha256", "x-amz-date"],
    "headers": {"signature": "Authorization", "timestamp": "X-Amz-Date"},
}
DOCUMENT = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"
SIGV4 = Scheme("sigv4", DOCUMENT, SIGNING, credentials=((KEY, SECRET),), gaps=("SIG-021",))
AUTHORIZATION = re.compile(
    "AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/([0-9]{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, ?"
    "SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)


def check(request, required, body_digest):
    """Whether the request is signed over at least the headers `required`, with this digest of the body."""
    parsed = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    date = request.headers.get("X-Amz-Date", "")
    if not parsed or not re.fullmatch("[0-9]{8}T[0-9]{6}Z", date):
        return False
    key, day, region, service, signed, given = parsed.groups()
    if (key, region, service) != (KEY, REGION, SERVICE) or not date.startswith(day):
        return False
    try:
        sent = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    names = signed.split(";")
    required = [name for name in required if name != "content-type" or name in request.headers]
    if abs((datetime.now(UTC) - sent).total_seconds()) > 900 or not set(required) <= set(names):
        return False
    expected = sign(day, string_to_sign(request, date, names, body_digest))
    return hmac.compare_digest(expected.encode(), given.encode())


def string_to_sign(request, date, names, body_digest):
    path, _, query = request.environ["REQUEST_URI"].partition("?")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    sorted_query = "&".join(sorted(part if "=" in part else part + "=" for part in query.split("&") if part))
    canonical = "\n".join((request.method, path, sorted_query, headers, ";".join(names), body_digest))
    scope = f"{date[:8]}/{REGION}/{SERVICE}/aws4_request"
    return f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def sign(day, text):
    key = ("AWS4" + SECRET).encode()
    for part in (day, REGION, SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def honest_digest(request):
    """The declared body digest, if it is the body's; else one that no signature matches."""
    declared = request.headers.get("X-Amz-Content-Sha256", "")
    return declared if declared == sha256hex(raw_body(request)) else "mismatch"


@verifier("sigv4-strict", SIGV4, Errors("xml", 403, "The request signature we calculated does not match."), files=True)
def strict(request):
    return check(request, SIGNING["components"], honest_digest(request))


@verifier(
    "sigv4-declared-digest",
    SIGV4,
    Errors("xml", 403, "La firma calculada no coincide.", "es"),
    defect="SIG-035",
    shows="X-Amz-Content-Sha256 is signed and believed: the body itself is never hashed",
    also=("SIG-010",),
)
def declared_digest(request):
    return check(request, SIGNING["components"], request.headers.get("X-Amz-Content-Sha256", ""))


@verifier(
    "sigv4-chosen-headers",
    SIGV4,
    Errors("xml", 403, "SignatureDoesNotMatch"),
    defect="SIG-036",
    shows="SignedHeaders is the client's choice: without `host` in it any host does",
)
def chosen_headers(request):
    return check(request, ("x-amz-date",), honest_digest(request))
