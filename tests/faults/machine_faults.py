"""Faults of the machine: clocks that step, no more files, no more memory, disks that take nothing more."""

import contextlib
import os
import resource
import shutil
import socket
import subprocess
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
    environment = {
        "LD_PRELOAD": faketime_library(),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    cluster.set_own("environments", "chat.1", environment)
    cluster.local.restart("chat.1")
    maps = Path(f"/proc/{cluster.part('chat.1').record['pid']}/maps").read_text()
    assert "libfaketime" in maps, "chat.1 runs on the machine's own time"
    for step in ("-5", "-3600", "+0", "+3600", "+0"):
        file.write_text(step)
        time.sleep(2)
    cluster.set_own("environments", "chat.1", None)
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


# --- memory of a gateway


def virtual_bytes(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGESIZE")


def first_answer(port):
    """Of a handshake: its first line; "" when the connection ends, None when nothing comes."""
    request = b"GET /v1/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    request += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), 3) as connection:
            connection.settimeout(3)
            connection.sendall(request)
            return connection.recv(200).partition(b"\r\n")[0].decode()
    except TimeoutError:
        return None
    except OSError:
        return ""


@fault("gateway short of memory", pause_max=16)
def no_memory(cluster, dice):
    """It gets no more address space, while connections that send nothing whole want some: it refuses them or (as it
    does today) ends, and its people go elsewhere."""
    part = cluster.part("chat.1")
    pid = part.record["pid"]
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (virtual_bytes(pid), before[1]))
    end, silent, asked = time.monotonic() + 8, 0, 0
    head = b"POST /v1/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
    with contextlib.ExitStack() as stack:
        while part.alive() and time.monotonic() < end:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    hungry = stack.enter_context(socket.create_connection(("127.0.0.1", part.port), 1))
                    hungry.settimeout(0.2)
                    hungry.sendall(head + b" " * 50_000)
            silent += first_answer(part.port) is None
            asked += 1
    if part.alive():
        resource.prlimit(pid, resource.RLIMIT_AS, before)
        if silent == asked:
            raise AssertionError(f"it lived, and left {asked} handshakes without an answer")


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


def limit_of(part):
    (line,) = [
        line
        for line in Path(f"/proc/{part.record['pid']}/limits").read_text().splitlines()
        if line.startswith("Max file size")
    ]
    return line.split()[3]


def limit_files(part, size):
    """No process of it can write a file beyond so many bytes: what a full disk says, of every file."""
    for pid in [part.record["pid"], *process.descendants(part.record["pid"])]:
        with contextlib.suppress(FileNotFoundError):
            # Its own user may; root of a container may not.
            owner = os.stat(f"/proc/{pid}")
            become = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
            limit = ["prlimit", f"--pid={pid}", f"--fsize={size}:"]
            subprocess.run([*become, *limit], stderr=subprocess.DEVNULL, check=False)


@fault("shard disk takes nothing more", pause_max=25, missing=needs_root)
def shard_full(cluster, dice):
    part = cluster.part("shard.0")
    limit_files(part, 8192)
    assert limit_of(part) == "8192"
    time.sleep(5)
    if part.alive():
        limit_files(part, "unlimited")


@fault("Kafka disk takes nothing more", pause_max=40, missing=needs_root)
def kafka_full(cluster, dice):
    part = cluster.part("kafka")
    limit_files(part, 8192)
    time.sleep(5)
    if part.alive():
        limit_files(part, "unlimited")
        # A broker whose disk failed has put it aside until it starts again.
        cluster.kill("kafka")
    cluster.start("kafka")


def no_strace():
    return None if shutil.which("strace") else "no strace here"


@fault("shard fsync fails with EIO", pause_max=25, missing=no_strace)
def fsync_fails(cluster, dice):
    """PostgreSQL panics, and comes back with what its log has."""
    part = cluster.part("shard.0")
    pids = [part.record["pid"], *process.descendants(part.record["pid"])]
    which = ["-p", ",".join(map(str, pids))]
    calls = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"]
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", str(cluster.folder / "strace"), *calls, *which],
        stderr=subprocess.DEVNULL,
    )
    file, end = cluster.folder / "strace", time.monotonic() + 20
    while not (file.exists() and "INJECTED" in file.read_text()):
        assert time.monotonic() < end, "no call failed"
        time.sleep(0.05)
    tracer.terminate()
    tracer.wait(10)
    file.unlink()
    time.sleep(2)
    if not part.alive():
        cluster.start("shard.0")
    part.wait_ready(30)
