"""Reads secrets from the environment, and ends the program where one is weak.

    app.config["JWT_SECRET"] = secret("JWT_SECRET")
"""

import os
import re

PLACEHOLDER = re.compile(r"change.?me|placeholder|example|secret|password|[{<$*]|(.)\1{5}", re.I)


def secret(name, least_bytes=32):
    """Returns the secret of a variable; the message of SystemExit never repeats the value."""
    value = os.environ.get(name, "")
    if len(value.encode()) < least_bytes:
        raise SystemExit(f"{name} must hold at least {least_bytes} bytes")
    if len(set(value)) < 12 or PLACEHOLDER.search(value):
        raise SystemExit(f"{name} must be random: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'")
    return value
