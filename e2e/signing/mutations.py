"""The requests that any verifier must refuse, and what it shows when one is accepted.

A mutation counts when the mutated request is accepted under the signature of the unmutated one, which
is never sent, and the same mutation under a corrupted signature is refused.
"""

import time

from client import Request, corrupted, send, sign, signature_of, signs_query, with_signature, without_signature

ECHO = b'{"item":"paper filters","quantity":400}'
ODD_VALUES = ("", "\u00e9", "a;b", '";,()=', "=", "1e999", "null", "x" * 3000)
ODD_TARGETS = (
    "//",
    "/%",
    "/%ff",
    "/%00",
    "/search?%",
    "/search?q=%ff&q",
    "/orders/99999999999999999999",
    "/files/..%2f..%2fa",
)
WEAK_SECRETS = {"secret", "changeme", "{{shared_secret}}", "password", "test"}


class Trial:
    """One running app, its entry of `--list`, and what has been tried and shown so far."""

    def __init__(self, entry, port):
        self.entry, self.port, self.host = entry, port, f"127.0.0.1:{port}"
        self.tried, self.shown, self.crashed = set(), set(), []
        self.signed_count, self.started = 0, int(time.time()) + 0.5

    def request(self, method, target, body=b"", content_type=None, host=None):
        return Request(method, target, body, content_type, host or self.host)

    def get(self, target="/orders"):
        return self.request("GET", target)

    def echo(self, body=ECHO, content_type="application/json"):
        return self.request("POST", "/echo", body, content_type)

    def signed(self, request, shift=None, **chosen):
        """Signs the request; where signatures are stored without a nonce, each in a second of its own."""
        if shift is None:
            alone = self.entry["nonce_store"] and "nonce" not in self.entry["headers"]
            self.signed_count += 1
            shift = self.started - self.signed_count - time.time() if alone else 0
        return sign(self.entry, request, shift=shift, **chosen)

    def reading(self):
        """A request that is verified: GET, unless only writing ones are."""
        return self.echo() if "SIG-030" in self.shown else self.get()

    def send(self, request):
        answer = send(self.port, request)
        if answer.status >= 500:
            self.crashed.append(request)
        return answer

    def show(self, row, accepted):
        self.tried.add(row)
        if accepted:
            self.shown.add(row)

    def differs(self, row, request, mutate):
        """Tries a mutation under the signature of `request`, and its twin under a corrupted one."""
        first = mutate(self.signed(request))
        twin = mutate(corrupted(self.entry, self.signed(request)))
        accepted = self.accepts(first) and not self.accepts(twin)
        self.show(row, accepted)
        return accepted

    def accepts(self, request):
        answer = self.send(request)
        if request.method != "HEAD" or not answer.accepted:
            return answer.accepted
        # A HEAD has no body to tell an error in a 200 from a success: compare the lengths.
        full = self.send(self.signed(self.get("/orders")))
        return answer.headers.get("content-length") == full.headers.get("content-length")


def control(trial):
    """The valid request is accepted and the corrupted one refused, for GET and POST."""
    for request in (trial.get(), trial.echo()):
        if not trial.send(trial.signed(request)).accepted:
            raise AssertionError(f"the valid {request.method} {request.target} is refused")
    if trial.entry["scheme"] == "api key":
        return
    on_get = trial.send(corrupted(trial.entry, trial.signed(trial.get()))).accepted
    on_post = trial.send(corrupted(trial.entry, trial.signed(trial.echo()))).accepted
    trial.show("SIG-003", on_post)
    trial.show("SIG-030", on_get and not on_post)


