#!/usr/bin/env python3
"""Figures of a cluster on this machine, everything on the same processors, for docs/benchmarks.md.

    .cache/venv/bin/python bench/cluster.py                    # rates and latency: about four minutes
    .cache/venv/bin/python bench/cluster.py catch-up           # a shard away for ten minutes at 500/s
    .cache/venv/bin/python bench/cluster.py history            # pages out of a shard of 10,000,000 messages

Kafka (one broker), Redis, a directory and two shards of PostgreSQL that flush, one node of each role,
and the loader. A run in which a delivery is missing, doubled or out of order is no result.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/cluster"), str(ROOT / "tests/e2e")]
from cluster import Cluster  # noqa: E402

ONE_OF_EACH = {"chat": 1, "user": 1, "media": 1, "ingest": 1, "heartbeat": 1}
TICKS = os.sysconf("SC_CLK_TCK")
CONNECT_S = 4  # of the loader, before it begins


def cpu_seconds(pid):
    """Of the process and of its descendants that still live."""
    total = 0.0
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


class Bench:
    """Of a running cluster."""

    def __init__(self, cluster, load, front):
        self.cluster, self.load_program, self.front = cluster, load, front

    def pids(self):
        return {row[0]: int(row[1]) for row in self.cluster.local.status() if row[1]}

    def port_of(self, name):
        return next(row[2] for row in self.cluster.local.status() if row[0] == name)

    def load(self, rate, seconds, *more):
        """One run of the loader: its figures, and the CPU time of each part in µs a message."""
        command = [self.load_program, "--port", self.port_of(self.front), "--rate", rate]
        command += ["--seconds", seconds, "--rooms", 100, "--members", 10, "--warmup", 3, *more]
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        time.sleep(CONNECT_S + 3)  # signed up, connected, warm
        before, start = self.cpu(), time.monotonic()
        time.sleep(seconds / 2)
        after, sent = self.cpu(), rate * (time.monotonic() - start)
        output, _ = process.communicate(timeout=seconds + 120)
        if process.returncode != 0:
            sys.exit(f"a run that must not be quoted:\n{output}")
        figures = json.loads(output.strip().splitlines()[-1])
        spent = {name: (after[name] - before.get(name, 0)) * 1e6 / sent for name in after}
        return figures, spent

    def cpu(self):
        return {name: cpu_seconds(pid) for name, pid in self.pids().items()}


def rates(bench, arguments):
    print("| messages/s | acknowledged/s | CPU µs/message | p50 / p99 ms | of each part, µs |")
    print("|---|---|---|---|---|")
    bench.load(1000, 10)  # the JVM compiles
    for rate in arguments.rates:
        for _ in range(arguments.runs):
            figures, spent = bench.load(rate, arguments.seconds)
            shares = sorted(spent.items(), key=lambda each: -each[1])
            told = ", ".join(f"{name} {us:.0f}" for name, us in shares if us >= 1)
            latency = f"{figures['p50_ms']:.1f} / {figures['p99_ms']:.1f}"
            speed = f"{figures['messages_per_second']:,.0f}"
            print(f"| {rate:,} | {speed} | {sum(spent.values()):,.0f} | {latency} | {told} |", flush=True)


def catch_up(bench, arguments):
    """A shard is away while others write; how fast it then takes in what waited."""
    cluster, rate = bench.cluster, arguments.rates[0]
    seconds = arguments.seconds
    command = [arguments.load, "--port", cluster.port, "--rate", rate, "--seconds", seconds]
    command += ["--rooms", 100, "--members", 10, "--warmup", 1, "--drain", 60]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    while process.poll() is None and messages_in(cluster, "shard.0") < rate:
        time.sleep(0.5)
    cluster.kill("shard.0")
    output, _ = process.communicate(timeout=seconds + 300)
    if process.returncode != 0:
        sys.exit(f"a run that must not be quoted:\n{output}")
    figures = json.loads(output.strip().splitlines()[-1])
    cluster.start("shard.0")
    begin, first = time.monotonic(), messages_in(cluster, "shard.0")
    last, stored = begin, first
    while time.monotonic() - last < 10:
        now = messages_in(cluster, "shard.0")
        if now != stored:
            stored, last = now, time.monotonic()
        time.sleep(0.2)
    print(f"while it was away: p50 / p99 {figures['p50_ms']:.1f} / {figures['p99_ms']:.1f} ms, all delivered")
    took = last - begin
    print(f"{stored - first:,} messages in {took:.1f} s = {(stored - first) / took:,.0f}/s")
    print(f"= {(stored - first) / took / rate:.1f} x the live rate of {rate}/s")


def messages_in(cluster, shard):
    return int(cluster.sql(shard, "SELECT count(*) FROM messages").strip())


FILL = """
INSERT INTO messages (id, room_id, prev_id, user_id, created_at, type, content, deleted, nonce, body_hash)
SELECT {base} + i, rooms.ids[1 + i % {rooms}], {base} + i - {rooms}, {user}, {at} + i / 4096, 1,
       lpad(i::text, 100, 'message '), 0, '0' || lpad(to_hex(i), 30, '1'), i
