"""Masks credentials in everything that is logged through `logging`, uvicorn's access log included.

    keep_credentials_out_of_logs(app)
"""

import logging
import re
from contextvars import ContextVar
from urllib.parse import parse_qsl

HEADERS = (b"x-api-key", b"authorization", b"proxy-authorization", b"cookie")
QUERY = re.compile(r"""([?&;][^=&\s]*(?:key|token|secret|passw|sig|auth)[^=&\s]*=)[^&\s"']+""", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")

credentials = ContextVar("credentials of the request at hand", default=())


class Remember:
    """Middleware that notes what a request brings."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            sent = [word for name, value in scope["headers"] if name in HEADERS for word in value.decode("latin-1").split()]
            query = parse_qsl(scope["query_string"].decode("latin-1"))
            sent += [value for name, value in query if QUERY.match(f"?{name}=x")]
            # Shorter ones are no credentials, and would mask words that are none.
            credentials.set(sorted((word for word in sent if len(word) >= 8), key=len, reverse=True))
        await self.app(scope, receive, send)


def masked(text):
    """Returns the text without credentials of the request at hand, on one line."""
    for value in credentials.get():
        text = text.replace(value, "[masked]")
    return CONTROL.sub(lambda c: c[0].encode("unicode_escape").decode(), QUERY.sub(r"\1[masked]", text))


def keep_credentials_out_of_logs(app):
    app.add_middleware(Remember)
    make = logging.getLogRecordFactory()

    def make_masked(*args, **kwargs):
        record = make(*args, **kwargs)
        if record.name == "uvicorn.access":
            # Its formatter takes the arguments apart again.
            record.args = tuple(masked(arg) if isinstance(arg, str) else arg for arg in record.args)
        else:
            record.msg, record.args = masked(record.getMessage()), ()
        return record

    logging.setLogRecordFactory(make_masked)
