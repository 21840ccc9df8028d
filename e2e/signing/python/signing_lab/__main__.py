"""`python -m signing_lab NAME PORT` serves one app on loopback, `--list` prints all as JSON."""

import json
import sys

import waitress

from . import create
from .catalog import listing, load


def main(arguments):
    if arguments == ["--list"]:
        print(json.dumps([listing(entry) for entry in load().values()], indent=2, ensure_ascii=False))
        return 0
    if len(arguments) != 2 or arguments[0] not in load() or not arguments[1].isdecimal():
        print("usage: python -m signing_lab NAME PORT | --list", file=sys.stderr)
        return 2
    waitress.serve(
        create(arguments[0]),
        host="127.0.0.1",
        port=int(arguments[1]),
        threads=8,
        clear_untrusted_proxy_headers=False,  # as behind a proxy that sets them: some apps read X-Forwarded-Host
        _quiet=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
