"""The defects that the general mutations cannot show, one request or two for each."""

import hashlib
import struct
from concurrent.futures import ThreadPoolExecutor

from client import corrupted, sign, signature_of, without_signature

CONTOSO_ONLY = b"co-91d6f8b3205c"


def answers(trial, request, containing=b""):
    answer = trial.send(request)
    return answer.accepted and containing in answer.body


def moved(trial, signed_target, sent_target, containing):
    """A signature for one target opens another resource; corrupted it does not."""
    request = trial.signed(trial.get(signed_target)).but(target=sent_target)
    refused = not trial.send(
        corrupted(trial.entry, trial.signed(trial.get(signed_target))).but(target=sent_target)
    ).accepted
    return refused and answers(trial, request, containing)


def lowered(trial):
    return moved(trial, "/files/terms.txt", "/files/Terms.txt", b"Net 60")


def decoded_twice(trial):
    return moved(trial, "/files/2026/q3.txt", "/files/2026%252Fq3.txt", b"by partner")


def decoded(trial):
    return moved(trial, "/files/2026/q3.txt", "/files/2026%2Fq3.txt", b"by partner")


def tenant_by_host(trial):
    signed = trial.signed(trial.request("GET", "/orders", host="northwind.localhost"))
    return answers(trial, signed.but(host="contoso.localhost"), CONTOSO_ONLY)


def method_override(target):
    def demonstrate(trial):
        signed = trial.signed(trial.request("POST", target, b"{}", "application/json"))
        answer = trial.send(signed.but(headers={"X-HTTP-Method-Override": "GET"}))
        return answer.accepted and answer.json["handled_as"] == "GET"

    return demonstrate


def glued_fields(trial):
    signed = trial.signed(trial.request("PUT", "/files/a", b"/b", "text/plain"))
    return answers(trial, signed.but(target="/files/atext", content_type="/plain"), b"atext")


def glued_parameters(trial):
    signed = trial.signed(trial.get("/search?q=paper&shop=a"))
    return answers(trial, signed.but(target=signed.target.replace("q=paper&shop=a", "q=papershop=a")), b"papershop")


def glued_query_and_body(trial):
    """The body `00` moved to the end of the query makes recvWindow=500 a recvWindow=50000."""
    signed = sign(trial.entry, trial.request("POST", "/echo", b"00", "text/plain"), window="500")
    head, _, signature = signed.target.rpartition("&signature=")
    widened = signed.but(target=f"{head}00&signature={signature}", body=b"")
    return answers(trial, widened)


def no_maximum_window(trial):
    week = 7 * 86400
    return answers(trial, sign(trial.entry, trial.get(), shift=-week, window=str(2 * week * 1000)))


def not_a_number(trial):
    return answers(trial, trial.signed(trial.get(), text="now"))


def mount_prefix(trial):
    """The signature for one tenant's order opens the other's under its prefix."""
    return answers(
        trial, trial.signed(trial.get("/orders/1001")).but(target="/contoso/orders/1001"), b"co-55aa0b7e3c19"
    )


def consumed_form(trial):
    """A signature over nothing lets any form in, where something read the form before."""
    form = trial.request("POST", "/transfers/preview", b"", "application/x-www-form-urlencoded")
    filled = {"body": b"amount=1000000&to=mallory"}
    refused = not answers(trial, corrupted(trial.entry, trial.signed(form)).but(**filled))
    return refused and answers(trial, trial.signed(form).but(**filled), b"1000000")


def lossy_path(trial):
    """Bytes of the path that are not UTF-8 are decoded to U+FFFD before they are signed."""
    put = trial.signed(trial.request("PUT", "/files/%ff", b"x", "text/plain"))
    return answers(trial, put.but(target="/files/%fe"))


def parallel_pair(trial):
    """A stored nonce is refused afterwards, but not while it is being looked up."""
    signed = trial.signed(trial.get())
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: answers(trial, signed), range(4)))
    return sum(together) > 1 and not answers(trial, signed)


