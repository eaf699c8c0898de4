#!/usr/bin/env python3
"""Breaks a cluster under load, in every way of faults.py, and holds what people were told and saw against history.

    run.py [--short] [--only NAME]... [--seed N] [--keep FOLDER] [--no-sticky] [--table FILE]

A row a fault: messages sent, and of these lost, doubled, reordered, invented and missed, as tests/crash/check.py
has it; and the longest time in which somebody saw nothing new. Exits with 1 when a row is not clean.
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path[:0] = [str(HERE), str(TESTS.parent), *(str(TESTS / name) for name in ("crash", "e2e", "cluster"))]

import faults  # noqa: E402, F401
from links import LinkedCluster  # noqa: E402
from load import Load  # noqa: E402
from registry import FAULTS, by_name, dice_of  # noqa: E402

VERDICTS = ("lost", "doubled", "reordered", "invented", "missed")
HEAD = f"{'fault':34} {'sends':>6} {'acked':>6}  " + " ".join(f"{v:>9}" for v in VERDICTS) + "  pause"


class Row:
    def __init__(self, fault, summary, pause, trouble=""):
        self.fault, self.summary, self.pause, self.trouble = fault, summary, pause, trouble
        # A machine that does other things besides takes its time: more than two threads a core wait.
        crowd = os.getloadavg()[0] / (os.cpu_count() or 1)
        self.pause_max = fault.pause_max * max(1, crowd / 2)

    def clean(self):
        counts = [self.summary.get(verdict, 1) for verdict in VERDICTS]
        return not any(counts) and not self.trouble and self.pause <= self.pause_max

    def may_be_the_machine(self):
        """Not clean, and yet nothing is known to be wrong: it was late, or came to no end."""
        return not self.clean() and not any(self.summary.get(verdict, 0) for verdict in VERDICTS)

    def broke_the_cluster(self):
        """What comes after it would say nothing."""
        return bool(self.trouble)

    def __str__(self):
        cells = " ".join(f"{self.summary.get(verdict, '?'):>9}" for verdict in VERDICTS)
        sent, acknowledged = self.summary.get("sent", "?"), self.summary.get("acknowledged", "?")
        line = f"{self.fault.name:34} {sent:>6} {acknowledged:>6}  {cells}  {self.pause:4.1f} s"
        if self.pause > self.pause_max:
            line += f" (at most {self.pause_max:.0f})"
        return line + (f"  {self.trouble}" if self.trouble else "")


class Table:
    """The rows as Markdown, written anew after each; a run that breaks off leaves what it had."""

    def __init__(self, path, seed):
        self.path, self.seed, self.lines = path, seed, []

    def add(self, row):
        count = row.summary.get
        cells = [count("sent", "?"), count("acknowledged", "?"), *(count(v, "?") for v in VERDICTS)]
        verdict = "clean" if row.clean() else row.trouble.partition("\n")[0] or "not clean"
        self.write([row.fault.name, *cells, f"{row.pause:.1f} s", verdict])

    def skip(self, fault, why):
        self.write([fault.name, *[""] * 8, f"skipped: {why}"])

    def write(self, cells):
        self.lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
        if not self.path:
            return
        head = ["fault", "sends", "acknowledged", *VERDICTS, "longest pause", "verdict"]
        top = ["| " + " | ".join(head) + " |", "|---" + "|--:" * 8 + "|---|"]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("\n".join([f"Seed {self.seed}.", "", *top, *self.lines]) + "\n")


def mend(cluster):
    """Whatever a fault has left: everything runs again."""
    cluster.heal_links()
    for part in cluster.local.parts():
        part.signal(signal.SIGCONT)
    cluster.local.up()
    return cluster.wait_ready(40)


def run_one(cluster, fault, seed, folder):
    dice, pause = dice_of(seed, fault.name), 0.0

    def nemesis():
        fault.do(cluster, dice)
        mend(cluster)

    try:
        server = cluster
        if fault.door:
            server = cluster.last_door = cluster.door()
        cluster.wait_shared()
        load = Load(server, folder, seed, observers=fault.observers, clocks=fault.clocks)
        cluster.rooms = list(load.readers)
        late = asyncio.run(load.run(nemesis))
        trouble = f"{late} observers never got to the end" if late else ""
        pause = load.longest_pause()
    except Exception as problem:  # one bad row must not take the others with it
        trouble = f"{type(problem).__name__}: {problem}"[:300]
    if not (folder / "history.jsonl").exists():  # nothing to hold the clients' logs against
        return Row(fault, {}, pause, trouble)
    done = subprocess.run(
        [sys.executable, str(TESTS / "crash/check.py"), str(folder)], capture_output=True, text=True
    )
    summary = json.loads(done.stdout) if done.stdout else {}
    return Row(fault, summary, pause, trouble)


def main():
    parser = argparse.ArgumentParser(description="Faults of a cluster under load")
    parser.add_argument("--short", action="store_true", help="what every run of the suite has")
    parser.add_argument("--only", action="append", help="a name, or a part of one")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--keep", type=Path, help="leave the clients' logs in this new folder")
    parser.add_argument("--table", type=Path, help="write the rows there, as Markdown")
    parser.add_argument("--no-sticky", action="store_true", help="sockets go to any chat node")
    arguments = parser.parse_args()
    chosen = [by_name(name) for name in arguments.only or []]
    chosen = chosen or [fault for fault in FAULTS if fault.short or not arguments.short]
    print(f"seed {arguments.seed}", flush=True)
    bad, table = 0, Table(arguments.table, arguments.seed)
    with tempfile.TemporaryDirectory(prefix="parley-faults-") as temporary:
        logs = arguments.keep or Path(temporary)
        cluster = LinkedCluster(sticky=not arguments.no_sticky).up()
        try:
            print(f"the cluster is at {cluster.url}, its folder {cluster.folder}\n{HEAD}", flush=True)
            for number, fault in enumerate(chosen):
                if why := fault.missing():
                    print(f"{fault.name:34} skipped: {why}", flush=True)
                    table.skip(fault, why)
                    continue
                begun = time.monotonic()
                row = run_one(cluster, fault, arguments.seed, logs / f"{number:02}")
                print(f"{row}  [{time.monotonic() - begun:.0f} s]", flush=True)
                table.add(row)
                if not row.clean():
                    bad += 1
                    print(json.dumps(row.summary.get("examples", {}), indent=1), flush=True)
                if row.broke_the_cluster() and number + 1 < len(chosen):
                    cluster.stop()
                    cluster = LinkedCluster(sticky=not arguments.no_sticky).up()
        finally:
            cluster.stop()
    print(f"{len(chosen) - bad} of {len(chosen)} faults clean, seed {arguments.seed}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
