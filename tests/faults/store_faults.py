"""Faults of what a cluster stands on that are more than a process gone: a log that forgets, a copy of Redis that is
behind, a file system that is full."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from kafka_wire import end_of, forget, set_retention
from registry import fault

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from support.tcp_proxy import TcpProxy  # noqa: E402

TOPIC = "room-events"


# --- the log


def ends_of(cluster):
    port = cluster.part("kafka").port
    return [end_of(port, TOPIC, each) for each in range(cluster.local.options["partitions"])]


def forget_before(cluster, offsets):
    """As a retention that is too short; the partitions go on at the same offsets."""
    for partition, offset in enumerate(offsets):
        forget(cluster.part("kafka").port, TOPIC, partition, offset)


@fault("log forgets while a shard is away", pause_max=20)
def log_forgets(cluster, dice):
    """What the workers have read and not stored yet, they have in memory; more is refused until it is stored."""
    cluster.kill("shard.0", signal.SIGSTOP)
    for _ in range(5):
        ends = ends_of(cluster)
        time.sleep(1.5)
        forget_before(cluster, ends)
    cluster.kill("shard.0", signal.SIGCONT)


def home_of(cluster, room):
    """A room's shard, and the number of its partition."""
    for part in cluster.local.find("shard"):
        bucket = cluster.sql(part.name, f"SELECT bucket FROM rooms WHERE id = {room}").strip()
        if bucket:
            text = f"SELECT partition FROM buckets WHERE bucket = {bucket}"
            return part.name, int(cluster.sql("directory", text))
    raise AssertionError(f"no shard has room {room}")


def closed_partitions(cluster):
    """As chat.2 sees them: those that take nothing."""
    with urllib.request.urlopen(f"{cluster.node('chat.2').url}/metrics", timeout=5) as answer:
        found = re.search(r"^parley_log_closed_partitions (\d+)", answer.read().decode(), re.M)
    return int(found[1])


def wait_for_closed(cluster, wanted, seconds=60):
    end = time.monotonic() + seconds
    while bool(closed_partitions(cluster)) != wanted:
        assert time.monotonic() < end, f"partitions {'opened' if not wanted else 'closed'} never"
        time.sleep(0.2)


@fault("shard away until the log would forget", pause_max=25)
def nearly_forgotten(cluster, dice):
    """At 80 % of the retention its rooms are refused; it comes back before the rest is over."""
    port = cluster.part("kafka").port
    shard, _ = home_of(cluster, cluster.rooms[0])
    set_retention(port, TOPIC, 24_000)
    cluster.kill(shard, signal.SIGSTOP)
    try:
        wait_for_closed(cluster, True)
        time.sleep(2)
    finally:
        cluster.kill(shard, signal.SIGCONT)
        wait_for_closed(cluster, False)
        set_retention(port, TOPIC, 7 * 24 * 3600 * 1000)


# --- a copy of Redis


