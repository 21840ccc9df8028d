"""`python -m verifiers NAME PORT` serves one app on loopback, `--list` prints all as JSON."""

import json
import sys

import waitress

from .catalog import listing, load
from .serving import create


def main(arguments):
    mounted = load()
    if arguments == ["--list"]:
        print(json.dumps([listing(entry) for entry in mounted.values()], indent=2))
        return 0
    if len(arguments) != 2 or arguments[0] not in mounted or not arguments[1].isdecimal():
        print("usage: python -m verifiers NAME PORT | --list", file=sys.stderr)
        return 2
    waitress.serve(create(mounted[arguments[0]]), host="127.0.0.1", port=int(arguments[1]), threads=8, _quiet=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
