"""What happens around a refusal: crashes, talkative errors, effects that are not undone.

All follow an in-house form: one field per line, HMAC, a header each.
"""

import hashlib
import hmac
import time

from flask import request as current

from .catalog import SECRETS, Errors, verifier
from .refusals import refuse
from .sent import Sent, lines, own_form, raw_body, sha256hex, target

CANONICAL = "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}"


def message_of(request, sent):
    return lines(
        sent.timestamp,
        sent.nonce,
        request.method,
        request.headers["Host"],
        target(request),
        request.headers.get("Content-Type", ""),
        sha256hex(raw_body(request)),
    )


NUMBERS = own_form(
    CANONICAL,
    {"timestamp": "X-Timestamp", "nonce": "X-Nonce", "signature": "X-Signature", "key_id": "X-Identity"},
)


@verifier(
    "timestamp-crash",
    NUMBERS,
    Errors("json", 401, "unauthorized"),
    defect="SIG-031",
    shows="`int()` of the header outside any try: `abc` is a 500",
    nonce_store=True,
)
def timestamp_crash(request):
    sent = Sent(request, NUMBERS)
    if abs(time.time() - int(sent.timestamp or 0)) > 300:
        return False
    return sent.signs(message_of(request, sent)) and sent.admitted()


LETTERS = own_form(
    CANONICAL,
    {"timestamp": "X-Heure", "nonce": "X-Alea", "signature": "X-Empreinte", "key_id": "X-Compte"},
)


@verifier(
    "signature-crash",
    LETTERS,
    Errors("json", 403, "Empreinte incorrecte", "fr"),
    defect="SIG-031",
    shows="compare_digest on text raises TypeError for a signature that is not ASCII: a 500",
    nonce_store=True,
)
def signature_crash(request):
    sent = Sent(request, LETTERS)
    secret = SECRETS.get(sent.key_id)
    if secret is None or not sent.fresh():
        return False
    expected = sent.expected(message_of(request, sent), secret)
    return hmac.compare_digest(expected, sent.signature) and sent.admitted()


TELLING = own_form(
    CANONICAL,
    {"timestamp": "X-Dev-Time", "nonce": "X-Dev-Nonce", "signature": "X-Dev-Signature", "key_id": "X-Dev-Key"},
)
TELLING_ERRORS = Errors("json", 401, "signature mismatch")


@verifier(
    "expected-in-error",
    TELLING,
    TELLING_ERRORS,
    defect="SIG-032",
    shows="a wrong signature is answered with the right one",
    nonce_store=True,
)
def expected_in_error(request):
    sent = Sent(request, TELLING)
    secret = SECRETS.get(sent.key_id)
    if secret is None or not sent.fresh():
        return False
    message = message_of(request, sent)
    if not sent.signs(message):
        return refuse(TELLING_ERRORS, f"signature mismatch: expected {sent.expected(message, secret)}")
    return sent.admitted()


DISTINCT = own_form(
    CANONICAL,
    {"timestamp": "X-Tag-Time", "nonce": "X-Tag-Nonce", "signature": "X-Tag", "key_id": "X-Tag-Key"},
)
DISTINCT_ERRORS = Errors("json", 401, "wrong signature")


@verifier(
    "distinct-errors",
    DISTINCT,
    DISTINCT_ERRORS,
    defect="SIG-032",
    shows="unknown key, stale time, wrong signature and used nonce have a text each",
    nonce_store=True,
)
def distinct_errors(request):
    sent = Sent(request, DISTINCT)
    if not sent.signature:
        return refuse(DISTINCT_ERRORS, "missing signature")
    if sent.key_id not in SECRETS:
        return refuse(DISTINCT_ERRORS, "unknown key")
    if not sent.fresh():
        return refuse(DISTINCT_ERRORS, "timestamp too old or too new")
    if not sent.signs(message_of(request, sent)):
        return False
    return sent.admitted() or refuse(DISTINCT_ERRORS, "nonce already used")


EARLY = own_form(
    CANONICAL,
    {"timestamp": "X-Store-Time", "nonce": "X-Store-Nonce", "signature": "X-Store-Signature", "key_id": "X-Store-Key"},
)
drafts = {}


def drafts_first(app):
    """Adds a store whose view writes first and verifies then, instead of leaving it to the check of every route."""

    @app.put("/drafts/<name>", endpoint="public_write_draft")
    def write_draft(name):
        drafts[name] = raw_body(current).decode("latin-1")
        if not early(current):
            return refuse(EARLY_ERRORS)
        return app.extensions["orders"](name=name, sha256=hashlib.sha256(raw_body(current)).hexdigest())

    @app.get("/drafts/<name>")
    def read_draft(name):
        return app.extensions["orders"](name=name, text=drafts.get(name, ""))


EARLY_ERRORS = Errors("json", 403, "refused")


@verifier(
    "write-then-verify",
    EARLY,
    EARLY_ERRORS,
    defect="SIG-033",
    shows="PUT /drafts/{name} stores the draft and then verifies: a refused one can be read back",
    repeatable=("PUT /drafts/{name}",),
    nonce_store=True,
    operations=(
        {
            "method": "PUT",
            "target": "/drafts/a",
            "path": "/drafts/{name}",
            "content_type": "text/plain",
            "body": "first",
        },
        {"method": "GET", "target": "/drafts/a", "path": "/drafts/{name}"},
    ),
    arrange=drafts_first,
)
def early(request):
    sent = Sent(request, EARLY)
    return sent.fresh() and sent.signs(message_of(request, sent)) and sent.admitted()
