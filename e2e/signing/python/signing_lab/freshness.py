"""Time and nonces: not compared, compared one-sided, not signed, not stored, stored by the wrong name.

All follow an in-house form: one field per line, HMAC, a header each.
"""

import re
import time

from .catalog import Errors, verifier
from .orders import act_as
from .sent import Sent, lines, own_form, raw_body, sha256hex, target
from .stores import Used

CANONICAL = "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}"
WITHOUT_NONCE = "{ts}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}"


def request_lines(request):
    return lines(
        request.method,
        request.headers["Host"],
        target(request),
        request.headers.get("Content-Type", ""),
        sha256hex(raw_body(request)),
    )


TIMELESS = own_form(
    CANONICAL,
    {"timestamp": "X-Created", "nonce": "X-Nonce", "signature": "X-Signed", "key_id": "X-Key-Name"},
)


@verifier(
    "time-ignored",
    TIMELESS,
    Errors("json", 401, "invalid"),
    defect="SIG-017",
    shows="the time is signed and never compared with the clock: last year's request passes",
    nonce_store=True,
)
def time_ignored(request):
    sent = Sent(request, TIMELESS)
    if not re.fullmatch("[0-9]{10}", sent.timestamp):
        return False
    return sent.signs(lines(sent.timestamp, sent.nonce, request_lines(request))) and sent.admitted()


WIDE = own_form(
    CANONICAL,
    {"timestamp": "X-Origin-Time", "nonce": "X-Origin-Nonce", "signature": "X-Origin-Mac", "key_id": "X-Origin-Key"},
    encoding="base64",
)


@verifier(
    "window-of-half-an-hour",
    WIDE,
    Errors("text", 400, "Abgelaufen oder ungültig", "de"),
    defect="SIG-018",
    shows="1,800 seconds either way",
    nonce_store=True,
)
def wide_window(request):
    sent = Sent(request, WIDE)
    message = lines(sent.timestamp, sent.nonce, request_lines(request))
    return sent.fresh(window=1800) and sent.signs(message) and sent.admitted()


PAST_ONLY = own_form(
    CANONICAL,
    {"timestamp": "X-Posted", "nonce": "X-Nonce", "signature": "X-Stamp", "key_id": "X-Poster"},
    algorithm="hmac-sha512",
    encoding="base64",
)


@verifier(
    "future-accepted",
    PAST_ONLY,
    Errors("problem", 401, "Expired or invalid"),
    defect="SIG-019",
    shows="`now - sent > 300` is false for tomorrow",
    nonce_store=True,
)
def future_accepted(request):
    sent = Sent(request, PAST_ONLY)
    if not re.fullmatch("[0-9]{10}", sent.timestamp) or time.time() - int(sent.timestamp) > 300:
        return False
    return sent.signs(lines(sent.timestamp, sent.nonce, request_lines(request))) and sent.admitted()


UNSIGNED_TIME = own_form(
    "{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}",
    {"timestamp": "X-Time", "nonce": "X-Nonce", "signature": "X-Sig", "key_id": "X-App-Id"},
)


@verifier(
    "time-not-signed",
    UNSIGNED_TIME,
    Errors("json", 403, "Acceso denegado", "es"),
    defect="SIG-020",
    shows="the time is compared with the clock but not signed: a captured request gets a new one",
    nonce_store=True,
)
def time_not_signed(request):
    sent = Sent(request, UNSIGNED_TIME)
    return sent.fresh() and sent.signs(lines(sent.nonce, request_lines(request))) and sent.admitted()


FORGETFUL = own_form(
    CANONICAL,
    {"timestamp": "X-Ticket-Time", "nonce": "X-Ticket", "signature": "X-Ticket-Signature", "key_id": "X-Ticket-Key"},
)


@verifier(
    "nonce-not-stored",
    FORGETFUL,
    Errors("coded", 401, "ticket refused"),
    defect="SIG-021",
    shows="the nonce is demanded and signed, and forgotten",
)
def nonce_not_stored(request):
    sent = Sent(request, FORGETFUL)
    if not re.fullmatch("[A-Za-z0-9_-]{12,64}", sent.nonce) or not sent.fresh():
        return False
    return sent.signs(lines(sent.timestamp, sent.nonce, request_lines(request))) and act_as(sent.key_id)


BY_SPELLING = own_form(
    WITHOUT_NONCE,
    {"timestamp": "X-Pay-Time", "signature": "X-Pay-Signature", "key_id": "X-Pay-Merchant"},
)
signatures_seen = Used(600)


@verifier(
    "replay-by-spelling",
    BY_SPELLING,
    Errors("json", 401, "duplicate or invalid"),
    defect="SIG-022",
    shows="used signatures are kept as text and compared as bytes: upper-case hex is a new one",
    nonce_store=True,
)
def replay_by_spelling(request):
    sent = Sent(request, BY_SPELLING)
    spelled = sent.signature
    if not re.fullmatch("[0-9a-fA-F]{64}", spelled) or not sent.fresh():
        return False
    sent.signature = bytes.fromhex(spelled).hex()
    if not sent.signs(lines(sent.timestamp, request_lines(request))):
        return False
    return signatures_seen.add(spelled) and act_as(sent.key_id)


UNSIGNED_NONCE = own_form(
    WITHOUT_NONCE,
    {"timestamp": "X-Msg-Time", "nonce": "X-Msg-Id", "signature": "X-Msg-Signature", "key_id": "X-Msg-Sender"},
    encoding="base64url",
)


@verifier(
    "nonce-not-signed",
    UNSIGNED_NONCE,
    Errors("ok-false", 200, "ungueltige_nachricht", "de"),
    defect="SIG-022",
    shows="the nonce is stored but not signed: a replay brings its own",
    nonce_store=True,
)
def nonce_not_signed(request):
    sent = Sent(request, UNSIGNED_NONCE)
    return sent.fresh() and sent.signs(lines(sent.timestamp, request_lines(request))) and sent.admitted()


PER_ROUTE = own_form(
    CANONICAL,
    {"timestamp": "X-Bank-Time", "nonce": "X-Bank-Nonce", "signature": "X-Bank-Signature", "key_id": "X-Bank-Key"},
)
nonces_of_routes = Used(600)


@verifier(
    "nonce-per-route",
    PER_ROUTE,
    Errors("json", 401, "not authorized"),
    defect="SIG-023",
    shows="nonces are stored per path: the same one, signed again, works elsewhere",
    nonce_store=True,
)
def nonce_per_route(request):
    sent = Sent(request, PER_ROUTE)
    if not re.fullmatch("[A-Za-z0-9_-]{12,64}", sent.nonce) or not sent.fresh():
        return False
    if not sent.signs(lines(sent.timestamp, sent.nonce, request_lines(request))):
        return False
    return nonces_of_routes.add((sent.key_id, request.path, sent.nonce)) and act_as(sent.key_id)
