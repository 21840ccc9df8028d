"""Makes random test keys for remediated.py.

    python environment.py           JSON: {"environment": {...}, "credentials": {...}}
    python environment.py --shell   `export` lines for a shell; the keys as comments

`environment` is what the server needs, `credentials` is what its clients need.
"""

import hashlib
import json
import secrets
import shlex
import sys

keys = {holder: "rk_" + secrets.token_hex(24) for holder in ("alice", "bob")}
digests = {hashlib.sha256(key.encode()).hexdigest(): holder for holder, key in keys.items()}

environment = {"RECORDS_KEYS": json.dumps(digests)}
credentials = {f"{holder}_key": key for holder, key in keys.items()}

if "--shell" in sys.argv[1:]:
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")
    for name, value in credentials.items():
        print(f"# {name}: {value}")
else:
    print(json.dumps({"environment": environment, "credentials": credentials}, indent=2))
