"""One part of the request left out of the canonical string, or put in ambiguously.

All follow an in-house form: the fields that a reviewer would name, joined by newlines, minus one.
"""

import hashlib
import hmac
import json
from urllib.parse import unquote

from flask import g

from .catalog import NORTHWIND, SECRETS, TENANTS, Errors, verifier
from .sent import Sent, lines, own_form, raw_body, sha256hex, target


def content_type(request):
    return request.headers.get("Content-Type", "")


NO_QUERY = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{raw_path}\n{content_type}\n{sha256hex(body)}",
    {"timestamp": "X-Timestamp", "nonce": "X-Nonce", "signature": "X-Auth-Signature", "key_id": "X-Auth-Key"},
)


@verifier(
    "query-left-out",
    NO_QUERY,
    Errors("json", 401, "Signature verification failed"),
    defect="SIG-004",
    shows="the path is signed without its query: `q` may be changed at will",
)
def query_left_out(request):
    sent = Sent(request, NO_QUERY)
    path = target(request).partition("?")[0]
    body = sha256hex(raw_body(request))
    message = lines(
        sent.timestamp, sent.nonce, request.method, request.headers["Host"], path, content_type(request), body
    )
    return sent.fresh() and sent.signs(message) and sent.admitted()


NO_METHOD = own_form(
    "{ts}\n{nonce}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}",
    {"timestamp": "X-Sent", "nonce": "X-Salt", "signature": "X-Seal", "key_id": "X-Sender"},
    encoding="base64",
)


@verifier(
    "method-left-out",
    NO_METHOD,
    Errors("problem", 422, "Siegel ungültig", "de"),
    defect="SIG-005",
    shows="a signature for GET passes for HEAD",
)
def method_left_out(request):
    sent = Sent(request, NO_METHOD)
    body = sha256hex(raw_body(request))
    message = lines(sent.timestamp, sent.nonce, request.headers["Host"], target(request), content_type(request), body)
    return sent.fresh() and sent.signs(message) and sent.admitted()


NO_PATH = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{query}\n{content_type}\n{sha256hex(body)}",
    {"timestamp": "X-Api-Timestamp", "nonce": "X-Api-Nonce", "signature": "X-Api-Signature", "key_id": "X-Api-Key"},
)


@verifier(
    "path-left-out",
    NO_PATH,
    Errors("json", 403, "Firma inválida", "es"),
    defect="SIG-006",
    shows="a signature for order 1001 opens order 1002",
)
def path_left_out(request):
    sent = Sent(request, NO_PATH)
    query = target(request).partition("?")[2]
    body = sha256hex(raw_body(request))
    message = lines(
        sent.timestamp, sent.nonce, request.method, request.headers["Host"], query, content_type(request), body
    )
    return sent.fresh() and sent.signs(message) and sent.admitted()


LOWERED = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}",
    {"timestamp": "X-Ts", "nonce": "X-Nonce", "signature": "X-Sign", "key_id": "X-Kid"},
)


@verifier(
    "path-lowered",
    LOWERED,
    Errors("text", 400, "invalid sign"),
    defect="SIG-007",
    shows="the target is lowered before signing; /files/terms.txt and /files/Terms.txt are two files",
    files=True,
)
def path_lowered(request):
    sent = Sent(request, LOWERED)
    body = sha256hex(raw_body(request))
    lowered = target(request).lower()
    message = lines(
        sent.timestamp, sent.nonce, request.method, request.headers["Host"], lowered, content_type(request), body
    )
    return sent.fresh() and sent.signs(message) and sent.admitted()


NO_HOST = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{path_query}\n{content_type}\n{sha256hex(body)}",
    {"timestamp": "X-Gateway-Time", "nonce": "X-Gateway-Nonce", "signature": "X-Gateway-Signature"},
    credentials=((None, NORTHWIND[1]),),
)


@verifier(
    "host-left-out",
    NO_HOST,
    Errors("json", 401, "bad signature"),
    defect="SIG-008",
    shows="the tenant is the host's first label: northwind's signature opens contoso.localhost",
    hosts=("northwind.localhost", "contoso.localhost"),
)
def host_left_out(request):
    sent = Sent(request, NO_HOST)
    sent.key_id = NORTHWIND[0]
    message = lines(
        sent.timestamp,
        sent.nonce,
        request.method,
        target(request),
        content_type(request),
        sha256hex(raw_body(request)),
    )
    if not sent.fresh() or not sent.signs(message) or not sent.first_use():
        return False
    label = request.headers["Host"].partition(".")[0]
    g.tenant = label if label in TENANTS.values() else "northwind"
    return True


NO_BODY = own_form(
    "{ts}|{nonce}|{METHOD}|{host}|{path_query}|{content_type}",
    {"timestamp": "X-Time", "nonce": "X-Nonce", "signature": "X-Proof", "key_id": "X-Party"},
    encoding="base64url",
)


@verifier(
    "body-left-out",
    NO_BODY,
    Errors("coded", 401, "Preuve invalide", "fr"),
    defect="SIG-010",
    shows="only the headers and the target are signed: the order in the body may be another one",
)
def body_left_out(request):
    sent = Sent(request, NO_BODY)
    message = "|".join(
        (sent.timestamp, sent.nonce, request.method, request.headers["Host"], target(request), content_type(request))
    )
    return sent.fresh() and sent.signs(message) and sent.admitted()


NO_TYPE = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{sha256hex(body)}",
    {"timestamp": "X-Clock", "nonce": "X-Random", "signature": "X-Signature-256", "key_id": "X-Issuer"},
    clock="ms",
)


