"""Signatures that are missing, empty, partial, of another algorithm, or somewhere else.

All follow an in-house form: one field per line, HMAC, a header each.
"""

import hashlib
import hmac
import re

from .catalog import SECRETS, TENANTS, Errors, Scheme, verifier
from .orders import act_as
from .sent import Sent, own_form, raw_body, sha256hex, target

CANONICAL = "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}"


def message_of(request, sent, separator="\n"):
    fields = (
        sent.timestamp,
        sent.nonce,
        request.method,
        request.headers["Host"],
        target(request),
        request.headers.get("Content-Type", ""),
        sha256hex(raw_body(request)),
    )
    return separator.join(fields)


OPTIONAL = own_form(
    CANONICAL,
    {"timestamp": "X-Ts", "nonce": "X-Nonce", "signature": "X-Body-Signature", "key_id": "X-Api-Key"},
)


@verifier(
    "optional-signature",
    OPTIONAL,
    Errors("json", 401, "invalid signature"),
    defect="SIG-001",
    shows="a known key without the signature header is let in",
)
def optional(request):
    sent = Sent(request, OPTIONAL)
    if sent.key_id not in SECRETS:
        return False
    if request.headers.get("X-Body-Signature") is None:
        return act_as(sent.key_id)
    return sent.signature != "" and sent.fresh() and sent.signs(message_of(request, sent)) and sent.admitted()


BLANK = own_form(
    CANONICAL,
    {"timestamp": "X-Date", "nonce": "X-Token", "signature": "X-Signature-Sha512", "key_id": "X-Account"},
    algorithm="hmac-sha512",
)


@verifier(
    "blank-signature",
    BLANK,
    Errors("json", 403, "Signatur ungültig", "de"),
    defect="SIG-002",
    shows="the header is demanded, but only a value that is not blank gets compared",
)
def blank(request):
    sent = Sent(request, BLANK)
    if "X-Signature-Sha512" not in request.headers or sent.key_id not in SECRETS or not sent.fresh():
        return False
    if sent.signature and not sent.signs(message_of(request, sent)):
        return False
    return sent.admitted()


SHAPE = own_form(
    CANONICAL,
    {"timestamp": "X-Issued-At", "nonce": "X-Request-Id", "signature": "X-Checksum", "key_id": "X-Partner"},
)


@verifier(
    "shape-only",
    SHAPE,
    Errors("coded", 401, "Bad checksum"),
    defect="SIG-003",
    shows="any 64 hex digits pass: the signature's form is validated, its value never",
)
def shape_only(request):
    sent = Sent(request, SHAPE)
    well_formed = re.fullmatch("[0-9a-f]{64}", sent.signature)
    return bool(well_formed) and sent.key_id in SECRETS and sent.fresh() and sent.admitted()


PREFIX = own_form(
    CANONICAL,
    {"timestamp": "X-Time", "nonce": "X-Nonce", "signature": "X-Short-Signature", "key_id": "X-App"},
)


@verifier(
    "first-eight",
    PREFIX,
    Errors("text", 400, "signature mismatch"),
    defect="SIG-024",
    shows="only the first eight characters are compared",
)
def first_eight(request):
    sent = Sent(request, PREFIX)
    secret = SECRETS.get(sent.key_id)
    if secret is None or not sent.fresh():
        return False
    expected = sent.expected(message_of(request, sent), secret)
    return hmac.compare_digest(expected[:8].encode(), sent.signature[:8].encode()) and sent.admitted()


SUBSTRING = own_form(
    CANONICAL,
    {"timestamp": "Request-Time", "nonce": "Request-Nonce", "signature": "Request-Mac", "key_id": "Request-Key"},
    algorithm="hmac-sha384",
    encoding="base64",
)


@verifier(
    "substring",
    SUBSTRING,
    Errors("problem", 422, "Signature does not match"),
    defect="SIG-024",
    shows="`signature in accepted` with a string on the right: any slice of the right one passes",
)
def substring(request):
    sent = Sent(request, SUBSTRING)
    secret = SECRETS.get(sent.key_id)
    if secret is None or not sent.signature or not sent.fresh():
        return False
    accepted = sent.expected(message_of(request, sent), secret)
    return sent.signature in accepted and sent.admitted()


