"""Faults of processes: they are killed, stand still, start again. Each is a function of a running cluster and of dice:
it breaks something under load and mends it. What is left broken, the run mends (see run.py)."""

import os
import signal
import struct
import time

import link_faults  # noqa: F401
import machine_faults  # noqa: F401
import store_faults  # noqa: F401
import media_faults  # noqa: F401
from kafka_wire import produce
from load import Timed
from registry import fault, killed_for, stop_for

from tools.cluster import process

TOPIC = "room-events"


@fault("none", pause_max=3)
def none(cluster, dice):
    time.sleep(5)


@fault("gateway kill -9", short=True)
def gateway_killed(cluster, dice):
    for name in ("chat.1", "chat.2"):
        killed_for(cluster, name, dice.uniform(0.5, 2))
        time.sleep(2)


@fault("gateway STOP 8 s")
def gateway_stopped(cluster, dice):
    stop_for(cluster, "chat.1", 8)


@fault("user node kill -9")
def user_killed(cluster, dice):
    killed_for(cluster, "user.1", 2)


@fault("orderly restart, one by one", short=True)
def restarted(cluster, dice):
    for role in ("chat", "user", "ingest", "heartbeat"):
        cluster.local.restart(role)


@fault("Redis kill -9, back after 2 s", short=True)
def redis_killed(cluster, dice):
    killed_for(cluster, "redis", 2)


@fault("Redis FLUSHALL")
def redis_flushed(cluster, dice):
    for _ in range(3):
        cluster.redis("FLUSHALL")
        time.sleep(1)


@fault("Redis STOP 10 s", pause_max=16)
def redis_stopped(cluster, dice):
    stop_for(cluster, "redis", 10)


@fault("Kafka kill -9", short=True, pause_max=30)
def kafka_killed(cluster, dice):
    killed_for(cluster, "kafka", 0.5)


@fault("Kafka STOP 12 s", pause_max=30)
def kafka_stopped(cluster, dice):
    stop_for(cluster, "kafka", 12)


@fault("shard kill -9", short=True)
def shard_killed(cluster, dice):
    killed_for(cluster, f"shard.{dice.randrange(2)}", 2)


@fault("shard STOP 8 s")
def shard_stopped(cluster, dice):
    stop_for(cluster, "shard.0", 8)


@fault("directory kill -9")
def directory_killed(cluster, dice):
    killed_for(cluster, "directory", 3)


@fault("directory STOP 6 s")
def directory_stopped(cluster, dice):
    stop_for(cluster, "directory", 6)


@fault("ingest kill -9", short=True)
def ingest_killed(cluster, dice):
    for name in ("ingest.1", "ingest.2"):
        killed_for(cluster, name, 3)
        time.sleep(2)


@fault("ingest STOP beyond its session", short=True)
def ingest_zombie(cluster, dice):
    stop_for(cluster, "ingest.1", 6)
    time.sleep(3)


@fault("ingest STOP longer than the poll", pause_max=15)
def ingest_long_zombie(cluster, dice):
    stop_for(cluster, "ingest.2", 40)
    time.sleep(3)


@fault("rebalance storm", pause_max=15)
def rebalance_storm(cluster, dice):
    for _ in range(3):
        cluster.local.scale("ingest", 3)
        time.sleep(dice.uniform(0.2, 1.5))
        cluster.local.scale("ingest", 2)
        time.sleep(dice.uniform(0.2, 1.5))


@fault("poison records", short=True)
def poison(cluster, dice):
    port = cluster.part("kafka").port
    rotten = [b"", b"\0", b"\0" * 40, b"{}", b"[" * 1000, "\u2028{\"a\":\"\\u0000\"}".encode()]
    rotten += [struct.pack(">Q", 2**63) * 5, dice.randbytes(200), dice.randbytes(300_000)]
    for partition in range(cluster.local.options["partitions"]):
        for value in dice.sample(rotten, 4):
            write_poison(port, partition, value)


def write_poison(port, partition, value):
    """A broker that is starved for a moment leads nothing, and takes it a little later."""
    end = time.monotonic() + 20
    while True:
        try:
            return produce(port, TOPIC, partition, value)
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.5)


@fault("heartbeat STOP beyond the lease")
def heartbeat_stopped(cluster, dice):
    for name in ("heartbeat.1", "heartbeat.2"):
        cluster.kill(name, signal.SIGSTOP)
    time.sleep(6)
    for name in ("heartbeat.1", "heartbeat.2"):
        cluster.kill(name, signal.SIGCONT)


@fault("heartbeat kill -9")
def heartbeat_killed(cluster, dice):
    cluster.kill("heartbeat")
    time.sleep(4)
    cluster.start("heartbeat")


@fault("Nginx reload", short=True)
def nginx_reloaded(cluster, dice):
    for _ in range(2):
        cluster.part("nginx").reload()
        time.sleep(2)


@fault("Nginx worker killed")
def nginx_worker_killed(cluster, dice):
    for _ in range(3):
        part = cluster.part("nginx")
        workers = process.descendants(part.record["pid"])
        os.kill(dice.choice(workers), signal.SIGKILL)
        time.sleep(2)


@fault("Nginx STOP 5 s", pause_max=16)
def nginx_stopped(cluster, dice):
    stop_for(cluster, "nginx", 5)


@fault("Nginx kill -9")
def nginx_killed(cluster, dice):
    killed_for(cluster, "nginx", 1)


MIXED = ["chat.1", "chat.2", "user.1", "ingest.1", "ingest.2", "redis", "shard.0", "shard.1"]
MIXED += ["directory", "heartbeat.1", "nginx", "kafka"]


ROLES = {"chat", "user", "ingest", "heartbeat", "nginx"}


def mix(cluster, dice, seconds):
    """Two faults at a time, of any two parts."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        victims = dice.sample(MIXED, 2)
        for name in victims:
            cluster.kill(name, dice.choice([signal.SIGKILL, signal.SIGSTOP]))
        time.sleep(dice.uniform(0.5, 4))
        for name in victims:
            cluster.kill(name, signal.SIGCONT)
        # What others need comes first: a start waits until the part is ready.
        for name in sorted(victims, key=lambda name: name.partition(".")[0] in ROLES):
            cluster.start(name)
        time.sleep(dice.uniform(0.5, 3))


@fault("two tabs and two devices of everybody", pause_max=5, observers=4)
def tabs(cluster, dice):
    time.sleep(6)


DAY_S = 24 * 3600
SLEEP_S = int(os.environ.get("PARLEY_SLEEP_SECONDS", 20))


@fault("clients' clocks a day ahead and a day behind", clocks=(DAY_S, 0, -DAY_S))
def wrong_clocks(cluster, dice):
    """Nonces are made of them. A worker that takes over knows only the newest ones of before."""
    time.sleep(3)
    for name in ("ingest.1", "ingest.2"):
        killed_for(cluster, name, dice.uniform(0.5, 2))
        time.sleep(2)


@fault("half of the clients sleep", pause_max=SLEEP_S + 5)
def sleep(cluster, dice):
    """They come back after everything that they missed, by pages."""
    Timed.asleep_until = time.monotonic() + SLEEP_S
    time.sleep(SLEEP_S + 2)


@fault("random mix, 20 s", short=True, pause_max=45)
def short_mix(cluster, dice):
    mix(cluster, dice, 20)


@fault("random mix, 5 min", pause_max=60)
def long_mix(cluster, dice):
    mix(cluster, dice, 300)
