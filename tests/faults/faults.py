"""The faults, by name. Each is a function of a running cluster and of dice: it breaks something under load and
mends it. What is left broken, the run mends (see run.py)."""

import random
import signal
import struct
import time
from dataclasses import dataclass
from typing import Callable

from kafka_wire import produce

TOPIC = "room-events"


@dataclass
class Fault:
    name: str
    do: Callable
    short: bool  # part of the selection that every run of the suite has
    pause_max: float  # seconds in which somebody may see nothing new



FAULTS = []


def fault(name, *, short=True, pause_max=12.0):
    def take(function):
        FAULTS.append(Fault(name, function, short, pause_max))
        return function

    return take


def stop_for(cluster, name, seconds):
    cluster.kill(name, signal.SIGSTOP)
    time.sleep(seconds)
    cluster.kill(name, signal.SIGCONT)


def killed_for(cluster, name, seconds):
    cluster.kill(name)
    time.sleep(seconds)
    cluster.start(name)


@fault("none", short=False, pause_max=3)
def none(cluster, dice):
    time.sleep(5)


@fault("gateway kill -9")
def gateway_killed(cluster, dice):
    for name in ("chat.1", "chat.2"):
        killed_for(cluster, name, dice.uniform(0.5, 2))
        time.sleep(2)


@fault("gateway STOP 8 s")
def gateway_stopped(cluster, dice):
    stop_for(cluster, "chat.1", 8)


@fault("user node kill -9", short=False)
def user_killed(cluster, dice):
    killed_for(cluster, "user.1", 2)


@fault("orderly restart, one by one")
def restarted(cluster, dice):
    for role in ("chat", "user", "ingest", "heartbeat"):
        cluster.local.restart(role)


@fault("Redis kill -9, back after 2 s")
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


@fault("Kafka kill -9", pause_max=30)
def kafka_killed(cluster, dice):
    killed_for(cluster, "kafka", 0.5)


@fault("Kafka STOP 12 s", short=False, pause_max=30)
def kafka_stopped(cluster, dice):
    stop_for(cluster, "kafka", 12)


@fault("shard kill -9")
def shard_killed(cluster, dice):
    killed_for(cluster, f"shard.{dice.randrange(2)}", 2)


@fault("shard STOP 8 s")
def shard_stopped(cluster, dice):
    stop_for(cluster, "shard.0", 8)


@fault("directory kill -9")
def directory_killed(cluster, dice):
    killed_for(cluster, "directory", 3)


@fault("ingest kill -9")
def ingest_killed(cluster, dice):
    for name in ("ingest.1", "ingest.2"):
        killed_for(cluster, name, 3)
        time.sleep(2)


@fault("ingest STOP beyond its session")
def ingest_zombie(cluster, dice):
    stop_for(cluster, "ingest.1", 6)
    time.sleep(3)


@fault("ingest STOP longer than the poll", short=False, pause_max=15)
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


@fault("poison records")
def poison(cluster, dice):
    port = cluster.part("kafka").port
    rotten = [b"", b"\0", b"\0" * 40, b"{}", b"[" * 1000, "\u2028{\"a\":\"\\u0000\"}".encode()]
    rotten += [struct.pack(">Q", 2**63) * 5, dice.randbytes(200), dice.randbytes(300_000)]
    for partition in range(cluster.local.options["partitions"]):
        for value in dice.sample(rotten, 4):
            produce(port, TOPIC, partition, value)


@fault("heartbeat kill -9")
def heartbeat_killed(cluster, dice):
    cluster.kill("heartbeat")
    time.sleep(4)
    cluster.start("heartbeat")


@fault("Nginx reload")
def nginx_reloaded(cluster, dice):
    for _ in range(2):
        cluster.part("nginx").reload()
        time.sleep(2)


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


@fault("random mix, 20 s", pause_max=45)
def short_mix(cluster, dice):
    mix(cluster, dice, 20)


@fault("random mix, 5 min", short=False, pause_max=60)
def long_mix(cluster, dice):
    mix(cluster, dice, 300)


def by_name(name):
    found = [each for each in FAULTS if each.name == name or name in each.name]
    if not found:
        raise KeyError(f"no fault {name!r}; there are: " + "; ".join(f.name for f in FAULTS))
    return found[0]


def dice_of(seed, name):
    return random.Random(f"{seed} {name}")
