"""`parley export` and `parley import`: the round trip is exact, and what is not whole changes nothing."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess

import pytest

from parley_client import Api
from parley_command import parley
from parley_server import TEST_ENVIRONMENT, Server, binary

pytestmark = pytest.mark.embedded_only("export and import of the data folder")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A stopped server that has some of everything; its people keep their passwords."""
    server = Server(tmp_path_factory.mktemp("transfer")).start()
    api = Api(server)
    ann, bob, eve = api.new_user(), api.new_user(), api.new_user()
    ann.patch("/v1/me", {"display_name": 'Ann "the" \\ 𝔄\u0001'.replace("\u0001", "")})
    room = ann.room(bob, topic="soup\nand bread")
    first = ann.say(room, 'first "quoted" \\ \t 日本語 😀')
    second, third = bob.say(room, "redy", reply_to=first["id"]), ann.say(room, "oops")
    bob.patch(f"/v1/rooms/{room}/messages/{second['id']}", {"content": "ready"})
    ann.delete(f"/v1/rooms/{room}/messages/{third['id']}")
    for user in (ann, bob):
        user.put(f"/v1/rooms/{room}/messages/{first['id']}/reactions/👍")
    bob.put(f"/v1/rooms/{room}/read", {"message_id": second["id"]})
    ann.put(f"/v1/rooms/{room}/members/{bob.id}", {"role": "admin"})
    dm = ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id]}).json()["id"]
    bob.say(dm, "between us")
    other = eve.room(visibility="private")
    eve.say(other, "nobody else's")
    gone = eve.room()
    eve.say(gone, "gone")
    eve.delete(f"/v1/rooms/{gone}")
    server.people, server.room, server.other = (ann, bob, eve), room, other
    api.close()
    assert server.stop() == 0
    return server


