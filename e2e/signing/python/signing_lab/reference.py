"""The recommended reference, behind seven arrangements that a scan must not be misled by.

Follows docs: one field per line, versioned, key id looked up per client, host, raw target, content
type and body digest covered, a nonce that is stored for twice the window, bytes compared, one refusal.
"""

import hmac
import re
import time

from .catalog import SECRETS, Errors, Scheme, verifier
from .orders import act_as
from .sent import lines, raw_body, sha256hex, target
from .stores import Used

WINDOW_SECONDS = 120
nonces = Used(2 * WINDOW_SECONDS)


def reference_scheme(timestamp, nonce, signature, key_id):
    headers = {"timestamp": timestamp, "nonce": nonce, "signature": signature, "key_id": key_id}
    canonical = "v1\n{key_id}\n{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}"
    signing = {"canonical": canonical, "algorithm": "hmac-sha256", "encoding": "hex", "headers": headers, "clock": "s"}
    return Scheme("reference", "docs: the recommended reference", signing)


def verify_reference(request, names):
    """Whether the request is signed as the reference says. Every check is on exact spellings."""
    key_id = request.headers.get(names["key_id"], "")
    timestamp = request.headers.get(names["timestamp"], "")
    nonce = request.headers.get(names["nonce"], "")
    signature = request.headers.get(names["signature"], "")
    secret = SECRETS.get(key_id)
    if secret is None or not re.fullmatch("[0-9]{10}", timestamp):
        return False
    if abs(time.time() - int(timestamp)) > WINDOW_SECONDS:
        return False
    if not re.fullmatch("[A-Za-z0-9_-]{16,64}", nonce) or not re.fullmatch("[0-9a-f]{64}", signature):
        return False
    message = lines(
        "v1",
        key_id,
        timestamp,
        nonce,
        request.method,
        request.headers.get("Host", ""),
        target(request),
        request.headers.get("Content-Type", ""),
        sha256hex(raw_body(request)),
    )
    expected = hmac.digest(secret, message.encode("latin-1"), "sha256")
    if not hmac.compare_digest(expected, bytes.fromhex(signature)):
        return False
    return nonces.add((key_id, nonce)) and act_as(key_id)


def hardened(name, headers, errors, **options):
    scheme = reference_scheme(*headers)
    names = scheme.signing["headers"]
    verifier(name, scheme, errors, nonce_store=True, files=True, **options)(
        lambda request: verify_reference(request, names)
    )


hardened(
    "reference-json",
    ("X-Timestamp", "X-Nonce", "X-Signature", "X-Key-Id"),
    Errors("json", 401, "unauthorized"),
    guards="routes",
)
hardened(
    "reference-slow",
    ("X-Zeitstempel", "X-Einmalwert", "X-Signatur", "X-Schluessel"),
    Errors("json", 401, "Die Anfrage ist nicht gültig signiert.", "de", delay_ms=300),
    guards="routes",
)
hardened(
    "reference-ok-false",
    ("X-Marca-Tiempo", "X-Unico", "X-Firma", "X-Cliente"),
    Errors("ok-false", 200, "firma_no_valida", "es"),
)
hardened(
    "reference-all-401",
    ("Acme-Time", "Acme-Nonce", "Acme-Signature", "Acme-Key"),
    Errors("coded", 401, "Authentication required"),
)
hardened(
    "reference-html",
    ("X-Request-Time", "X-Request-Nonce", "X-Request-Signature", "X-Api-Key-Id"),
    Errors("html", 403, "Acesso negado", "pt"),
)


def open_catalog(app):
    """A public route beside the signed ones; its answer may be stored by anyone."""

    @app.get("/catalog")
    def public_catalog():
        response = app.extensions["orders"](items=["espresso beans 5 kg", "paper filters", "oat drink 1 l"])
        response.headers["Cache-Control"] = "public, max-age=60"
        return response


hardened(
    "reference-public-route",
    ("Ts", "Nonce", "Sig", "Kid"),
    Errors("text", 400, "Bad Request"),
    guards="routes",
    public=("GET /catalog",),
    arrange=open_catalog,
)


def cached(app):
    """The app behind a shared cache that keeps what is public and nothing else (RFC 9111, section 3)."""
    open_catalog(app)
    stored = {}

    def cache(environ, start_response):
        key = (environ["HTTP_HOST"], environ["REQUEST_URI"])
        if environ["REQUEST_METHOD"] == "GET" and key in stored:
            kept_at, status, headers, body = stored[key]
            if time.time() - kept_at < 60:
                start_response(status, [*headers, ("Age", str(int(time.time() - kept_at))), ("X-Cache", "HIT")])
                return [body]
        seen = {}

        def keep(status, headers, exc_info=None):
            seen.update(status=status, headers=list(headers))
            return start_response(status, [*headers, ("X-Cache", "MISS")], exc_info)

        body = b"".join(app(environ, keep))
        public = any(name == "Cache-Control" and "public" in value for name, value in seen["headers"])
        if public and environ["REQUEST_METHOD"] == "GET" and len(stored) < 1000:
            stored[key] = (time.time(), seen["status"], seen["headers"], body)
        return [body]

    return cache


hardened(
    "reference-behind-cache",
    ("X-Sent-At", "X-Once", "X-Mac", "X-Client"),
    Errors("json", 403, "Signature refusée", "fr"),
    public=("GET /catalog",),
    arrange=cached,
)
