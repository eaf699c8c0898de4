"""What an operator does with a cluster, on one that grows: a server's export goes into it and comes out again, and
partitions move to a new shard while people write and `parley reshard` is killed again and again."""

import asyncio
import contextlib
import json
import random
import secrets
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / name) for name in ("faults", "crash", "e2e", "cluster")]

from cluster import Cluster  # noqa: E402
from load import Load  # noqa: E402
from parley_client import PASSWORD, Api, refused  # noqa: E402
from parley_server import Server, binary  # noqa: E402

TABLES = "members read_marks messages events reactions paced_posts held_messages".split()
LAYOUT_LOCK = 0x5061726C0103  # Lock::layout in src/adapters/postgres/locks.hpp


class Resharding:
    def __init__(self, cluster):
        self.cluster = cluster
        local = cluster.local
        self.environment = {**local.environment(), **local.settings_environment()}

    def begin(self, *words):
        return subprocess.Popen(
            [str(binary()), "reshard", "--json", *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *words, status=0):
        process = self.begin(*words)
        out, errors = process.communicate(timeout=150)
        assert process.returncode == status, out + errors
        return json.loads(out)

    def moves(self):
        return self.cluster.sql("directory", "SELECT partition, flipped FROM moves").split()

    def homes(self):
        rows = self.cluster.sql("directory", "SELECT partition, shard FROM partitions").split()
        return {int(p): int(s) for p, s in (row.split("|") for row in rows)}

    def partition_of(self, room):
        """As the shard that has it now says."""
        for shard in self.cluster.local.find("shard"):
            bucket = self.cluster.sql(shard.name, f"SELECT bucket FROM rooms WHERE id = {room}").strip()
            if bucket:
                text = f"SELECT partition FROM buckets WHERE bucket = {bucket}"
                return int(self.cluster.sql("directory", text))
        raise AssertionError(f"no shard has room {room}")

    def rows_elsewhere(self):
        """Rows of rooms in a shard that is not their partition's."""
        text = "SELECT shard, string_agg(bucket::text, ',') FROM buckets JOIN partitions USING (partition) GROUP BY 1"
        of_shard = dict(row.split("|") for row in self.cluster.sql("directory", text).split())
        found = {}
        for number, shard in enumerate(self.cluster.local.find("shard")):
            foreign = f"SELECT id FROM rooms WHERE bucket NOT IN ({of_shard.get(str(number), -1)})"
            counts = [f"(SELECT count(*) FROM rooms WHERE id IN ({foreign}))"]
            counts += [f"(SELECT count(*) FROM {t} WHERE room_id NOT IN (SELECT id FROM rooms))" for t in TABLES]
            counts.append("(SELECT count(*) FROM moving_buckets) + (SELECT count(*) FROM changed_rows)")
            found[shard.name] = self.cluster.sql(shard.name, "SELECT " + " + ".join(counts)).strip()
        return {name: count for name, count in found.items() if count != "0"}


@pytest.fixture(scope="module")
def cluster():
    with Cluster() as cluster:
        yield cluster


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextlib.contextmanager
def directory_shell(cluster):
    """A psql at the directory, which waits for what it is to do."""
    part = cluster.part("directory")
    command = ["psql", "-XAtq", part.connection()]
    environment = {**cluster.local.environment()}
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield holder
    finally:
        holder.communicate("\\q\n", timeout=20)


def hold_layout(holder):
    """Nobody changes the table of partitions until it ends."""
    holder.stdin.write(f"SELECT pg_advisory_lock({LAYOUT_LOCK});\n\\echo held\n")
    holder.stdin.flush()
    while holder.stdout.readline().strip() != "held":
        pass


@contextlib.contextmanager
def layout_held(cluster):
    with directory_shell(cluster) as holder:
        hold_layout(holder)
        yield


def parley(environment, *words, status=0):
    done = subprocess.run([str(binary()), *map(str, words)], env=environment, capture_output=True, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def fill(server):
    """Some of everything that an export carries."""
    api = Api(server)
    ann, bob, eve = api.new_user(), api.new_user(), api.new_user()
    ann.patch("/v1/me", {"display_name": "Ann \\ {1,2} 𝔄"})
    rooms = [ann.room(bob, topic=f"soup\n{n}") for n in range(6)]
    for room in rooms:
        first = ann.say(room, 'first "quoted" (\\) \t 日本語 😀')
        second, third = bob.say(room, "redy", reply_to=first["id"]), ann.say(room, "oops")
        bob.patch(f"/v1/rooms/{room}/messages/{second['id']}", {"content": "ready, {set} 'go'"})
        ann.delete(f"/v1/rooms/{room}/messages/{third['id']}")
        for user in (ann, bob):
            user.put(f"/v1/rooms/{room}/messages/{first['id']}/reactions/👍")
        bob.put(f"/v1/rooms/{room}/read", {"message_id": second["id"]})
    ann.patch(f"/v1/rooms/{rooms[1]}", {"slow_mode_seconds": 5})
    bob.say(rooms[1], "slowly")
    words = {"words": [{"word": "darn", "action": "hold"}]}
    ann.put(f"/v1/rooms/{rooms[2]}/words", words)
    refused(bob.post_message(rooms[2], "darn it"), 409, "content_held")
    dm = ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id]}).json()["id"]
    bob.say(dm, "between us")
    gone = eve.room()
    eve.say(gone, "gone")
    eve.delete(f"/v1/rooms/{gone}")
    return ann, bob, rooms, dm