def nonce_elsewhere(trial):
    nonce = "a-nonce-of-24-characters"
    first = answers(trial, trial.signed(trial.get("/orders"), nonce=nonce))
    again = answers(trial, trial.signed(trial.get("/orders"), nonce=nonce))
    return first and not again and answers(trial, trial.signed(trial.get("/orders/1001"), nonce=nonce))


def empty_secret(trial):
    return answers(trial, sign(trial.entry, trial.get(), secret="", scheme="v0"))


def legacy_version(trial):
    request = trial.signed(trial.echo())
    digest = hashlib.sha256(request.body).hexdigest()
    headers = {"X-Sig-Version": "v0", trial.entry["headers"]["signature"]: digest}
    return answers(trial, request.but(headers=headers))


def algorithm_parameter(trial):
    forged = corrupted(trial.entry, trial.signed(trial.get()))
    return answers(
        trial, forged.but(headers={"Authorization": forged.headers["Authorization"].replace("hs2019", "none")})
    )


def old_version(trial):
    key = {trial.entry["headers"]["key_id"]: trial.entry["signing"]["key_id"]}
    new = answers(trial, trial.get("/v2/orders").but(headers=key))
    return not new and answers(trial, trial.get("/v1/orders").but(headers=key), b"nw-7f3a9c2e41d8")


def stored_although_refused(path, content_type):
    def demonstrate(trial):
        canary = b"canary-5d0c9b17"
        put = corrupted(trial.entry, trial.signed(trial.request("PUT", path, canary, content_type)))
        return not answers(trial, put) and answers(trial, trial.signed(trial.get(path)), canary)

    return demonstrate


def length_extension(trial):
    """Continues SHA-256 from a signature that was seen, without the secret, over a longer body."""
    signed = trial.signed(trial.request("POST", "/echo", b"amount=10", "text/plain"))
    names, secret = trial.entry["headers"], trial.entry["signing"]["secret"]
    head = "\n".join(
        (
            signed.headers[names["timestamp"]],
            signed.headers[names["nonce"]],
            "POST",
            signed.host,
            "/echo",
            "text/plain",
            "",
        )
    )
    length = len(secret) + len(head) + len(signed.body)
    glue = padding(length)
    suffix = b"&amount=1000000"
    state = struct.unpack(">8I", bytes.fromhex(signature_of(trial.entry, signed)))
    digest = sha256_from(state, suffix, length + len(glue))
    forged = signed.but(body=signed.body + glue + suffix, headers={names["signature"]: digest})
    return answers(trial, forged)


def padding(length):
    return b"\x80" + b"\0" * ((55 - length) % 64) + struct.pack(">Q", length * 8)


def sha256_from(state, data, before):
    """The rest of a SHA-256 over `data`, given the state after `before` bytes. Source: FIPS 180-4, 6.2.2."""
    primes = [n for n in range(2, 312) if all(n % d for d in range(2, n))]
    constants = [integer_root(p << 96, 3) & 0xFFFFFFFF for p in primes[:64]]
    data += padding(before + len(data))
    for start in range(0, len(data), 64):
        words = list(struct.unpack(">16I", data[start : start + 64]))
        for i in range(16, 64):
            a, b = words[i - 15], words[i - 2]
            s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)
            s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10)
            words.append((words[i - 16] + s0 + words[i - 7] + s1) & 0xFFFFFFFF)
        a, b, c, d, e, f, g, h = state
        for word, constant in zip(words, constants, strict=True):
            s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
            t1 = h + s1 + ((e & f) ^ (~e & g)) + constant + word
            t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
            a, b, c, d, e, f, g, h = (t1 + t2) & 0xFFFFFFFF, a, b, c, (d + t1) & 0xFFFFFFFF, e, f, g
        state = [(x + y) & 0xFFFFFFFF for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True)]
    return struct.pack(">8I", *state).hex()


def rotate(word, bits):
    return (word >> bits | word << (32 - bits)) & 0xFFFFFFFF


def integer_root(number, degree):
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high - 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= number else (low, middle)
    return low


