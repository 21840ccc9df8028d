"""AWS Signature Version 4, checked by recomputing the received request's signature with botocore's signer."""

import datetime
import hmac
import re

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from flask import request

from .catalog import mounted
from .orders import OPERATIONS, orders, sent_url

CREDENTIALS = Credentials("AKIDNORTHWIND7D1F", "kP4c8nLq0VxS2yTb6RfWm1Zd9HjEo3UgAi5CsXtB")
REGION, SERVICE = "eu-central-1", "execute-api"
REQUIRED = {"host", "x-amz-date"}
SKEW = datetime.timedelta(minutes=15)
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<scope>[^, ]+), ?SignedHeaders=(?P<headers>[^, ]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


def is_signed():
    """Whether botocore gives this request the signature that it states.

    botocore signs every header that it is given, so it is given those that the client lists. It would
    take `X-Amz-Content-SHA256` as stated, so a request with it is refused.
    """
    stated = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    stamp = request.headers.get("X-Amz-Date", "")
    if stated is None or not is_recent(stamp):
        return False
    names = stated["headers"].split(";")
    if not REQUIRED <= set(names) or "x-amz-content-sha256" in request.headers:
        return False
    if "Content-Type" in request.headers and "content-type" not in names:
        return False
    signed = AWSRequest(
        method=request.method,
        url=sent_url(),
        data=request.get_data(),
        headers={name: request.headers.get(name, "") for name in names},
    )
    signed.context["timestamp"] = stamp
    signer = SigV4Auth(CREDENTIALS, SERVICE, REGION)
    if not hmac.compare_digest(stated["scope"].encode(), signer.scope(signed).encode()):
        return False
    expected = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
    return hmac.compare_digest(stated["signature"], expected)


def is_recent(stamp):
    try:
        signed_at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return False
    return abs(datetime.datetime.now(datetime.timezone.utc) - signed_at) <= SKEW


@mounted(
    "botocore-sigv4",
    library="botocore",
    document="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html",
    scheme="sigv4",
    signing={
        "preset": "sigv4",
        "region": REGION,
        "service": SERVICE,
        "key_id": CREDENTIALS.access_key,
        "secret": CREDENTIALS.secret_key,
    },
    operations=OPERATIONS,
)
def mount(app):
    orders(app, is_signed, ({"message": "The signature we calculated does not match the one you provided."}, 403))