def test_a_server_becomes_a_cluster_and_a_server_again(cluster, tmp_path):
    server = Server(tmp_path / "server").start()
    ann, bob, rooms, dm = fill(server)
    histories = {room: ann.got(f"/v1/rooms/{room}/messages") for room in rooms}
    name = ann.got(f"/v1/rooms/{rooms[0]}")["name"]
    ann.api.close()
    assert server.stop() == 0
    exported = tmp_path / "server.ndjson"
    parley(server.environment, "export", "--data", server.data, "--output", exported)
    local = cluster.local
    environment = {**local.environment(), **local.settings_environment(), "TMPDIR": str(tmp_path)}
    running = parley(environment, "import", exported, status=1)
    assert b"imported" not in running
    for role in ("chat", "user", "media", "heartbeat", "ingest"):
        assert local.stop_all(local.find(role)) == []
    damaged = tmp_path / "damaged.ndjson"
    damaged.write_bytes(exported.read_bytes().replace(b"between us", b"between  us"))
    parley(environment, "import", damaged, status=1)
    parley(environment, "import", exported)
    parley(environment, "import", exported, status=1)  # it is not empty any more
    again = tmp_path / "cluster.ndjson"
    parley(environment, "export", "--output", again)
    assert again.read_bytes() == exported.read_bytes()
    assert list(tmp_path.glob("parley-transfer-*")) == []
    local.up()
    api = Api(cluster)
    session = api.call("POST", "/v1/sessions", json={"email": ann.email, "password": PASSWORD})
    token = session.json()["access_token"]
    for room, history in histories.items():
        assert api.call("GET", f"/v1/rooms/{room}/messages", token).json() == history
    taken = api.call("POST", "/v1/rooms", token, json={"name": name, "kind": "group"})
    refused(taken, 409, "room_name_taken")
    pair = {"kind": "dm", "member_ids": [bob.id]}
    assert api.call("POST", "/v1/rooms", token, json=pair).json()["id"] == dm
    body = {"nonce": "new", "type": "TEXT", "content": "after"}
    new = api.call("POST", f"/v1/rooms/{rooms[0]}/messages", token, json=body)
    assert new.status_code == 201
    assert int(new.json()["id"]) > int(histories[rooms[0]]["messages"][0]["id"])
    of_one = parley(environment, "export", "--room", rooms[0])
    assert b'"after"' in of_one and b"between us" not in of_one
    data = tmp_path / "back/data"
    whole = tmp_path / "back.ndjson"
    parley(environment, "export", "--output", whole)
    parley(server.environment, "import", whole, "--data", data)
    assert parley(server.environment, "export", "--data", data) == whole.read_bytes()
    api.close()


def test_a_shard_is_added_under_load(cluster, tmp_path, capsys):
    reshard = Resharding(cluster)
    assert reshard("--dry-run")["moves"] == []
    cluster.local.scale("shard", 3)
    cluster.wait_ready()
    reshard = Resharding(cluster)
    planned = reshard("--dry-run")
    assert planned["dry_run"] and [move["to"] for move in planned["moves"]] == [2, 2]
    assert set(reshard.homes().values()) == {0, 1}
    dice = random.Random(secrets.randbelow(10**6))
    load = Load(cluster, tmp_path / "logs", dice.randrange(10**6), rooms=3, senders=1, observers=1)
    done, caught = [], []

    def story():
        wanted = sorted({reshard.partition_of(room) for room in load.readers})

        def to(shard):
            return ("--move", ",".join(f"{partition}:{shard}" for partition in wanted))

        for attempt in range(4):
            process = reshard.begin(*to(2 - attempt % 3))  # there is always something left to do
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(dice.uniform(0.05, 0.6))
            process.kill()
            process.communicate()
            caught.append(bool(reshard.moves()))
        for shard in (0, 2):
            done.extend(reshard(*to(shard))["moves"])
        assert {reshard.homes()[partition] for partition in wanted} == {2}

    late = asyncio.run(load.run(story))
    assert late == 0
    check = [sys.executable, str(TESTS / "crash/check.py"), str(tmp_path / "logs")]
    judged = json.loads(subprocess.run(check, capture_output=True, text=True).stdout)
    frozen = [move["frozen_ms"] for move in done]
    assert any(caught) and frozen
    with capsys.disabled():
        print(f"\n    {judged['sent']} sent, longest pause {load.longest_pause():.1f} s, killed with a move open "
              f"{sum(caught)} times of {len(caught)}, stood still for {frozen} ms")
    wrong = {verdict: judged[verdict] for verdict in ("lost", "doubled", "reordered", "invented", "missed")}
    assert not any(wrong.values()), judged
    assert reshard.moves() == [] and reshard.rows_elsewhere() == {}


