"""`parley backup` beside a server that is busy, and `parley restore`."""

import hashlib
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
from test_media import fetched, location, put, ticket, uploaded
from test_media_worker import png
from test_pictures import described, posted, variant, wait_for

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


class Uploader(threading.Thread):
    """Sends files and takes some of them back; knows what is in each that was sent."""

    def __init__(self, user, room):
        super().__init__()
        self.user, self.room, self.stopping, self.problem = user, room, False, None
        self.contents = {}

    def run(self):
        try:
            n = 0
            while not self.stopping:
                n += 1
                data = f"{n} ".encode() * 5_000
                media, message = posted(self.user, self.room, data, type="text/plain", name="a.txt")
                self.contents[media] = data
                if n % 2:
                    self.user.delete(f"/v1/rooms/{self.room}/messages/{message['id']}")
        except Exception as problem:
            self.problem = problem


def in_backup(folder):
    return {file.name for file in (folder / "media/objects").rglob("*") if file.is_file()}


def test_a_backup_has_the_files_that_its_database_names_and_no_others(make_server, tmp_path):
    server = make_server()
    ann, other = server.api.new_user(), server.api.new_user()
    room, busy = ann.room(), other.room()
    picture, message = posted(ann, room, png(600, 300))
    twice = [posted(ann, room, b"the same" * 100, type="text/plain", name=n)[0] for n in ("a.txt", "b.txt")]
    unposted = uploaded(ann, room, b"not posted yet", type="text/plain", name="c.txt")
    unfinished = ticket(ann, room, b"never" * 9, type="text/plain", name="d.txt")
    gone, regretted = posted(ann, room, b"regretted" * 9, type="text/plain", name="e.txt")
    described(ann, room, message)
    ann.delete(f"/v1/rooms/{room}/messages/{regretted['id']}")
    folder = server.data / "media"
    lost = hashlib.sha256(b"regretted" * 9).hexdigest()
    wait_for(lambda: not list(folder.rglob(lost)), 60)
    uploader = Uploader(other, busy)
    uploader.start()
    wait_for(lambda: len(uploader.contents) > 5)
    before = list(uploader.contents)
    parley("backup", tmp_path / "backup", "--json", data=server.data)
    uploader.stopping = True
    uploader.join()
    assert not uploader.problem, uploader.problem
    names = in_backup(tmp_path / "backup")
    assert hashlib.sha256(b"the same" * 100).hexdigest() in names and lost not in names
    assert not (tmp_path / "backup/media/keys").exists(), "each content once"

    copy = make_server(start=False)
    parley("restore", tmp_path / "backup", data=copy.data)
    copy.start()
    ann.api = other.api = Api(copy)
    assert ann.got(f"/v1/rooms/{room}/messages")["messages"][-1]["media"]["thumbnails"]
    assert variant(ann, picture, "small").status_code == fetched(ann, picture).status_code == 200
    assert [fetched(ann, media).content for media in twice] == [b"the same" * 100] * 2
    assert location(ann, gone).status_code == 404
    assert ann.post_message(room, "", type="MEDIA", media_id=unposted).status_code == 201
    upload = {**unfinished["upload"], "url": unfinished["upload"]["url"].replace(str(server.port), str(copy.port), 1)}
    assert put(upload, b"never" * 9).status_code in (200, 403)  # its minute may be over
    carried = [m["media_id"] for m in other.whole_history(busy) if "media_id" in m and not m.get("deleted")]
    assert set(before[1::2]) <= set(carried)
    for media in carried:
        assert fetched(other, media).content == uploader.contents[media]
    # The names of a content count as they did: it goes with the last of them.
    (content,) = (copy.data / "media/objects").rglob(hashlib.sha256(b"the same" * 100).hexdigest())
    assert content.stat().st_nlink == 3
    ann.api.close()

    damaged = next((tmp_path / "backup/media/objects").rglob(hashlib.sha256(b"the same" * 100).hexdigest()))
    flip(damaged, 3)
    answer = parley("restore", tmp_path / "backup", "--json", data=tmp_path / "none", expect=1)
    assert damaged.name in answer["error"]["message"] and not (tmp_path / "none").exists()
