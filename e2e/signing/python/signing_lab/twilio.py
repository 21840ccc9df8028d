"""Twilio: base64 HMAC-SHA1 over the full URL and the sorted form fields, undelimited.

Follows https://www.twilio.com/docs/usage/security#validating-requests, bodySHA256 for JSON included.
"""

import base64
import hashlib
import hmac

from werkzeug.middleware.proxy_fix import ProxyFix

from .catalog import Errors, Scheme, verifier
from .sent import raw_body

SECRET = "12345f0e7b21c8d94ab6"
TWILIO = Scheme(
    "twilio",
    "https://www.twilio.com/docs/usage/security#validating-requests",
    {"preset": "twilio", "encoding": "base64", "headers": {"signature": "X-Twilio-Signature"}},
    credentials=((None, SECRET),),
    gaps=("SIG-005", "SIG-011", "SIG-017", "SIG-021"),
)


def behind_proxy(app):
    """The app believes X-Forwarded-Host and -Proto, as behind a proxy that is not there."""
    return ProxyFix(app, x_proto=1, x_host=1)


@verifier(
    "twilio-forwarded-host",
    TWILIO,
    Errors("html", 403, "Forbidden"),
    defect="SIG-009",
    shows="the URL is rebuilt from X-Forwarded-Host: a request signed for another host passes here",
    arrange=behind_proxy,
)
def forwarded_host(request):
    url = f"{request.scheme}://{request.host}{request.environ['REQUEST_URI']}"
    body = raw_body(request)
    if request.mimetype == "application/x-www-form-urlencoded":
        url += "".join(name + value for name, value in sorted(request.form.items(multi=True)))
    elif body and not hmac.compare_digest(
        request.args.get("bodySHA256", "").encode(), hashlib.sha256(body).hexdigest().encode()
    ):
        return False
    expected = base64.b64encode(hmac.new(SECRET.encode(), url.encode(), hashlib.sha1).digest())
    return hmac.compare_digest(expected, request.headers.get("X-Twilio-Signature", "").encode())