VERSIONED = own_form(
    "v2:" + CANONICAL,
    {"timestamp": "X-Sig-Time", "nonce": "X-Sig-Nonce", "signature": "X-Sig", "key_id": "X-Sig-Key"},
)


@verifier(
    "legacy-version",
    VERSIONED,
    Errors("json", 401, "signature rejected"),
    defect="SIG-026",
    shows="`X-Sig-Version: v0` selects the first release's plain SHA-256 of the body",
)
def legacy_version(request):
    sent = Sent(request, VERSIONED)
    if sent.key_id not in SECRETS or not sent.fresh():
        return False
    if request.headers.get("X-Sig-Version") == "v0":
        legacy = sha256hex(raw_body(request))
        return hmac.compare_digest(legacy.encode(), sent.signature.encode()) and sent.admitted()
    return sent.signs("v2:" + message_of(request, sent)) and sent.admitted()


ALGORITHM = own_form(
    CANONICAL,
    {"timestamp": "X-Mac-Timestamp", "nonce": "X-Mac-Nonce", "signature": "X-Mac-Value", "key_id": "X-Mac-Id"},
)


@verifier(
    "algorithm-none",
    ALGORITHM,
    Errors("ok-false", 200, "invalid_signature"),
    defect="SIG-026",
    shows="`X-Mac-Algorithm: none` turns the comparison off",
)
def algorithm_none(request):
    sent = Sent(request, ALGORITHM)
    secret = SECRETS.get(sent.key_id)
    if secret is None or not sent.fresh():
        return False
    algorithm = request.headers.get("X-Mac-Algorithm", "sha256").lower()
    if algorithm == "none":
        return sent.admitted()
    if algorithm not in ("sha256", "sha512"):
        return False
    expected = hmac.new(secret, message_of(request, sent).encode(), algorithm).hexdigest()
    return hmac.compare_digest(expected.encode(), sent.signature.encode()) and sent.admitted()


TEMPLATE = own_form(
    CANONICAL,
    {"timestamp": "X-Timestamp", "nonce": "X-Nonce", "signature": "X-Hmac", "key_id": "X-Consumer"},
    credentials=(("shop-1", "{{shared_secret}}"),),
)


@verifier(
    "placeholder-secret",
    TEMPLATE,
    Errors("json", 403, "forbidden"),
    defect="SIG-028",
    shows="the secret is the literal `{{shared_secret}}`",
)
def placeholder_secret(request):
    sent = Sent(request, TEMPLATE)
    if sent.key_id != "shop-1" or not sent.fresh():
        return False
    expected = sent.expected(message_of(request, sent), b"{{shared_secret}}")
    return hmac.compare_digest(expected.encode(), sent.signature.encode()) and sent.first_use()


DEFAULT = own_form(
    "{ts}.{nonce}.{METHOD}.{host}.{path_query}.{content_type}.{sha256hex(body)}",
    {"timestamp": "T", "nonce": "N", "signature": "S"},
    encoding="base64url",
    clock="ms",
    credentials=((None, "changeme"),),
)


@verifier(
    "default-secret",
    DEFAULT,
    Errors("html", 401, "Firma incorrecta", "es"),
    defect="SIG-028",
    shows="the secret is `changeme`",
)
def default_secret(request):
    sent = Sent(request, DEFAULT)
    if not sent.fresh():
        return False
    message = message_of(request, sent, separator=".")
    expected = sent.expected(message, b"changeme")
    return hmac.compare_digest(expected.encode(), sent.signature.encode()) and sent.first_use()


ANYWHERE = own_form(
    CANONICAL,
    {"timestamp": "X-Timestamp", "nonce": "X-Nonce", "signature": "X-Signature", "key_id": "X-Key"},
)


