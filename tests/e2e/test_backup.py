"""`parley backup` beside a server that is busy, and `parley restore`."""

import json
import shutil
import subprocess
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed

from parley_client import Api, new_nonce
from parley_command import parley
from parley_server import Server, binary

pytestmark = pytest.mark.embedded_only("backups of the data folder")


class Talker(threading.Thread):
    """Keeps several sends in flight; knows what was acknowledged, in order."""

    def __init__(self, user, room, number):
        super().__init__()
        self.socket, self.room, self.number = user.socket(), room, number
        self.acknowledged, self.stopping = [], False

    def run(self):
        sent = 0
        try:
            while not self.stopping:
                while sent < len(self.acknowledged) + 50:
                    sent += 1
                    self.socket.send("send", room_id=self.room, nonce=new_nonce(), type="TEXT",
                                     content=f"{self.number}: {sent} " + "x" * 200)
                frame = self.socket.receive()
                if frame["op"] == "sent":
                    self.acknowledged.append(frame["message"]["id"])
        except ConnectionClosed:
            pass


def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(make_server, tmp_path):
    server = make_server()
    user = server.api.new_user()
    rooms = [user.room() for _ in range(3)]
    talkers = [Talker(user, room, n) for n, room in enumerate(rooms)]
    for talker in talkers:
        talker.start()
    time.sleep(1)
    before = [list(talker.acknowledged) for talker in talkers]
    folder = tmp_path / "backups/one"
    manifest = parley("backup", folder, "--json", data=server.data)
    after = [len(talker.acknowledged) for talker in talkers]
    for talker in talkers:
        talker.stopping = True
        talker.join()
    assert all(len(acknowledged) > 100 for acknowledged in before)
    assert all(count > len(ids) for count, ids in zip(after, before)), "the server went on meanwhile"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["one"], "nothing beside it"
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600 and folder.stat().st_mode & 0o777 == 0o700
    assert manifest["rows"]["users"] == 1 and manifest["rows"]["messages"] >= sum(map(len, before))

    copy = Server(tmp_path / "copy")
    parley("restore", folder, data=copy.data)
    copy.start()
    api = Api(copy)
    try:
        answer = api.call("GET", "/v1/me", user.token)
        assert answer.status_code == 200, "the secret came along: tokens go on working"
        user.api = api
        for room, ids, talker in zip(rooms, before, talkers):
            history = [message["id"] for message in user.whole_history(room)]
            assert history[: len(ids)] == ids, "everything acknowledged before, in order"
            assert history == talker.acknowledged[: len(history)], "and one moment of the rest"
        fresh = user.say(rooms[0], "after the restore")
        assert int(fresh["id"]) > int(manifest["last_event_id"])
    finally:
        user.api = server.api
        api.close()
        copy.stop()


@pytest.fixture(scope="module")
def backup(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backup")
    server = Server(folder / "server").start()
    api = Api(server)
    user = api.new_user()
    user.say(user.room(), "kept")
    api.close()
    server.stop()
    (server.data / "words").mkdir()
    (server.data / "words/en.txt").write_text("example\n")
    parley("backup", folder / "backup", data=server.data)
    return folder / "backup"


def test_a_backup_of_a_stopped_server_has_every_file(backup, tmp_path):
    listed = {file["name"] for file in json.loads((backup / "manifest.json").read_text())["files"]}
    assert listed == {"parley.db", "secret", "words/en.txt"}
    parley("restore", backup, data=tmp_path / "data")
    assert (tmp_path / "data/words/en.txt").read_text() == "example\n"
    again = parley("backup", tmp_path / "again", "--json", data=tmp_path / "data")
    assert again["rows"] == json.loads((backup / "manifest.json").read_text())["rows"]


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def change_manifest(folder, **fields):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, **fields}))


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda f: flip(f / "parley.db", 5000), "parley.db"),
        (lambda f: flip(f / "secret", 3), "secret"),
        (lambda f: (f / "words/en.txt").unlink(), "words/en.txt"),
        (lambda f: (f / "manifest.json").unlink(), "not a backup"),
        (lambda f: (f / "manifest.json").write_text("{"), "damaged"),
        (lambda f: change_manifest(f, rows={}), "manifest"),
        (lambda f: change_manifest(f, files=[]), "no database"),
        (lambda f: change_manifest(f, format_version=2), "newer"),
        (lambda f: change_manifest(f, files=[{"name": "../x", "bytes": 0, "sha256": ""}]), "outside"),
    ],
)
def test_a_damaged_backup_restores_nothing(backup, tmp_path, damage, words):
    copy = tmp_path / "copy"
    shutil.copytree(backup, copy)
    damage(copy)
    answer = parley("restore", copy, "--json", data=tmp_path / "data", expect=1)
    assert words in answer["error"]["message"]
    assert not (tmp_path / "data").exists()


def test_restore_refuses_a_folder_with_data_or_in_use(backup, make_server, tmp_path):
    server = make_server()
    answer = parley("restore", backup, "--json", data=server.data, expect=1)
    assert "in use" in answer["error"]["message"]
    server.stop()
    before = sorted(path.name for path in server.data.iterdir())
    answer = parley("restore", backup, "--json", data=server.data, expect=1)
    assert "not empty" in answer["error"]["message"]
    assert sorted(path.name for path in server.data.iterdir()) == before


def test_a_restore_that_was_cut_short_can_be_done_again(backup, tmp_path):
    data = tmp_path / "data"
    (data / ".restoring").mkdir(parents=True)
    (data / ".restoring/parley.db").write_text("half")
    shutil.copy(backup / "secret", data / "secret")
    parley("restore", backup, data=data)
    assert sorted(p.name for p in data.iterdir()) == ["parley.db", "parley.lock", "secret", "words"]


def test_backup_refuses_what_it_would_overwrite(backup, tmp_path):
    (tmp_path / "there").mkdir()
    parley("restore", backup, data=tmp_path / "data")
    there = parley("backup", tmp_path / "there", "--json", data=tmp_path / "data", expect=1)
    assert "exists" in there["error"]["message"]
    parley("backup", tmp_path / "data/inside", data=tmp_path / "data", expect=2)
    nothing = parley("backup", tmp_path / "b", "--json", data=tmp_path / "no", expect=1)
    assert "--data" in nothing["error"]["message"]
    command = [str(binary()), "backup", str(tmp_path / "told"), "--progress", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "copied pages: " in done.stderr and "(100 %)" in done.stderr
