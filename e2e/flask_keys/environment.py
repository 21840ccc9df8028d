"""Makes random test credentials for remediated.py.

    python environment.py           JSON: {"environment": {...}, "credentials": {...}}
    python environment.py --shell   `export` lines for a shell; the credentials as comments

`environment` is what the server needs, `credentials` is what its clients need.
"""

import hashlib
import json
import secrets
import shlex
import sys

from werkzeug.security import generate_password_hash

READ = ["orders:read", "reports:read"]


def api_key(identifier, owner, plan, scopes):
    plain = "sk_live_" + secrets.token_hex(24)
    digest = hashlib.sha256(plain.encode()).hexdigest()
    record = {"id": identifier, "owner": owner, "plan": plan, "sha256": digest, "scopes": scopes}
    return plain, record


northwind, northwind_record = api_key("k1", "northwind", "wholesale", [*READ, "orders:export"])
contoso, contoso_record = api_key("k2", "contoso", "trial", READ)
password = secrets.token_urlsafe(18)

environment = {
    "ORDERS_KEYS": json.dumps([northwind_record, contoso_record]),
    "ORDERS_USERS": json.dumps(
        {"alice": {"password_hash": generate_password_hash(password), "role": "clerk"}}
    ),
    "ORDERS_JWT_SECRET": secrets.token_urlsafe(48),
    "ORDERS_ALLOWED_ORIGIN": "https://shop.example",
}
credentials = {
    "northwind_key": northwind,
    "contoso_key": contoso,
    "username": "alice",
    "password": password,
}

if "--shell" in sys.argv[1:]:
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")
    for name, value in credentials.items():
        print(f"# {name}: {value}")
else:
    print(json.dumps({"environment": environment, "credentials": credentials}, indent=2))
