"""What a verifier is: its scheme, its one defect, how it refuses, and the table of all of them."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

VERIFIERS = {}

NORTHWIND = ("ak_northwind_7d1f", "northwind-2f8e61c09ab54d7783e1")
CONTOSO = ("ak_contoso_b03c", "contoso-91d44be7f02a4c6b8a57")
SECRETS = {key_id: secret.encode() for key_id, secret in (NORTHWIND, CONTOSO)}
TENANTS = {NORTHWIND[0]: "northwind", CONTOSO[0]: "contoso"}


@dataclass(frozen=True)
class Scheme:
    """How clients sign.

    `signing` is the block of middlebrick.yaml without credentials. `gaps` are the rows of the
    design's list that follow from the scheme itself, whoever implements it. A credential is a key id,
    None where the scheme has none, and a secret.
    """

    name: str
    document: str
    signing: dict
    credentials: tuple = (NORTHWIND, CONTOSO)
    gaps: tuple = ()


@dataclass(frozen=True)
class Errors:
    """How an app words a refusal: `json`, `coded`, `ok-false`, `problem`, `text`, `html` or `xml`."""

    style: str
    status: int
    text: str
    language: str = "en"
    delay_ms: int = 0


@dataclass(frozen=True)
class Verifier:
    """One app. `verify(request)` gives True, False, or a response of its own to refuse with.

    `defect` is a row of the design's list or "none", `shows` says in a sentence how it is seen,
    `also` are rows that cannot be told apart from it by requests. `arrange(app)` adds what the app
    has beyond the orders API and may return a WSGI application around it.
    """

    name: str
    verify: Callable
    scheme: Scheme
    defect: str
    shows: str
    errors: Errors
    also: tuple = ()
    files: bool = False
    guards: str = "every path"
    nonce_store: bool = False
    hosts: tuple = ()
    public: tuple = ()
    operations: tuple = ()
    body: str = '{"item":"paper filters","quantity":400}'
    repeatable: tuple = ()
    arrange: Callable | None = field(default=None, compare=False)


def verifier(name, scheme, errors, defect="none", shows="", **options):
    """Registers the decorated function as the verifier `name`."""

    def register(verify):
        VERIFIERS[name] = Verifier(name, verify, scheme, defect, shows, errors, **options)
        return verify

    return register


def load():
    """Imports every module of the package, so that VERIFIERS is complete, and returns it."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("__"):
            importlib.import_module(f"{__package__}.{module.name}")
    return dict(sorted(VERIFIERS.items()))


def listing(entry):
    """The entry of `--list`: everything that a client of this app needs, and what is true of it."""
    scheme = entry.scheme
    signs = "preset" in scheme.signing or "canonical" in scheme.signing
    clients = [{"key_id": key_id, "secret": secret} for key_id, secret in scheme.credentials]
    signing = dict(scheme.signing)
    if clients:
        signing["secret"] = clients[0]["secret"]
        if clients[0]["key_id"] is not None:
            signing["key_id"] = clients[0]["key_id"]
    return {
        "name": entry.name,
        "language": "python",
        "framework": "Flask",
        "scheme": scheme.name,
        "document": scheme.document,
        "defect": entry.defect,
        "also": list(entry.also),
        "gaps": list(scheme.gaps),
        "shows": entry.shows,
        "errors": {
            "style": entry.errors.style,
            "status": entry.errors.status,
            "text": entry.errors.text,
            "language": entry.errors.language,
            "delay_ms": entry.errors.delay_ms,
        },
        "guards": entry.guards,
        "nonce_store": entry.nonce_store,
        "hosts": list(entry.hosts),
        "headers": scheme.signing.get("headers", {}),
        "encoding": scheme.signing.get("encoding", ""),
        "credentials": clients,
        "signing": signing if signs else None,
        "identities": identities(scheme, clients, signs),
        "operations": operations(entry),
        "public": ["GET /health", "GET /openapi.json", *entry.public],
        "repeatable": repeatable(entry),
        "description": "/openapi.json",
    }


def operations(entry):
    """Requests that work when signed: method, target, and where it has one, content type and body."""
    found = [
        {"method": "GET", "target": "/orders"},
        {"method": "GET", "target": "/orders/1001"},
        {"method": "GET", "target": "/search?q=paper"},
        {"method": "POST", "target": "/echo", "content_type": "application/json", "body": entry.body},
    ]
    if entry.files:
        found.append({"method": "GET", "target": "/files/terms.txt"})
        found.append({"method": "PUT", "target": "/files/a", "content_type": "text/plain", "body": "/b"})
    return [*found, *entry.operations]


def repeatable(entry):
    """Operations that a scan may send although they are not GET."""
    return ["POST /echo", *(["PUT /files/{path}"] if entry.files else []), *entry.repeatable]


def identities(scheme, clients, signs):
    """Each client as an identity of middlebrick.yaml, by the name of its tenant."""
    named = zip(("northwind", "contoso"), clients)
    if not signs:
        return {name: {"header": {scheme.signing["headers"]["key_id"]: client["key_id"]}} for name, client in named}
    return {
        name: {"signing": {**scheme.signing, **{part: value for part, value in client.items() if value is not None}}}
        for name, client in named
    }
