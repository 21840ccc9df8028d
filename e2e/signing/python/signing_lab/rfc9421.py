"""HTTP Message Signatures with hmac-sha256, and Content-Digest for the body.

Follows RFC 9421 (sections 2.2, 2.5, 3.2, 7.2) and RFC 9530. The subset: inner lists of strings,
parameters that are tokens, integers or strings, no component parameters.
"""

import base64
import hashlib
import hmac
import re
import time

from .catalog import SECRETS, Errors, Scheme, verifier
from .orders import act_as
from .sent import raw_body, target
from .stores import Used

REQUIRED = ("@method", "@authority", "@target-uri", "content-type", "content-digest")
SIGNING = {
    "preset": "rfc9421",
    "algorithm": "hmac-sha256",
    "encoding": "base64",
    "clock": "s",
    "components": list(REQUIRED),
    "parameters": ["created", "nonce", "keyid"],
    "headers": {"signature": "Signature"},
}
HTTP_SIGNATURES = Scheme("rfc9421", "RFC 9421, RFC 9530", SIGNING)
INPUT = re.compile(r'\s*([a-z][a-z0-9_-]*)=(\(((?:"[a-z0-9@-]+" ?)*)\)((?:;[a-z]+=(?:"[^"]*"|[0-9]+))*))\s*')
nonces = Used(600)


def parse(request):
    """Returns label, components, parameters and their text for each signature, in order."""
    found = []
    for part in request.headers.get("Signature-Input", "").split(","):
        member = INPUT.fullmatch(part)
        if member:
            label, text, components, parameters = member.groups()
            values = {name: value.strip('"') for name, value in re.findall(';([a-z]+)=("[^"]*"|[0-9]+)', parameters)}
            found.append((label, re.findall('"([^"]+)"', components), values, text))
    return found


def component(request, name):
    match name:
        case "@method":
            return request.method
        case "@authority":
            return request.headers["Host"].lower()
        case "@target-uri":
            return f"{request.scheme}://{request.headers['Host']}{target(request)}"
    return request.headers.get(name, "").strip()


def authentic(request, label, components, parameters, text):
    """Whether the signature with this label is right, fresh and of a known key."""
    signatures = dict(re.findall(r"([a-z][a-z0-9_-]*)=:([A-Za-z0-9+/=]*):", request.headers.get("Signature", "")))
    secret, created = SECRETS.get(parameters.get("keyid")), parameters.get("created", "")
    if secret is None or not re.fullmatch("[0-9]{10}", created) or abs(time.time() - int(created)) > 300:
        return False
    base = "".join(f'"{name}": {component(request, name)}\n' for name in components) + f'"@signature-params": {text}'
    expected = base64.b64encode(hmac.new(secret, base.encode(), hashlib.sha256).digest())
    return hmac.compare_digest(expected, signatures.get(label, "").encode())


def digest_holds(request):
    right = base64.b64encode(hashlib.sha256(raw_body(request)).digest()).decode()
    return request.headers.get("Content-Digest", "") == f"sha-256=:{right}:"


def covers_enough(request, components):
    """Whether every required component is covered; a field that is absent cannot be."""
    return {name for name in REQUIRED if name[0] == "@" or name in request.headers} <= set(components)


def first_use(parameters):
    nonce = parameters.get("nonce", "")
    return len(nonce) >= 12 and nonces.add((parameters["keyid"], nonce)) and act_as(parameters["keyid"])


@verifier(
    "rfc9421-strict",
    HTTP_SIGNATURES,
    Errors("problem", 422, "The signature is not valid."),
    nonce_store=True,
    files=True,
)
def strict(request):
    signatures = parse(request)
    if len(signatures) != 1:
        return False
    label, components, parameters, text = signatures[0]
    if not covers_enough(request, components) or not digest_holds(request):
        return False
    return authentic(request, label, components, parameters, text) and first_use(parameters)


@verifier(
    "rfc9421-digest-unread",
    HTTP_SIGNATURES,
    Errors("problem", 401, "Die Signatur ist ungültig.", "de"),
    defect="SIG-035",
    shows="Content-Digest is covered, and never compared with the body (section 7.2.8)",
    also=("SIG-010",),
    nonce_store=True,
)
def digest_unread(request):
    signatures = parse(request)
    if len(signatures) != 1 or not covers_enough(request, signatures[0][1]):
        return False
    return authentic(request, *signatures[0]) and first_use(signatures[0][2])


@verifier(
    "rfc9421-any-components",
    HTTP_SIGNATURES,
    Errors("json", 401, "invalid http signature"),
    defect="SIG-036",
    shows="no component is required: a signature over `()` opens everything (section 7.2.1)",
    nonce_store=True,
)
def any_components(request):
    signatures = parse(request)
    if len(signatures) != 1 or ("content-digest" in signatures[0][1] and not digest_holds(request)):
        return False
    return authentic(request, *signatures[0]) and first_use(signatures[0][2])


@verifier(
    "rfc9421-first-label",
    HTTP_SIGNATURES,
    Errors("json", 403, "signature refused"),
    defect="SIG-037",
    shows="the first signature is verified, the caller is the `keyid` of the last",
    nonce_store=True,
)
def first_label(request):
    signatures = parse(request)
    if not signatures or not covers_enough(request, signatures[0][1]) or not digest_holds(request):
        return False
    if not authentic(request, *signatures[0]) or not first_use(signatures[0][2]):
        return False
    return act_as(signatures[-1][2].get("keyid"))
