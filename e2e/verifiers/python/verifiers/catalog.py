"""What a mounted verifier is, and the table of all of them."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

MOUNTED = {}


@dataclass(frozen=True)
class Operation:
    """A request that works when signed. `path` is the template where `target` fills one in."""

    method: str
    target: str
    content_type: str | None = None
    body: str | None = None
    path: str | None = None

    @property
    def key(self):
        return f"{self.method} {self.path or self.target.partition('?')[0]}"


@dataclass(frozen=True)
class Mounted:
    """A library's verifier in an app.

    `mount(app)` adds the routes. `document` is what the routes follow, `signing` the block of
    middlebrick.yaml with the credentials.
    """

    name: str
    library: str
    document: str
    scheme: str
    signing: dict
    operations: tuple
    mount: Callable


def mounted(name, **options):
    """Registers the decorated function as what mounts the verifier `name`."""

    def register(mount):
        MOUNTED[name] = Mounted(name=name, mount=mount, **options)
        return mount

    return register


def load():
    """Imports every module of the package, so that MOUNTED is complete, and returns it."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("__"):
            importlib.import_module(f"{__package__}.{module.name}")
    return dict(sorted(MOUNTED.items()))


def listing(entry):
    """The entry of `--list`: everything that a client of this app needs."""
    return {
        "name": entry.name,
        "language": "python",
        "framework": "Flask",
        "library": entry.library,
        "version": metadata.version(entry.library),
        "document": entry.document,
        "scheme": entry.scheme,
        "signing": entry.signing,
        "operations": [
            {key: value for key, value in vars(operation).items() if value is not None}
            for operation in entry.operations
        ],
        "public": ["GET /health", "GET /openapi.json"],
        "repeatable": [operation.key for operation in entry.operations if operation.method != "GET"],
        "description": "/openapi.json",
    }
