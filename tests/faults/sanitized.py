#!/usr/bin/env python3
"""Every role of a cluster under a sanitizer and under load, while a worker and a gateway are killed.

    sanitized.py BINARY [--seconds N] [--seed N]      BINARY: parley of the preset asan or tsan

Fails when a role's sanitizer reports anything (also at its end: leaks), when a role does not end by itself, and when
the checker of the fault runs is not content. How long somebody saw nothing new says nothing here.
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path[:0] = [str(HERE), str(TESTS.parent), *(str(TESTS / name) for name in ("crash", "e2e", "cluster"))]

from links import LinkedCluster  # noqa: E402
from registry import Fault, killed_for  # noqa: E402
from run import HEAD, run_one  # noqa: E402

MARKS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error: ")
ROLES = ("chat", "user", "media", "ingest", "heartbeat")


def sanitizer_options(folder):
    where = f"log_path={folder}/report:log_exe_name=1"
    return {
        "ASAN_OPTIONS": f"{where}:detect_stack_use_after_return=1:strict_string_checks=1:detect_leaks=1",
        "LSAN_OPTIONS": where,
        "UBSAN_OPTIONS": f"{where}:print_stacktrace=1:halt_on_error=1",
        "TSAN_OPTIONS": f"{where}:second_deadlock_stack=1:halt_on_error=1",
    }


def reports(folder, cluster):
    """What the sanitizers wrote to files of their own, or between the lines of a role's log."""
    found = {file.name: file.read_text(errors="replace") for file in sorted(folder.glob("report*"))}
    for file in cluster.folder.glob("logs/*"):
        if file.name.startswith(ROLES):
            text = file.read_text(errors="replace")
            for mark in MARKS:
                if mark in text:
                    found[file.name] = text[max(0, text.index(mark) - 200) :][:6000]
    return found


def story(seconds):
    """A fault that lasts so long: a gateway and a worker are killed, a user node ends in good order."""

    def do(cluster, dice):
        part = max(2.0, (seconds - 8) / 4)
        time.sleep(part)
        killed_for(cluster, "chat.1", 2)
        time.sleep(part)
        killed_for(cluster, "ingest.1", 3)
        time.sleep(part)
        cluster.local.restart("user.1")
        time.sleep(part)

    return Fault(
        "sanitized", do, short=False, pause_max=float("inf"), door=False, observers=2, clocks=(0,), missing=lambda: None
    )


def main():
    parser = argparse.ArgumentParser(description="All roles under a sanitizer and load")
    parser.add_argument("binary", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    arguments = parser.parse_args()
    os.environ["PARLEY_BINARY"] = str(arguments.binary.resolve())
    print(f"seed {arguments.seed}, {arguments.binary}", flush=True)
    with tempfile.TemporaryDirectory(prefix="parley-sanitized-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o777)
        # Slower by a factor: a worker that is late is not a worker that is gone.
        cluster = LinkedCluster(environment=sanitizer_options(folder), session_timeout_ms=10_000)
        killed = []
        try:
            cluster.up()
            print(f"{len(cluster.local.parts())} processes run\n{HEAD}", flush=True)
            row = run_one(cluster, story(arguments.seconds), arguments.seed, folder / "load")
            print(row, flush=True)
        finally:
            killed = cluster.stop(delete=False)
        said = reports(folder, cluster)
        for name, text in said.items():
            print(f"--- {name}\n{text[:6000]}", flush=True)
        slow = [name for name in killed if name.startswith(ROLES)]
        cluster.delete()
    print(f"{len(said)} reports, {len(slow)} roles did not end by themselves: {' '.join(slow)}")
    sys.exit(1 if said or slow or not row.clean() else 0)


if __name__ == "__main__":
    main()
