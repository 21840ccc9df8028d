"""Masks credentials in everything that is logged through `logging`, the access log included.

    keep_credentials_out_of_logs()              # after logging is configured
"""

import logging
import re

from flask import has_request_context, request

HEADERS = ("X-API-Key", "Authorization", "Proxy-Authorization", "Cookie")
QUERY = re.compile(r"""([?&;][^=&\s]*(?:key|token|secret|passw|sig|auth)[^=&\s]*=)[^&\s"']+""", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


def masked(text):
    """Returns the text without credentials of the request at hand, on one line."""
    if has_request_context():
        sent = [word for name in HEADERS for word in request.headers.get(name, "").split()]
        sent += [value for name, value in request.args.items() if QUERY.match(f"?{name}=x")]
        # Shorter ones are no credentials, and would mask words that are none.
        for value in sorted((value for value in sent if len(value) >= 8), key=len, reverse=True):
            text = text.replace(value, "[masked]")
    return CONTROL.sub(lambda c: c[0].encode("unicode_escape").decode(), QUERY.sub(r"\1[masked]", text))


def keep_credentials_out_of_logs():
    """Wraps the making of log records, so that no handler sees the credentials."""
    make = logging.getLogRecordFactory()

    def make_masked(*args, **kwargs):
        record = make(*args, **kwargs)
        record.msg, record.args = masked(record.getMessage()), ()
        return record

    logging.setLogRecordFactory(make_masked)
