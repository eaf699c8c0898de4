"""`parley doctor`: silent about a sound folder, and each planted fault is found and named."""

import os
import shutil
import socket
import sqlite3
import subprocess
import time

import pytest

from parley_client import Api
from parley_command import parley
from parley_server import Server

pytestmark = pytest.mark.embedded_only("the doctor of the data folder")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The data folder of a stopped server that has some of everything."""
    server = Server(tmp_path_factory.mktemp("doctor")).start()
    api = Api(server)
    ann, bob = api.new_user(), api.new_user()
    room = ann.room(bob)
    first, second, third = (ann.say(room, f"message {n}") for n in range(3))
    bob.put(f"/v1/rooms/{room}/messages/{first['id']}/reactions/👍")
    ann.delete(f"/v1/rooms/{room}/messages/{second['id']}")
    bob.put(f"/v1/rooms/{room}/read", {"message_id": third["id"]})
    ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id]})
    gone = ann.room()
    ann.delete(f"/v1/rooms/{gone}")
    api.close()
    assert server.stop() == 0
    return server.data


@pytest.fixture
def data(sound, tmp_path):
    shutil.copytree(sound, tmp_path / "data")
    return tmp_path / "data"


def examine(data, *flags, expect=None):
    """Findings by name, without those that depend on the machine."""
    command = ["doctor", "--json", "--listen", "127.0.0.1:0", "--connections-max", "100", *flags]
    if expect is None:
        expect = 1
    report = parley(*command, data=data, expect=expect)
    return {finding["check"]: finding for finding in report["findings"]}


def wrong(findings):
    return {check for check, finding in findings.items() if finding["level"] == "problem"}


def test_a_sound_folder_of_a_stopped_and_of_a_running_server(sound, make_server):
    findings = examine(sound, expect=0)
    assert wrong(findings) == set() and "store chains" in findings
    assert not wrong(examine(sound, "--full", expect=0))
    server = make_server()
    user = server.api.new_user()
    user.say(user.room())
    report = parley("doctor", "--json", "--listen", f"127.0.0.1:{server.port}", data=server.data)
    assert report["server_runs"] and report["problems"] == 0
    assert {f["check"]: f["detail"] for f in report["findings"]}["port"].endswith("answers")
    text = parley("doctor", "--listen", "127.0.0.1:1", data=server.data, expect=1)
    assert "does not answer" in text and "do: give the settings" in text


STORE_FAULTS = [
    ("chains", "UPDATE messages SET prev_id = prev_id - 1 WHERE id = (SELECT max(id) FROM messages)"),
    ("chains", "DELETE FROM events WHERE kind = 4"),
    ("member-counts", "UPDATE rooms SET member_count = member_count + 1 WHERE kind = 1 AND deleted = 0"),
    ("member-counts", "UPDATE rooms SET owner_count = 2 WHERE kind = 1 AND deleted = 0"),
    ("members", "INSERT INTO members (room_id, user_id, role, joined_at) SELECT id, 77, 1, 0 FROM rooms LIMIT 1;"
                "UPDATE rooms SET member_count = member_count + 1 WHERE id = (SELECT id FROM rooms LIMIT 1)"),
    ("authors", "UPDATE messages SET user_id = 77 WHERE id = (SELECT min(id) FROM messages)"),
    ("nonces", "DROP INDEX messages_nonce; UPDATE messages SET nonce = 'the same'"),
    ("event-ids", "UPDATE events SET id = (SELECT max(id) FROM messages) WHERE id = (SELECT max(id) FROM events)"),
    ("last-event-id", "UPDATE meta SET value = 1 WHERE key = 'last_event_id'"),
    ("reactions", "UPDATE reactions SET message_id = 77"),
    ("reactions", "UPDATE messages SET deleted = 1, content = '' WHERE id = (SELECT message_id FROM reactions)"),
    ("deleted-texts", "UPDATE messages SET content = 'still there' WHERE deleted = 1"),
    ("logs", "UPDATE messages SET room_id = 77"),
    ("read-marks", "UPDATE read_marks SET user_id = 77"),
    ("sessions", "UPDATE sessions SET user_id = 77"),
    ("shape", "DROP INDEX messages_nonce"),
    ("shape", "DROP TABLE reactions"),
    ("shape", "DROP INDEX rooms_name; CREATE INDEX rooms_name ON rooms (name_key)"),
]


@pytest.mark.parametrize("rule, sql", STORE_FAULTS)
def test_each_broken_rule_of_the_store(data, rule, sql):
    with sqlite3.connect(data / "parley.db") as database:
        database.executescript(sql)
    database.close()
    findings = examine(data)
    assert f"store {rule}" in wrong(findings), wrong(findings)
    assert findings[f"store {rule}"]["advice"]


def test_a_damaged_page(data):
    with (data / "parley.db").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096))
    assert any(check.startswith("store") for check in wrong(examine(data)))


def test_an_index_that_lacks_a_row_is_found_by_the_full_check(data):
    """The quick check does not compare an index with its table."""
    database = sqlite3.connect(data / "parley.db")
    root, = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'users'").fetchone()
    database.execute("PRAGMA writable_schema = ON")
    sql, = database.execute("SELECT sql FROM sqlite_schema WHERE name = 'sessions_expiry'").fetchone()
    database.execute("UPDATE sqlite_schema SET sql = 'CREATE INDEX sessions_expiry ON sessions (created_at)' "
                     "WHERE name = 'sessions_expiry'")
    database.commit()
    database.close()
    database = sqlite3.connect(data / "parley.db")
    database.execute("UPDATE sessions SET expires_at = expires_at + 1")
    database.execute("PRAGMA writable_schema = ON")
    database.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'sessions_expiry'", [sql])
    database.commit()
    database.close()
    assert root and wrong(examine(data, expect=0)) == set()
    assert "store pages" in wrong(examine(data, "--full"))


@pytest.mark.parametrize("pragma, words", [("application_id = 7", "not made by Parley"), ("user_version = 999", "999")])
def test_another_programs_file(data, pragma, words):
    database = sqlite3.connect(data / "parley.db")
    database.execute(f"PRAGMA {pragma}")
    database.close()
    findings = examine(data)
    assert words in findings["store version"]["detail"] and "store version" in wrong(findings)


def test_a_file_that_is_not_a_database(data):
    (data / "parley.db").write_text("hello " * 1000)
    assert "store" in wrong(examine(data))


@pytest.mark.parametrize(
    "damage, check, advice",
    [
        (lambda d: (d / "secret").chmod(0o640), "file secret", "chmod 600"),
        (lambda d: (d / "parley.db").chmod(0o644), "file parley.db", "chmod 600"),
        (lambda d: d.chmod(0o755), "data folder", "chmod 700"),
        (lambda d: (d / "secret").write_text("short"), "file secret", "backup"),
        (lambda d: ((d / "secret").unlink(), (d / "secret").mkdir(mode=0o700)), "file secret", "move it away"),
        (lambda d: shutil.rmtree(d), "data folder", "--data"),
    ],
)
def test_files_and_permissions(data, damage, check, advice):
    damage(data)
    findings = examine(data)
    assert check in wrong(findings) and advice in findings[check]["advice"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else(data):
    os.chown(data / "parley.db", 65534, 65534)
    findings = examine(data)
    assert "chown root" in findings["file parley.db"]["advice"]


def test_ids_from_the_future(data):
    ahead = (int(time.time() * 1000) + 3_600_000 - 1_704_067_200_000) << 22
    database = sqlite3.connect(data / "parley.db")
    database.execute("UPDATE meta SET value = ?", [ahead])
    database.commit()
    database.close()
    findings = examine(data)
    assert wrong(findings) == {"clock"} and "went back" in findings["clock"]["advice"]


def test_a_port_that_is_taken(data):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        findings = examine(data, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert "another program" in findings["port"]["advice"] and wrong(findings) == {"port"}


def test_too_few_open_files(data):
    findings = examine(data, "--connections-max", "1000000", expect=0)
    assert findings["open files"]["level"] == "warning" and "1000064" in findings["open files"]["advice"]


def certificate(folder, days):
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
         str(days), "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )
    return folder


def test_certificates(data, tmp_path):
    good, soon = certificate(tmp_path / "good", 90), certificate(tmp_path / "soon", 3)

    def tls(cert, key, expect):
        flags = ["--tls-cert", cert / "cert.pem", "--tls-key", key / "key.pem"]
        return examine(data, *flags, expect=expect)["certificate"]

    assert tls(good, good, 0)["level"] == "ok"
    assert tls(soon, soon, 0)["level"] == "warning"
    assert "not the key" in tls(good, soon, 1)["detail"]
    (good / "cert.pem").write_text("nonsense")
    assert "holds no certificate" in tls(good, good, 1)["detail"]
    shutil.rmtree(good)
    assert "cannot be read" in tls(good, good, 1)["detail"]