FROM generate_series({first}, {last}) AS i, (SELECT ARRAY[{ids}]::bigint[] AS ids) AS rooms;
"""
FILL_ROWS = 250_000  # at a time


def fill(cluster, shard, real, others, count, user):
    """`count` messages, those of `real` rooms among those of `others`: as they come in life."""
    newest = int(cluster.sql(shard, "SELECT max(id) FROM events").strip())
    ids = [*real, *(newest - 1 - n for n in range(others))]
    values = {"base": newest, "rooms": len(ids), "user": user, "at": int(time.time() * 1000)}
    for first in range(1, count + 1, FILL_ROWS):
        last = min(count, first + FILL_ROWS - 1)
        cluster.sql(shard, FILL.format(**values, first=first, last=last, ids=",".join(map(str, ids))))
    cluster.sql(shard, "ANALYZE messages")
    return newest, count


def history(bench, arguments):
    """Pages out of a shard of very many messages beside those out of one of few, in turn."""
    cluster = bench.cluster
    with httpx.Client(base_url=cluster.url, timeout=30) as http:
        account = {"username": "reader", "email": "reader@example.org", "password": "long enough"}
        session = http.post("/v1/users", json=account).json()
        http.headers["Authorization"] = f"Bearer {session['access_token']}"
        rooms = {"shard.0": [], "shard.1": []}
        for number in range(60):
            answer = http.post("/v1/rooms", json={"name": f"room {number}", "kind": "group"}).json()
            time.sleep(0.05)
            for shard, found in rooms.items():
                if cluster.sql(shard, f"SELECT id FROM rooms WHERE id = {answer['id']}").strip():
                    found.append(int(answer["id"]))
        spans, user = {}, session["user"]["id"]
        plan = {"shard.0": (980, arguments.messages), "shard.1": (0, 10_000)}
        for shard, (others, count) in plan.items():
            rooms[shard] = rooms[shard][:10]
            start = time.monotonic()
            spans[shard] = fill(cluster, shard, rooms[shard], others, count, user)
            print(f"{shard}: {count:,} messages in {time.monotonic() - start:.0f} s", flush=True)
        times = {shard: [] for shard in rooms}
        input("quiet? ") if arguments.wait else None
        for number in range(3300):
            for shard, found in rooms.items():
                before = spans[shard][0] + random.randrange(spans[shard][1] // 2, spans[shard][1])
                path = f"/v1/rooms/{random.choice(found)}/messages?limit=50&before={before}"
                start = time.perf_counter()
                answer = http.get(path)
                took = (time.perf_counter() - start) * 1000
                assert len(answer.json()["messages"]) == 50, answer.text[:300]
                if number >= 300:
                    times[shard].append(took)
        for shard, found in times.items():
            found.sort()
            p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
            print(f"{plan[shard][1]:,} messages: p50 / p99 {p50:.2f} / {p99:.2f} ms")


WORK = {"rates": rates, "catch-up": catch_up, "history": history}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", default="rates", choices=WORK)
    parser.add_argument("--rates", type=int, nargs="+", default=[500, 2000, 5000, 8000])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seconds", type=int, help="of a run; of the time without a shard")
    parser.add_argument("--messages", type=int, default=10_000_000, help="history: in the large shard")
    parser.add_argument("--wait", action="store_true", help="history: for a key, before pages are read")
    parser.add_argument("--front", default="nginx", help="rates: or chat.1, the node itself")
    parser.add_argument("--load", default=str(ROOT / "build/release/bench/parley_load"))
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or (600 if arguments.what == "catch-up" else 15)
    with Cluster(counts=ONE_OF_EACH, fast=False, say=lambda text: None) as cluster:
        WORK[arguments.what](Bench(cluster, arguments.load, arguments.front), arguments)


if __name__ == "__main__":
    main()
