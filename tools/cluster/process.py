"""A process that outlives whoever started it, and is found again by its own pid and start time.

Nothing is ever ended by name: a pid counts only while the process behind it began when ours did.
"""

import os
import signal
import subprocess
import time
from pathlib import Path


def stat_of(pid):
    """State and start time (ticks since boot) of a process, or None."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[19])


def descendants(pid):
    """Its children and theirs: PostgreSQL's are in sessions of their own."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, front = [], [pid]
    while front:
        front = [child for each in front for child in children.get(each, [])]
        found += front
    return found


def start(command, log, environment=None, cwd=None):
    """Detached from the terminal; answers what find() needs."""
    with open(log, "ab") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment,
            cwd=cwd,
            start_new_session=True,
        )
    stat = stat_of(process.pid)
    _started[process.pid] = process
    return {"pid": process.pid, "began": stat[1] if stat else 0}


_started = {}  # children of ours, to be reaped


def alive(record):
    if not record:
        return False
    if record["pid"] in _started:
        _started[record["pid"]].poll()
    stat = stat_of(record["pid"])
    return bool(stat) and stat[0] not in "ZX" and stat[1] == record["began"]


def stopped(record):
    stat = stat_of(record["pid"])
    return bool(stat) and stat[0] == "T"


def send(record, number, whole_tree=False):
    """True if there was somebody to send it to."""
    if not alive(record):
        return False
    below = descendants(record["pid"]) if whole_tree else []
    for pid in [record["pid"], *below]:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
    return True


def wait_gone(record, seconds):
    end = time.monotonic() + seconds
    while alive(record):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def await_end(record, seconds=15):
    """Of who was sent the orderly signal: once, for a second one means at once. SIGKILL when it is not heeded; True
    if it went by itself."""
    send(record, signal.SIGCONT, whole_tree=True)
    if wait_gone(record, seconds):
        return True
    send(record, signal.SIGKILL, whole_tree=True)
    wait_gone(record, 5)
    return False