def export(data, *flags):
    done = subprocess.run([str(binary()), "export", "--data", str(data), *flags], capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines_of(exported):
    return [json.loads(line) for line in exported.splitlines()]


def start_on(data, make_server):
    server = make_server(folder=data.parent, start=False)
    server.start()
    server.api = Api(server)
    return server


def test_a_servers_round_trip_gives_the_same_bytes(source, tmp_path, make_server):
    exported = export(source.data)
    (tmp_path / "all.ndjson").write_bytes(exported)
    data = tmp_path / "copy/data"
    counts = parley("import", tmp_path / "all.ndjson", "--json", data=data)["counts"]
    assert counts["user"] == 3 and counts["room"] == 4 and counts["message"] == 6
    assert export(data) == exported
    assert (data / "parley.db").stat().st_mode & 0o777 == 0o600
    assert parley("doctor", "--json", "--full", "--listen", "127.0.0.1:0", data=data)["problems"] == 0

    ann, bob, _ = source.people
    copy = start_on(data, make_server)
    answer = copy.api.call("POST", "/v1/sessions", json={"email": ann.email, "password": ann.password})
    assert answer.status_code == 201, "passwords came along"
    ann.api, token, ann.token = copy.api, ann.token, answer.json()["access_token"]
    try:
        contents = ann.contents(source.room)
        assert contents == ['first "quoted" \\ \t 日本語 😀', "ready", ""]
        again = ann.say(source.room, "after the move")
        newest = int(lines_of(exported)[0]["last_event_id"])
        assert int(again["id"]) > newest
    finally:
        ann.token = token


def test_the_shape_of_the_lines(source):
    exported = export(source.data)
    first, *lines, last = lines_of(exported)
    assert first["format"] == "parley-export" and first["version"] == 1 and first["scope"] == "server"
    body = exported[: exported.rstrip(b"\n").rindex(b"\n") + 1]
    assert last["sha256"] == hashlib.sha256(body).hexdigest()
    assert last["counts"]["message"] == sum(line["kind"] == "message" for line in lines)
    message = next(line for line in lines if line["kind"] == "message" and "edited_at" in line)
    assert message["content"] == "ready" and message["reply_to"].isdigit() and message["created_at"].endswith("Z")


def test_without_credentials(source, tmp_path):
    exported = export(source.data, "--without-credentials")
    assert b"argon2" not in exported and b"password_hash" not in exported
    (tmp_path / "all.ndjson").write_bytes(exported)
    parley("import", tmp_path / "all.ndjson", data=tmp_path / "data")
    assert export(tmp_path / "data", "--without-credentials") == exported
    name = source.people[0].name
    parley("user", "reset-password", name, "--generate", data=tmp_path / "data")
    assert b"argon2" in export(tmp_path / "data")


def test_a_room_moves_to_a_server_that_has_others(source, tmp_path, make_server):
    exported = export(source.data, "--room", source.room)
    assert b"nobody else's" not in exported and b"argon2" not in exported
    (tmp_path / "room.ndjson").write_bytes(exported)
    target = make_server()
    local = target.api.new_user()
    local_room = local.room()
    local.say(local_room, "was here before")
    target.stop()
    parley("import", tmp_path / "room.ndjson", data=target.data)
    assert export(target.data, "--room", source.room) == exported
    assert parley("doctor", "--json", "--listen", "127.0.0.1:0", data=target.data)["problems"] == 0
    before = export(target.data)
    again = parley("import", tmp_path / "room.ndjson", "--json", data=target.data, expect=1)
    assert "conflicts" in again["error"]["message"]
    assert export(target.data) == before
    alone = tmp_path / "alone"
    parley("import", tmp_path / "room.ndjson", data=alone)
    assert export(alone, "--room", source.room) == exported


def test_a_persons_file_has_what_is_theirs_and_cannot_be_imported(source, tmp_path):
    ann, bob, eve = source.people
    exported = export(source.data, "--user", bob.name)
    lines = lines_of(exported)
    assert {line["kind"] for line in lines} >= {"user", "session", "room", "member", "message", "event", "reaction"}
    assert b"ready" in exported and b"between us" in exported
    assert b"first" not in exported and ann.email.encode() not in exported and b"argon2" not in exported
    assert b"refresh" not in exported
    assert lines_of(export(source.data, "--user", bob.id)) == lines
    (tmp_path / "bob.ndjson").write_bytes(exported)
    answer = parley("import", tmp_path / "bob.ndjson", "--json", data=tmp_path / "data", expect=1)
    assert "for the person" in answer["error"]["message"] and not (tmp_path / "data").exists()


def damaged(exported, number, change):
    lines = exported.decode().splitlines(keepends=True)
    lines[number - 1] = change(lines[number - 1])
    return "".join(lines).encode()


@pytest.mark.parametrize(
    "line, change, words",
    [
        (1, lambda text: text.replace("parley-export", "other"), "first line"),
        (1, lambda text: text.replace('"version":1', '"version":2'), "newer program"),
        (3, lambda text: text[:40] + "\n", "not an object"),
        (3, lambda text: text.replace('"kind":"user"', '"kind":"person"'), "person"),
        (3, lambda text: text.replace('"username"', '"user_name"'), "user_name"),
        (3, lambda text: text.replace('"disabled":false', '"disabled":"no"'), "disabled"),
        (3, lambda text: text.replace('"disabled":false', '"disabled":[]'), "disabled"),
        (3, lambda text: text.replace('"created_at":"2', '"created_at":"x'), "created_at"),
        (3, lambda text: text.replace('"id":"', '"id":"x'), '"id"'),
        (4, lambda text: text * 2, "conflicts"),
        (5, lambda text: "", "hash"),
        (5, lambda text: text.replace("group", "grouq"), "not known"),
        (-1, lambda text: "", "ends before"),
        (-1, lambda text: text.rstrip("\n"), "does not end"),
        (-1, lambda text: text * 2, "more after"),
        (-1, lambda text: text.replace('"message":6', '"message":7'), "counts"),
        (2, lambda text: '{"kind":"user","x":"' + "x" * 2_000_000 + '"}\n', "too long"),
    ],
)
def test_a_bad_line_is_named_and_changes_nothing(source, tmp_path, line, change, words):
    exported = export(source.data)
    count = len(exported.splitlines())
    number = line if line > 0 else count
    (tmp_path / "bad.ndjson").write_bytes(damaged(exported, number, change))
    answer = parley("import", tmp_path / "bad.ndjson", "--json", data=tmp_path / "data", expect=1)
    message = answer["error"]["message"]
    assert words in message and "nothing was imported" in message and ", line " in message
    if words not in ("hash", "ends before", "more after", "conflicts"):
        assert f", line {number}:" in message
    assert not (tmp_path / "data").exists()


def test_lines_that_break_a_rule_of_the_store(source, tmp_path):
    """A file that somebody made anew, hash and all."""
    lines = lines_of(export(source.data))
    for line in lines:
        if line["kind"] == "message":
            line["prev_id"] = "1"
    body = "".join(json.dumps(line) + "\n" for line in lines[:-1])
    lines[-1]["sha256"] = hashlib.sha256(body.encode()).hexdigest()
    (tmp_path / "made.ndjson").write_text(body + json.dumps(lines[-1]) + "\n")
    (tmp_path / "data").mkdir()
    answer = parley("import", tmp_path / "made.ndjson", "--json", data=tmp_path / "data", expect=1)
    assert "chains" in answer["error"]["message"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["parley.lock"]


def test_power_over_a_server_does_not_come_with_a_room(source, tmp_path):
    shutil.copytree(source.data, tmp_path / "data")
    ann = source.people[0]
    parley("user", "role", ann.name, "admin", data=tmp_path / "data")
    exported = export(tmp_path / "data", "--room", source.room)
    assert b"moderator" not in exported and b'"role":"user"' not in exported
    file = tmp_path / "room.ndjson"
    file.write_bytes(exported)
    parley("import", file, data=tmp_path / "copy")
    users = parley("user", "list", "--json", data=tmp_path / "copy")["users"]
    assert {user["role"] for user in users} == {"user"}
    file.write_bytes(exported.replace(b'"disabled":false}', b'"disabled":false,"role":"admin"}'))
    answer = parley("import", file, "--json", data=tmp_path / "other", expect=1)
    assert "does not come with a room" in answer["error"]["message"]
    file.write_bytes(export(tmp_path / "data"))
    parley("import", file, data=tmp_path / "whole")
    roles = {u["username"]: u["role"] for u in parley("user", "list", "--json", data=tmp_path / "whole")["users"]}
    assert roles[ann.name] == "admin"


def test_a_folder_with_data_or_in_use_is_refused(source, tmp_path, make_server):
    (tmp_path / "all.ndjson").write_bytes(export(source.data))
    shutil.copytree(source.data, tmp_path / "data")
    before = export(tmp_path / "data")
    answer = parley("import", tmp_path / "all.ndjson", "--json", data=tmp_path / "data", expect=1)
    assert "empty" in answer["error"]["message"]
    running = make_server()
    answer = parley("import", tmp_path / "all.ndjson", "--json", data=running.data, expect=1)
    assert "in use" in answer["error"]["message"]
    assert export(tmp_path / "data") == before


def test_export_beside_a_running_server_and_into_a_file(make_server, tmp_path):
    server = make_server()
    user = server.api.new_user()
    room = user.room()
    told = user.say(room, "told")
    file = tmp_path / "out.ndjson"
    report = parley("export", "--output", file, "--json", data=server.data)
    assert report["counts"]["message"] == 1 and told["id"].encode() in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600 and [p.name for p in tmp_path.glob("out*")] == ["out.ndjson"]
    parley("export", "--output", file, data=server.data, expect=1)
    parley("export", "--json", data=server.data, expect=2)
    parley("export", "--room", "77", data=server.data, expect=1)
    parley("export", "--room", "x", data=server.data, expect=2)
    parley("export", "--user", "nobody", data=server.data, expect=1)


def test_memory_does_not_grow_with_the_store(tmp_path):
    """100,000 messages, some 50 MB of lines, within far less than that."""
    data = tmp_path / "data"
    parley("user", "add", "ann", "--email", "a@example.org", "--generate", data=data)
    database = sqlite3.connect(data / "parley.db")
    ann, = database.execute("SELECT id FROM users").fetchone()
    database.execute("INSERT INTO rooms (id, kind, visibility, name, name_key, topic, topic_key, created_at, "
                     "member_count, owner_count) VALUES (1, 1, 1, 'room', 'room', '', '', 0, 1, 1)")
    database.execute("INSERT INTO members VALUES (1, ?, 3, 0)", [ann])
    database.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT INTO messages "
        "(id, room_id, prev_id, user_id, created_at, type, content, deleted, nonce, body_hash) "
        "SELECT i, 1, i - 1, ?, i, 1, ?, 0, 'nonce ' || i, 1 FROM n", [ann, "x" * 300])
    database.execute("UPDATE meta SET value = 100000")
    database.commit()
    database.close()

    def peak_mib(*words):
        command = [str(binary()), *map(str, words)]
        process = subprocess.Popen(command, env={**os.environ, **TEST_ENVIRONMENT}, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return usage.ru_maxrss / 1024

    file = tmp_path / "all.ndjson"
    idle = peak_mib("version")
    assert peak_mib("export", "--data", data, "--output", file) < idle + 30
    assert file.stat().st_size > 50e6
    assert peak_mib("import", file, "--data", tmp_path / "copy") < idle + 64 + 30  # SQLite's cache
    assert export(tmp_path / "copy") == file.read_bytes()