@verifier(
    "signature-in-query",
    ANYWHERE,
    Errors("json", 401, "not signed"),
    defect="SIG-029",
    shows="`?signature=`, `?timestamp=`, `?nonce=` and `?key=` work as well, where proxies log them",
)
def signature_in_query(request):
    sent = Sent(request, ANYWHERE)
    sent.signature = sent.signature or request.args.get("signature", "")
    sent.timestamp = sent.timestamp or request.args.get("timestamp", "")
    sent.nonce = sent.nonce or request.args.get("nonce", "")
    sent.key_id = sent.key_id or request.args.get("key", "")
    if not sent.fresh():
        return False
    moved = {"signature", "timestamp", "nonce", "key"}
    path, _, query = target(request).partition("?")
    rest = "&".join(part for part in query.split("&") if part.partition("=")[0] not in moved)
    message = message_of(request, sent).replace(target(request), path + (f"?{rest}" if rest else ""))
    return sent.signs(message) and sent.admitted()


WRITES = own_form(
    CANONICAL,
    {
        "timestamp": "X-Ledger-Time",
        "nonce": "X-Ledger-Nonce",
        "signature": "X-Ledger-Signature",
        "key_id": "X-Ledger-Key",
    },
    encoding="base64",
)


@verifier(
    "writes-only",
    WRITES,
    Errors("json", 401, "Ungültige Unterschrift", "de"),
    defect="SIG-030",
    shows="only POST, PUT, PATCH and DELETE are verified: a key alone reads everything",
)
def writes_only(request):
    sent = Sent(request, WRITES)
    if request.method not in ("POST", "PUT", "PATCH", "DELETE"):
        return sent.key_id in SECRETS and act_as(sent.key_id)
    return sent.fresh() and sent.signs(message_of(request, sent)) and sent.admitted()


EMPTY_KEY = own_form(
    "{key_id}\n" + CANONICAL,
    {"timestamp": "X-Stamp", "nonce": "X-Nonce", "signature": "X-Stamp-Signature", "key_id": "X-Stamp-Key"},
)


@verifier(
    "unknown-key-empty-secret",
    EMPTY_KEY,
    Errors("json", 403, "Firma no válida", "es"),
    defect="SIG-027",
    shows="an unknown key id is looked up with the empty secret as default, so anyone can sign with it",
)
def unknown_key(request):
    sent = Sent(request, EMPTY_KEY)
    if not sent.fresh():
        return False
    secret = SECRETS.get(sent.key_id, b"")
    expected = sent.expected(sent.key_id + "\n" + message_of(request, sent), secret)
    return hmac.compare_digest(expected.encode(), sent.signature.encode()) and sent.admitted()


LABELED = own_form(
    CANONICAL,
    {"timestamp": "X-Req-Time", "nonce": "X-Req-Nonce", "signature": "X-Req-Signature", "key_id": "X-Req-Key"},
)


@verifier(
    "tenant-header",
    LABELED,
    Errors("json", 401, "unauthorised"),
    defect="SIG-012",
    shows="`X-Req-Tenant: contoso`, which no signature covers, says whose orders are meant",
)
def tenant_from_header(request):
    sent = Sent(request, LABELED)
    if not sent.fresh() or not sent.signs(message_of(request, sent)) or not sent.first_use():
        return False
    names = {name: key_id for key_id, name in TENANTS.items()}
    return act_as(names.get(request.headers.get("X-Req-Tenant"), sent.key_id))


BEARER = Scheme(
    "api key",
    "the first listing of the article: the key in a set",
    {"headers": {"key_id": "X-API-Key"}},
    credentials=(("sk_live_4f0c2ab97e31", ""),),
    gaps=("SIG-004", "SIG-005", "SIG-006", "SIG-008", "SIG-010", "SIG-011", "SIG-016", "SIG-021"),
)


@verifier(
    "key-alone",
    BEARER,
    Errors("json", 403, "forbidden"),
    defect="SIG-039",
    shows="nothing is signed: the key alone admits",
)
def key_alone(request):
    presented = request.headers.get("X-API-Key", "")
    return hmac.compare_digest(
        hashlib.sha256(presented.encode()).digest(), hashlib.sha256(b"sk_live_4f0c2ab97e31").digest()
    )