def without(trial):
    """Missing, empty, partial and lengthened signatures; unknown keys; secrets from the list."""
    entry = trial.entry
    missing_post = trial.send(without_signature(entry, trial.signed(trial.echo()))).accepted
    trial.show("SIG-001", missing_post)
    space = "%20" if signs_query(entry) else " "
    blank = [with_signature(entry, trial.signed(trial.echo()), text) for text in ("", space, "=")]
    if entry["scheme"] == "own form":
        blank.append(trial.signed(trial.echo()).but(headers={entry["headers"]["signature"]: "v1,"}))
    trial.show("SIG-002", any(trial.send(request).accepted for request in blank) and not missing_post)
    partial = []
    for cut in (lambda s: s[:8], lambda s: s[:8] + "0" * (len(s) - 8), lambda s: s[6:30], lambda s: s + "00"):
        signed = trial.signed(trial.echo())
        partial.append(with_signature(entry, signed, cut(signature_of(entry, signed))))
    trial.show("SIG-024", any(trial.send(request).accepted for request in partial))
    if entry["signing"].get("key_id") and entry["scheme"] != "binance":
        unknown = trial.signed(trial.echo(), key_id="ak_unknown_0000", secret="")
        swapped = trial.signed(trial.echo(), key_id=entry["credentials"][-1]["key_id"])
        others = len(entry["credentials"]) > 1 and trial.send(swapped).accepted
        trial.show("SIG-027", trial.send(unknown).accepted or others)
    trial.show("SIG-028", entry["signing"]["secret"] in WEAK_SECRETS)


def coverage(trial):
    """One part of the request changed at a time."""
    entry, in_query = trial.entry, signs_query(trial.entry)
    trial.differs("SIG-004", trial.get("/orders"), query_put_first if in_query else query_added)
    trial.differs("SIG-005", trial.get("/orders"), lambda r: r.but(method="HEAD"))
    trial.differs("SIG-006", trial.get("/orders/1001"), lambda r: r.but(target=r.target.replace("1001", "1002")))
    trial.differs("SIG-008", trial.get("/orders"), lambda r: r.but(host="other.invalid"))
    other = ECHO.replace(b"400", b"401")
    body_free = trial.differs("SIG-010", trial.echo(), lambda r: r.but(body=other))
    relabeled = trial.differs(
        "SIG-011", trial.echo(), lambda r: r.but(content_type="application/x-www-form-urlencoded")
    )
    if not relabeled:
        trial.differs("SIG-011", trial.echo(), lambda r: r.but(content_type="text/plain"))
    if not body_free:
        spaced = ECHO.replace(b":", b": ")
        trial.differs("SIG-016", trial.echo(), lambda r: r.but(body=spaced))
    form = trial.echo(b"amount=10&to=acme", "application/x-www-form-urlencoded")
    if not body_free:
        free = trial.differs("SIG-015", form, lambda r: r.but(body=b"amount=1000000&to=acme"))
        # Where the form is consumed before, what is signed is an empty body.
        if not free:
            trial.differs("SIG-015", form.but(body=b""), lambda r: r.but(body=b"amount=1000000&to=acme"))
    if entry["files"]:
        upload = trial.request("PUT", "/files/a", b"/b", "text/plain")
        trial.differs("SIG-013", upload, lambda r: r.but(target="/files/a/b", body=b""))
        if not body_free:
            replaced = trial.request("PUT", "/files/z", "\ufffd\ufffd".encode(), "application/octet-stream")
            trial.differs("SIG-014", replaced, lambda r: r.but(body=b"\xfe\xfd"))


def query_added(request):
    return request.but(target=request.target + ("&" if "?" in request.target else "?") + "_ic=1")


def query_put_first(request):
    return request.but(target=request.target.replace("?", "?_ic=1&", 1))


def freshness(trial):
    """Old and future times, times changed after signing, and the same request twice."""
    entry = trial.entry
    year = 365 * 86400
    ancient = trial.send(trial.signed(trial.reading(), shift=-year)).accepted
    trial.show("SIG-017", ancient)
    if not ancient:
        trial.show("SIG-018", trial.send(trial.signed(trial.reading(), shift=-1200)).accepted)
        yesterday = trial.send(trial.signed(trial.reading(), shift=-86400)).accepted
        tomorrow = trial.send(trial.signed(trial.reading(), shift=+86400)).accepted
        trial.show("SIG-019", tomorrow and not yesterday)
    clock = entry["headers"].get("timestamp")
    if clock and not signs_query(entry) and not ancient:
        later = trial.signed(trial.reading(), shift=10).headers[clock]
        trial.differs("SIG-020", trial.reading(), lambda r: r.but(headers={clock: later}))
    first = trial.signed(trial.reading())
    once, twice = trial.send(first).accepted, trial.send(first).accepted
    trial.show("SIG-021", once and twice)
    if once and not twice:
        trial.show("SIG-022", any(trial.send(again).accepted for again in respelled(entry, first)))