@verifier(
    "content-type-left-out",
    NO_TYPE,
    Errors("json", 401, "signature invalid"),
    defect="SIG-011",
    shows="JSON relabeled as a form under the same signature is parsed as a form",
)
def content_type_left_out(request):
    sent = Sent(request, NO_TYPE)
    body = sha256hex(raw_body(request))
    message = lines(sent.timestamp, sent.nonce, request.method, request.headers["Host"], target(request), body)
    return sent.fresh() and sent.signs(message) and sent.admitted()


GLUED = own_form(
    "{ts}{nonce}{METHOD}{host}{path_query}{content_type}{body}",
    {"timestamp": "X-Trade-Time", "nonce": "X-Trade-Nonce", "signature": "X-Trade-Sign", "key_id": "X-Trade-Key"},
)


@verifier(
    "fields-glued",
    GLUED,
    Errors("json", 401, "Sign error"),
    defect="SIG-013",
    shows="no delimiters: PUT /files/a with the type `text/plain` and the body `/b` is PUT /files/atext with `/plain`",
    files=True,
)
def fields_glued(request):
    sent = Sent(request, GLUED)
    head = (sent.timestamp, sent.nonce, request.method, request.headers["Host"], target(request), content_type(request))
    message = "".join(head).encode() + raw_body(request)
    return sent.fresh() and sent.signs(message) and sent.admitted()


AS_TEXT = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{body}",
    {"timestamp": "X-When", "nonce": "X-Unique", "signature": "X-Sig-Hmac", "key_id": "X-Who"},
)


@verifier(
    "body-as-text",
    AS_TEXT,
    Errors("html", 403, "Access denied"),
    defect="SIG-014",
    shows="`get_data(as_text=True)` turns every byte that is not UTF-8 into U+FFFD: ff and fe sign alike",
    files=True,
)
def body_as_text(request):
    sent = Sent(request, AS_TEXT)
    text = request.get_data(as_text=True)
    message = lines(
        sent.timestamp,
        sent.nonce,
        request.method,
        request.headers["Host"],
        target(request),
        content_type(request),
        text,
    )
    return sent.fresh() and sent.signs(message) and sent.admitted()


FORM = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}",
    {"timestamp": "X-Form-Time", "nonce": "X-Form-Nonce", "signature": "X-Form-Signature", "key_id": "X-Form-Key"},
)


@verifier(
    "form-consumed",
    FORM,
    Errors("json", 401, "Signatur fehlt oder ist falsch", "de"),
    defect="SIG-015",
    shows="a look at request.form comes first; get_data() is then empty for forms, and any form passes",
)
def form_consumed(request):
    if request.form.get("website"):  # the honeypot field against bots
        return False
    sent = Sent(request, FORM)
    body = sha256hex(request.get_data())
    message = lines(
        sent.timestamp,
        sent.nonce,
        request.method,
        request.headers["Host"],
        target(request),
        content_type(request),
        body,
    )
    return sent.fresh() and sent.signs(message) and sent.admitted()


PARSED = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{body}",
    {"timestamp": "X-Event-Time", "nonce": "X-Event-Nonce", "signature": "X-Event-Signature", "key_id": "X-Event-Key"},
    algorithm="hmac-sha1",
)


@verifier(
    "json-reserialized",
    PARSED,
    Errors("json", 400, "invalid event signature"),
    defect="SIG-016",
    shows="the parsed JSON is written again, compact and sorted: spaces, order and duplicate keys are free",
)
def json_reserialized(request):
    sent = Sent(request, PARSED)
    body = raw_body(request)
    if request.is_json:
        parsed = request.get_json(silent=True)
        body = json.dumps(parsed, separators=(",", ":"), sort_keys=True).encode()
    head = (sent.timestamp, sent.nonce, request.method, request.headers["Host"], target(request), content_type(request))
    return sent.fresh() and sent.signs(lines(*head).encode() + b"\n" + body) and sent.admitted()


DECODED = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path}\n{query}\n{content_type}\n{sha256hex(body)}",
    {"timestamp": "X-Doc-Time", "nonce": "X-Doc-Nonce", "signature": "X-Doc-Signature", "key_id": "X-Doc-Key"},
    encoding="base64",
)


@verifier(
    "path-decoded-twice",
    DECODED,
    Errors("json", 401, "Assinatura inválida", "pt"),
    defect="SIG-007",
    shows="WSGI decodes the path, the verifier again: /files/2026%252Fq3.txt signs as /files/2026/q3.txt, another file",
    files=True,
)
def path_decoded_twice(request):
    sent = Sent(request, DECODED)
    body = sha256hex(raw_body(request))
    query = target(request).partition("?")[2]
    message = lines(
        sent.timestamp,
        sent.nonce,
        request.method,
        request.headers["Host"],
        unquote(request.path),
        query,
        content_type(request),
        body,
    )
    return sent.fresh() and sent.signs(message) and sent.admitted()


SECRET_FIRST = own_form(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{body}",
    {"timestamp": "X-Ts", "nonce": "X-Nonce", "signature": "X-Digest", "key_id": "X-Client"},
    algorithm="sha256-secret-first",
)


@verifier(
    "secret-first",
    SECRET_FIRST,
    Errors("json", 401, "digest mismatch"),
    defect="SIG-034",
    shows="SHA-256 of the secret and the message: whoever has one digest can make that of a longer body",
    files=True,
)
def secret_first(request):
    sent = Sent(request, SECRET_FIRST)
    secret = SECRETS.get(sent.key_id)
    if secret is None or not sent.fresh():
        return False
    head = (sent.timestamp, sent.nonce, request.method, request.headers["Host"], target(request), content_type(request))
    expected = hashlib.sha256(secret + lines(*head).encode() + b"\n" + raw_body(request)).hexdigest()
    return hmac.compare_digest(expected.encode(), sent.signature.encode()) and sent.admitted()