class Replica:
    """Of the cluster's Redis, through a proxy: its link can be cut, so that it is behind."""

    def __init__(self, cluster):
        self.master, self.state = cluster.part("redis"), cluster.local.state
        self.link = TcpProxy(self.master.port)
        with self.state.locked():
            self.port = self.state.port("redis-replica")
        folder = cluster.folder / "redis-replica"
        folder.mkdir(exist_ok=True)
        word = self.state.secret("redis.password")
        text = self.state.secret_file("redis.conf").read_text()
        lines = [line for line in text.splitlines() if line.split()[0] not in ("port", "dir")]
        lines += [f"port {self.port}", f"dir {folder}", f"masterauth {word}"]
        lines += [f"replicaof 127.0.0.1 {self.link.port}", "repl-diskless-sync-delay 0"]
        self.file = folder / "redis.conf"
        self.file.touch(0o600)
        self.file.write_text("\n".join(lines) + "\n")
        self.environment = {**os.environ, "REDISCLI_AUTH": word}
        log = (folder / "log").open("wb")
        self.process = subprocess.Popen(["redis-server", str(self.file)], stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.link.close()

    def call(self, *words):
        command = ["redis-cli", "-p", str(self.port), *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=10)
        return done.stdout

    def wait_until_it_follows(self, seconds=20):
        end = time.monotonic() + seconds
        while "master_link_status:up" not in self.call("INFO", "replication"):
            assert time.monotonic() < end, "the copy of Redis never followed"
            time.sleep(0.1)

    def take_the_place(self):
        """Of its master, which is gone: under its port."""
        assert self.call("REPLICAOF", "NO", "ONE").startswith("OK")
        end = time.monotonic() + 5
        while not self.call("CONFIG", "SET", "port", str(self.master.port)).startswith("OK"):
            assert time.monotonic() < end, "the port of Redis is not free"
            time.sleep(0.1)
        self.port = self.master.port


@fault("Redis replica behind, promoted")
def replica_promoted(cluster, dice):
    """Leases, presence and versions go back by some seconds, and what was on its way is gone."""
    with Replica(cluster) as replica:
        replica.wait_until_it_follows()
        replica.link.blackhole()
        cluster.redis("SET", "known-to-the-master", "1")
        time.sleep(dice.uniform(3, 5))
        cluster.kill("redis")
        replica.take_the_place()
        assert replica.call("EXISTS", "known-to-the-master").strip() == "0", "it was not behind"
        time.sleep(5)
    cluster.start("redis")


# --- a full file system


def no_mounts():
    if os.geteuid() != 0:
        return "needs root"
    command = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"]
    done = subprocess.run(command, capture_output=True, text=True)
    return None if done.returncode == 0 else f"no mount namespaces here: {done.stderr.strip()[:80]}"


class SmallDisk:
    """A shard whose data lies on a file system of so many megabytes, in a mount namespace that ends with it."""

    def __init__(self, cluster, name, megabytes):
        self.cluster, self.name = cluster, name
        self.folder = cluster.part(name).folder
        self.stage = cluster.folder / "small-disk"
        self.stage.mkdir(exist_ok=True)
        mount = f"mount -t tmpfs -o size={megabytes}m tmpfs {self.stage} && echo mounted && exec sleep 600"
        command = ["unshare", "-m", "--propagation", "private", "sh", "-c", mount]
        self.keeper = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.keeper.stdout.readline() == "mounted\n"
        self.inside = ["nsenter", "-t", str(self.keeper.pid), "-m", "--"]

    def run(self, script, check=True):
        return subprocess.run([*self.inside, "sh", "-c", script], check=check, capture_output=True, text=True)

    def stop_shard(self):
        with self.cluster.local.state.locked():
            self.cluster.local.stop_all([self.cluster.part(self.name)])

    def __enter__(self):
        self.stop_shard()
        self.run(f"cp -a {self.folder} {self.stage}/data && mount --bind {self.stage}/data {self.folder}")
        self.cluster.set_own("wrappers", self.name, self.inside)
        self.cluster.start(self.name)
        return self

    def fill(self):
        """To the last block; what it says about it."""
        return self.run(f"dd if=/dev/zero of={self.stage}/filler bs=4096", check=False).stderr

    def empty(self):
        self.run(f"rm -f {self.stage}/filler")

    def __exit__(self, *_):
        """What it has goes back to where it was."""
        try:
            self.empty()
            self.stop_shard()
            self.cluster.set_own("wrappers", self.name, None)
            self.run(f"umount {self.folder} && find {self.folder} -mindepth 1 -delete")
            self.run(f"cp -a {self.stage}/data/. {self.folder}/")
        finally:
            self.keeper.kill()
            self.keeper.wait()
        self.cluster.start(self.name)


@fault("shard file system full", pause_max=40, missing=no_mounts)
def file_system_full(cluster, dice):
    with SmallDisk(cluster, "shard.0", 400) as disk:
        assert "No space left" in disk.fill()
        time.sleep(8)
        disk.empty()
        with contextlib.suppress(Exception):  # a server that has ended is started below
            cluster.part("shard.0").wait_ready(10)
        if not cluster.part("shard.0").alive():
            cluster.start("shard.0")
        cluster.part("shard.0").wait_ready(30)
        time.sleep(2)