def respelled(entry, request):
    """The same signature in other words, and the same request with another nonce."""
    own, nonce = signature_of(entry, request), entry["headers"].get("nonce")
    for spelling in {own.upper(), own.rstrip("="), own.replace("+", "-").replace("/", "_").rstrip("=")} - {own}:
        yield with_signature(entry, request, spelling)
    if nonce:
        yield request.but(headers={nonce: "another-nonce-" + "0" * 10})


def malformed(trial):
    """Headers and targets that no client sends: none may be a 5xx."""
    entry = trial.entry
    before = len(trial.crashed)
    requests = [with_signature(entry, trial.signed(trial.get()), text) for text in ("00", "x" * 3000)]
    if not signs_query(entry):
        requests.append(with_signature(entry, trial.signed(trial.get()), "\u00e9" * 64))
        for name in trial.signed(trial.get()).headers:
            requests += [trial.signed(trial.get()).but(headers={name: text}) for text in (None, *ODD_VALUES)]
        clock = entry["headers"].get("timestamp")
        for text in ("abc", "1.5", "9" * 5000, "\uff11", "-1", "") if clock else ():
            requests.append(trial.signed(trial.get()).but(headers={clock: text}))
    requests += [trial.signed(trial.get(target)) for target in ODD_TARGETS]
    for request in requests:
        trial.send(request)
    trial.show("SIG-031", len(trial.crashed) > before)


def texts(trial):
    """Refusals of different causes read alike, and none quotes the signature that was wanted."""
    entry = trial.entry
    signed = trial.signed(trial.reading())
    wrong = trial.send(corrupted(entry, signed))
    missing = trial.send(without_signature(entry, trial.signed(trial.reading())))
    stale = trial.send(trial.signed(trial.reading(), shift=-10 * 365 * 86400))
    answers = [answer for answer in (wrong, missing, stale) if not answer.accepted and answer.status < 500]
    quoted = signature_of(entry, signed).encode() in wrong.body
    trial.show("SIG-032", quoted or len({(answer.status, answer.body) for answer in answers}) > 1)


def elsewhere(trial):
    """Headers and parameters that some server reads instead of what is signed."""
    entry = trial.entry
    for headers in ({"X-Mac-Algorithm": "none"}, {"X-Signature-Algorithm": "none"}, {"X-Sig-Version": "v0"}):
        forged = corrupted(entry, trial.signed(trial.reading()))
        trial.show("SIG-026", trial.send(forged.but(headers=headers)).accepted)
    foreign = [
        trial.signed(trial.request("GET", "/orders", host="evil.invalid")).but(host=trial.host) for _ in range(2)
    ]
    forwarded = foreign[1].but(headers={"X-Forwarded-Host": "evil.invalid", "Forwarded": "host=evil.invalid"})
    trial.show("SIG-009", not trial.send(foreign[0]).accepted and trial.send(forwarded).accepted)
    override = trial.signed(trial.request("POST", "/orders", b"{}", "application/json"))
    trial.show("SIG-012", trial.send(override.but(headers={"X-HTTP-Method-Override": "GET"})).accepted)
    acting = {"X-Req-Tenant": "contoso", "X-Tenant-Id": "contoso", "X-User-Id": "contoso", "X-On-Behalf-Of": "contoso"}
    answer = trial.send(trial.signed(trial.get()).but(headers=acting))
    trial.show("SIG-012", answer.accepted and b'"contoso"' in answer.body)
    if not signs_query(entry) and entry["scheme"] in ("own form", "reference", "article"):
        signed = trial.signed(trial.get())
        roles = ("signature", "timestamp", "nonce", "key_id")
        query = "&".join(
            f"{role}={signed.headers[entry['headers'][role]]}" for role in roles if role in entry["headers"]
        )
        moved = trial.get(f"/orders?{query.replace('key_id=', 'key=')}")
        trial.show("SIG-029", trial.send(moved).accepted)


GENERIC = (control, without, coverage, freshness, malformed, texts, elsewhere)
