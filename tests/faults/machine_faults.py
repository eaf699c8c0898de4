"""Faults of the machine: clocks that step, no more files, no more memory, disks that take nothing more."""

import contextlib
import os
import resource
import socket
import time
from pathlib import Path

from registry import fault, needs_root

from tools.cluster import process

FAKETIME = "/usr/lib/{}/faketime/libfaketimeMT.so.1"


# --- clocks


def faketime_library():
    found = [Path(FAKETIME.format(each)) for each in ("x86_64-linux-gnu", "aarch64-linux-gnu")]
    return next((str(path) for path in found if path.exists()), None)


def no_faketime():
    return None if faketime_library() else "no libfaketime here (Debian: faketime)"


@fault("gateway clock steps -5 s, -1 h, +1 h", pause_max=25, missing=no_faketime)
def clock_steps(cluster, dice):
    """The time of the day of chat.1; time-outs go on as before."""
    file = cluster.folder / "faketime"
    file.write_text("+0")
    environments = cluster.local.state.values.setdefault("environments", {})
    environments["chat.1"] = {
        "LD_PRELOAD": faketime_library(),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    cluster.local.restart("chat.1")
    for step in ("-5", "-3600", "+0", "+3600", "+0"):
        file.write_text(step)
        time.sleep(2)
    del environments["chat.1"]
    cluster.local.restart("chat.1")


# --- files


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@fault("gateway out of files")
def no_files(cluster, dice):
    """New connections wait or are refused, those that are there live on, and nothing spins."""
    part = cluster.part("chat.1")
    pid = part.record["pid"]
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    few = len(os.listdir(f"/proc/{pid}/fd")) + 10
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, before[1]))
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_connection(("127.0.0.1", part.port), 1))
        begun, used = time.monotonic(), cpu_seconds(pid)
        time.sleep(4)
        share = (cpu_seconds(pid) - used) / (time.monotonic() - begun)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    if share > 0.8:
        raise AssertionError(f"without files to accept with, it used {share:.0%} of a core")


# --- memory and connections of Redis


@fault("Redis memory full")
def redis_full(cluster, dice):
    cluster.redis("CONFIG", "SET", "maxmemory", "1")
    time.sleep(6)
    cluster.redis("CONFIG", "SET", "maxmemory", "512mb")


@fault("Redis cuts its subscribers")
def redis_cuts(cluster, dice):
    for _ in range(4):
        cluster.redis("CLIENT", "KILL", "TYPE", "pubsub")
        time.sleep(1.5)


# --- disks


def limit_files(part, size):
    """No process of it can write a file beyond so many bytes: what a full disk says, of every file."""
    for pid in [part.record["pid"], *process.descendants(part.record["pid"])]:
        with contextlib.suppress(ProcessLookupError):
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))


@fault("shard disk takes nothing more", pause_max=25, missing=needs_root)
def shard_full(cluster, dice):
    part = cluster.part("shard.0")
    limit_files(part, 8192)
    time.sleep(5)
    if part.alive():
        limit_files(part, resource.RLIM_INFINITY)


@fault("Kafka disk takes nothing more", pause_max=40, missing=needs_root)
def kafka_full(cluster, dice):
    part = cluster.part("kafka")
    limit_files(part, 8192)
    time.sleep(5)
    if part.alive():
        limit_files(part, resource.RLIM_INFINITY)
        # A broker whose disk failed has put it aside until it starts again.
        cluster.kill("kafka")
    cluster.start("kafka")
