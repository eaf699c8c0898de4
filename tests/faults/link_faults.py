"""Faults of links: what goes between two parts, or between clients and Nginx, is held up, cut, or comes in pieces.

chat.1 and ingest.1 reach what they stand on through proxies (links.py); the others do not.
"""

import time

from registry import fault


def while_link(cluster, part, below, what, seconds):
    links = [cluster.link(part, each) for each in below]
    for link in links:
        what(link)
    time.sleep(seconds)
    for link in links:
        link.heal()


# --- a gateway alone: people on chat.1 have what the others have, a little later


@fault("gateway cut from Redis only", short=True)
def from_redis(cluster, dice):
    while_link(cluster, "chat.1", ["redis"], lambda link: link.blackhole(), 6)


@fault("gateway cut from Kafka only", short=True, pause_max=20)
def from_kafka(cluster, dice):
    while_link(cluster, "chat.1", ["kafka"], lambda link: link.blackhole(), 6)


@fault("gateway cut from the shards only", pause_max=16)
def from_shard(cluster, dice):
    while_link(cluster, "chat.1", ["shard.0", "shard.1"], lambda link: link.blackhole(), 6)


@fault("gateway cut from the directory only")
def from_directory(cluster, dice):
    while_link(cluster, "chat.1", ["directory"], lambda link: link.blackhole(), 6)


@fault("gateway cut from everything", pause_max=20)
def from_everything(cluster, dice):
    below = ["redis", "kafka", "directory", "shard.0", "shard.1"]
    while_link(cluster, "chat.1", below, lambda link: link.refuse(), 6)


@fault("Redis 500 ms away from a gateway")
def redis_far(cluster, dice):
    while_link(cluster, "chat.1", ["redis"], lambda link: link.delay(0.5), 8)


# --- a worker alone


@fault("ingest cut from Redis only", short=True)
def worker_from_redis(cluster, dice):
    while_link(cluster, "ingest.1", ["redis"], lambda link: link.blackhole(), 6)


@fault("ingest cut from Kafka only", pause_max=20)
def worker_from_kafka(cluster, dice):
    while_link(cluster, "ingest.1", ["kafka"], lambda link: link.blackhole(), 10)


@fault("ingest cut from its shards only", pause_max=20)
def worker_from_shard(cluster, dice):
    while_link(cluster, "ingest.1", ["shard.0", "shard.1"], lambda link: link.blackhole(), 8)


@fault("shards 300 ms away from a worker", pause_max=16)
def shard_far(cluster, dice):
    while_link(cluster, "ingest.1", ["shard.0", "shard.1"], lambda link: link.delay(0.3), 8)


@fault("reset during COMMIT", short=True)
def reset_in_commit(cluster, dice):
    """A transaction takes milliseconds, one follows the other: most resets meet one, some its COMMIT."""
    end = time.monotonic() + 6
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.03, 0.15))
        for shard in ("shard.0", "shard.1"):
            cluster.link("ingest.1", shard).reset()


# --- clients


@fault("clients reset before the ack", short=True, door=True)
def clients_reset(cluster, dice):
    end = time.monotonic() + 6
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.2, 0.8))
        cluster.last_door.proxy.reset()


@fault("clients cut after 4,000 bytes", door=True, pause_max=16)
def clients_limited(cluster, dice):
    cluster.last_door.proxy.limit(4_000)
    time.sleep(6)
    cluster.last_door.proxy.heal()


@fault("clients half-open", door=True, pause_max=20)
def clients_half_open(cluster, dice):
    cluster.last_door.proxy.blackhole()
    time.sleep(8)
    cluster.last_door.proxy.heal()


@fault("clients at 64 kbit/s", door=True, pause_max=20)
def clients_slow(cluster, dice):
    cluster.last_door.proxy.bandwidth(8_000)
    time.sleep(8)
    cluster.last_door.proxy.heal()


@fault("clients in pieces of one byte", door=True, pause_max=20)
def clients_in_pieces(cluster, dice):
    cluster.last_door.proxy.slice(1, 0)
    time.sleep(6)
    cluster.last_door.proxy.heal()
