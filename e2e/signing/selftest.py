"""Proves the lab: starts each verifier on a free loopback port and sends it real requests.

    python e2e/signing/selftest.py [NAME …]     --table prints the table of README.md

Each app must accept the valid request, show its defect and its scheme's gaps, and show nothing else.
"""

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from demonstrations import DEMONSTRATIONS
from mutations import GENERIC, Trial, control

HERE = Path(__file__).resolve().parent
PYTHON = [sys.executable, "-m", "signing_lab"]
NODE = ["node", str(HERE / "node" / "main.mjs")]
PATIENCE_SECONDS = 60


def run(command, **options):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(command, cwd=HERE / "python", env=environment, stdin=subprocess.DEVNULL, **options)


def catalog():
    entries = []
    for command in (PYTHON, NODE):
        listing = run([*command, "--list"], stdout=subprocess.PIPE)
        entries += json.loads(listing.communicate()[0])
    for entry in entries:
        # Where nothing is signed, there is no such block: the key stands in its header all the same.
        entry["signing"] = entry["signing"] or {"headers": entry["headers"], **entry["credentials"][0]}
        entry["files"] = any(operation["target"].startswith("/files/") for operation in entry["operations"])
    return entries


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port, process):
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("it does not start")


def examine(entry):
    """Returns what is wrong with one app, in words, or None; and how many requests it took."""
    port = free_port()
    command = PYTHON if entry["language"] == "python" else NODE
    process = run([*command, entry["name"], str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        return judge(Trial(entry, port))
    except AssertionError as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        process.terminate()
        process.wait()


def judge(trial):
    entry = trial.entry
    every_operation_works(trial)
    for family in (control,) if entry["scheme"] == "api key" else GENERIC:
        family(trial)
        if "SIG-003" in trial.shown:
            break
    for row, demonstrate in DEMONSTRATIONS.get(entry["name"], ()):
        shown = demonstrate(trial)
        trial.show(row, shown)
        if not shown:
            return f"{row} is not demonstrated"
    expected = {entry["defect"], *entry["also"], *entry["gaps"]} - {"none"}
    if "SIG-003" in trial.shown:
        expected = {"SIG-003"}
    missed = sorted(row for row in expected & trial.tried if row not in trial.shown)
    surplus = sorted(trial.shown - expected)
    if entry["defect"] != "none" and entry["defect"] not in trial.shown:
        missed = sorted({*missed, entry["defect"]})
    if missed or surplus:
        return f"not shown: {missed}, shown besides: {surplus}"
    return None


def every_operation_works(trial):
    for operation in trial.entry["operations"]:
        body = operation.get("body", "").encode()
        target = operation["target"]
        request = trial.request(operation["method"], target, body, operation.get("content_type"))
        if "signs" in operation:
            other = {
                "target": operation["signs"].get("target", target),
                "body": operation["signs"].get("body", "").encode(),
            }
            signed = trial.signed(request.but(**other)).but(target=target, body=body)
        else:
            signed = trial.signed(request)
        if not trial.send(signed).accepted:
            raise AssertionError(f"{operation['method']} {target} is refused when signed")
    for public in trial.entry["public"]:
        if not trial.send(trial.get(public.removeprefix("GET "))).accepted:
            raise AssertionError(f"{public} is not public")


def table(entries):
    rows = ["| Name | Language | Scheme | Defect | It shows | Refusal |", "|---|---|---|---|---|---|"]
    for entry in entries:
        errors = entry["errors"]
        slow = f", {errors['delay_ms']} ms" if errors["delay_ms"] else ""
        refusal = f"{errors['status']} {errors['style']}, {errors['language']}{slow}"
        shows = entry["shows"].replace("|", "\\|")
        cells = (f"`{entry['name']}`", entry["language"], entry["scheme"], entry["defect"], shows, refusal)
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(row.replace("|  |", "| |") for row in rows) + "\n"


def main(names):
    if names == ["--table"]:
        print(table(catalog()), end="")
        return 0
    if not names and table(catalog()) not in (HERE / "README.md").read_text():
        print("README.md has another table: paste the output of --table", file=sys.stderr)
        return 1
    entries = [entry for entry in catalog() if not names or entry["name"] in names]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(zip(entries, pool.map(examine, entries), strict=True))
    for entry, wrong in outcomes:
        line = f"{entry['name']:28} {entry['language']:7} {entry['scheme']:18} {entry['defect']:8}"
        print(line, "ok" if wrong is None else f"FAILED {wrong}")
    failed = sum(wrong is not None for _, wrong in outcomes)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