def empty_components(trial):
    """Nothing but the parameters is signed, so another target and body pass."""
    signed = trial.signed(trial.get("/orders"), components=[])
    return answers(trial, signed.but(target="/orders/1002"), b"nw-c05be1774a92")


def fewer_headers(names):
    def demonstrate(trial):
        signed = trial.signed(trial.get("/orders"), components=names)
        return answers(trial, signed.but(host="other.invalid"))

    return demonstrate


def second_label(trial):
    signed = trial.signed(trial.get())
    more = {
        "Signature-Input": signed.headers["Signature-Input"] + ', sig2=();keyid="ak_contoso_b03c"',
        "Signature": signed.headers["Signature"] + ", sig2=:AAAA:",
    }
    return answers(trial, signed.but(headers=more), CONTOSO_ONLY)


def key_alone(trial):
    key = trial.signed(trial.echo())
    without_key = trial.echo()
    return answers(trial, key) and not answers(trial, without_key)


def proof_twice(trial):
    signed = trial.signed(trial.get())
    return answers(trial, signed) and answers(trial, signed)


def proof_for_another(trial):
    return answers(trial, trial.signed(trial.get("/orders")).but(target="/orders/1002"), b"nw-c05be1774a92")


def bearer(trial):
    token = trial.entry["signing"]["token"]
    dpop_alone = answers(trial, without_signature(trial.entry, trial.signed(trial.get())))
    return not dpop_alone and answers(trial, trial.get().but(headers={"Authorization": f"Bearer {token}"}))


DEMONSTRATIONS = {
    "article": [
        ("SIG-015", consumed_form),
        ("SIG-006", mount_prefix),
        ("SIG-012", method_override("/admin/exports")),
        ("SIG-014", lossy_path),
    ],
    "binance-client-window": [("SIG-017", no_maximum_window), ("SIG-013", glued_query_and_body)],
    "fields-glued": [("SIG-013", glued_fields)],
    "host-left-out": [("SIG-008", tenant_by_host)],
    "key-alone": [("SIG-039", key_alone)],
    "legacy-version": [("SIG-026", legacy_version)],
    "node-cavage-algorithm-none": [("SIG-026", algorithm_parameter)],
    "node-cavage-chosen-headers": [("SIG-036", fewer_headers(["date"]))],
    "node-declared-digest": [("SIG-035", lambda trial: "SIG-010" in trial.shown)],
    "node-dpop-bearer": [("SIG-040", bearer)],
    "node-dpop-other-request": [("SIG-040", proof_for_another)],
    "node-dpop-replay": [("SIG-040", proof_twice)],
    "node-method-override": [("SIG-012", method_override("/drafts"))],
    "node-old-version": [("SIG-030", old_version)],
    "node-nonce-race": [("SIG-022", parallel_pair)],
    "node-path-decoded": [("SIG-007", decoded)],
    "node-shopify-proxy": [("SIG-013", glued_parameters)],
    "node-slack-nan": [("SIG-017", not_a_number)],
    "node-stream-then-verify": [("SIG-033", stored_although_refused("/files/canary", "text/plain"))],
    "nonce-per-route": [("SIG-023", nonce_elsewhere)],
    "path-decoded-twice": [("SIG-007", decoded_twice)],
    "path-lowered": [("SIG-007", lowered)],
    "rfc9421-any-components": [("SIG-036", empty_components)],
    "rfc9421-digest-unread": [("SIG-035", lambda trial: "SIG-010" in trial.shown)],
    "rfc9421-first-label": [("SIG-037", second_label)],
    "secret-first": [("SIG-034", length_extension)],
    "sigv4-chosen-headers": [("SIG-036", fewer_headers(["x-amz-date"]))],
    "sigv4-declared-digest": [("SIG-035", lambda trial: "SIG-010" in trial.shown)],
    "stripe-v0-accepted": [("SIG-026", empty_secret)],
    "write-then-verify": [("SIG-033", stored_although_refused("/drafts/canary", "text/plain"))],
}