def test_what_was_sealed_and_not_told_is_told_by_the_next_run(cluster):
    reshard = Resharding(cluster)
    api = Api(cluster)
    ann, bob = api.new_user(), api.new_user()
    room = ann.room(bob)
    said = [ann.say(room, f"before {n}")["id"] for n in range(3)]
    bob.put(f"/v1/rooms/{room}/read", {"message_id": said[0]})
    partition = reshard.partition_of(room)
    for _ in range(20):  # until it is caught between the two
        source = reshard.homes()[partition]
        target = (source + 1) % 3
        with directory_shell(cluster) as holder:
            process = reshard.begin("--move", f"{partition}:{target}")
            wait_until(lambda: reshard.moves() or process.poll() is not None)
            hold_layout(holder)
            caught = reshard.homes()[partition] == source
            if caught:
                text = f"SELECT moved FROM partitions WHERE partition = {partition}"
                wait_until(lambda: cluster.sql(f"shard.{source}", text).strip() == "1")
                process.kill()
                process.communicate()
                assert reshard.homes()[partition] == source
                # Readable meanwhile, in lists too, and once.
                assert [r["id"] for r in ann.got("/v1/rooms")["rooms"]].count(room) == 1
        process.communicate(timeout=60)
        if caught:
            break
    assert caught
    again = reshard("--move", f"{partition}:{target}")
    assert [move["to"] for move in again["moves"]] == [target]
    assert reshard.homes()[partition] == target
    after = ann.say(room, "after")["id"]
    assert [message["id"] for message in ann.whole_history(room)] == [*said, after]
    mine = next(r for r in bob.got("/v1/rooms")["rooms"] if r["id"] == room)
    assert mine["last_read_id"] == said[0] and mine["unread_count"] == 3
    assert reshard.moves() == [] and reshard.rows_elsewhere() == {}


def test_an_erasure_waits_for_a_move_and_goes_on_by_itself(cluster):
    """So do retention and the removal of files: nothing walks through all shards while two have the same rows."""
    reshard = Resharding(cluster)
    api = Api(cluster)
    ann = api.new_user()
    room = ann.room()
    ann.say(room, "soon nowhere")
    partition, shards = reshard.partition_of(room), len(cluster.local.find("shard"))
    for _ in range(20):  # until it is killed with its move open
        process = reshard.begin("--move", f"{partition}:{(reshard.homes()[partition] + 1) % shards}")
        wait_until(lambda: reshard.moves() or process.poll() is not None)
        process.kill()
        process.communicate()
        if reshard.moves():
            break
    assert reshard.moves()
    nodes = [part for role in ("chat", "user", "media") for part in cluster.local.find(role)]
    wait_until(lambda: all(b"parley_layout_moves 1" in metrics_of(part) for part in nodes))
    words = ["user", "erase", ann.name, "--yes", "--wait", "90", "--json"]
    erasing = subprocess.Popen(
        [str(binary()), *words], env=reshard.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    done = f"SELECT count(*) FROM erasures WHERE user_id = {ann.id} AND done_at IS NULL"
    wait_until(lambda: cluster.sql("directory", done).strip() == "1")
    with pytest.raises(subprocess.TimeoutExpired):  # several looks of who leads
        erasing.wait(4)
    reshard()
    out, errors = erasing.communicate(timeout=120)
    assert erasing.returncode == 0, out + errors
    receipt = json.loads(out)
    assert receipt["done_at"] and receipt["messages"] == 1, receipt
    assert reshard.moves() == [] and reshard.rows_elsewhere() == {}
    api.close()


def metrics_of(part):
    with urllib.request.urlopen(f"http://127.0.0.1:{part.port}/metrics", timeout=10) as answer:
        return answer.read()


def test_what_is_not_possible_is_said(cluster):
    reshard = Resharding(cluster)
    for words in ("3", "x:1", "99:1", "1:99", "1:0,1:2", ""):
        reshard("--move", words, status=2)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with layout_held(cluster):
        first = reshard.begin("--move", f"0:{(reshard.homes()[0] + 1) % 3}")
        wait_until(lambda: cluster.sql("directory", waiting).strip() == "1")  # so the other one is the second
        out, errors = reshard.begin("--move", "1:0").communicate(timeout=60)
        assert "another reshard is running" in out + errors
    out, errors = first.communicate(timeout=60)
    assert first.returncode == 0, out + errors


def test_in_the_end_all_shards_have_as_many(cluster):
    reshard = Resharding(cluster)
    shards = reshard()["shards"]
    assert sorted(len(shard["partitions"]) for shard in shards) == [2, 3, 3]
    assert reshard()["moves"] == []
    assert reshard.moves() == [] and reshard.rows_elsewhere() == {}
