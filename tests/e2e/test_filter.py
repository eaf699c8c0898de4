"""Words: what is stored, sent and read is masked; rejected and held words; lists that change."""

import signal
import subprocess
import time

import pytest

from parley_client import Api, new_nonce, refused, unique
from parley_command import parley
from parley_server import Server, binary

pytestmark = pytest.mark.embedded_only("word files of a server of its own")

LISTS = {
    "en.txt": "# test words\nsquirrel\n*badger*\n!badgering\nreject: spamword\nhold: dealword\n",
    "ru.txt": "выхухоль\n",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server with lists of its own, and an admin."""
    folder = tmp_path_factory.mktemp("words")
    words = folder / "data" / "words"
    words.mkdir(parents=True)
    for name, text in LISTS.items():
        (words / name).write_text(text)
    server = Server(folder).start()
    api = Api(server)
    yield House(server, api, words)
    api.close()
    assert server.stop() == 0


class House:
    def __init__(self, server, api, words):
        self.server, self.api, self.words = server, api, words
        self.admin = api.new_user()
        parley("user", "role", self.admin.name, "admin", data=server.data)

    def generation(self):
        for line in self.api.http.get("/metrics").text.splitlines():
            if line.startswith("parley_filter_generation "):
                return int(line.split()[1])
        raise AssertionError("no generation")


@pytest.fixture
def ann(house):
    user = house.api.new_user()
    yield user
    user.close()


@pytest.fixture
def bob(house):
    user = house.api.new_user()
    yield user
    user.close()


def test_masked_in_what_is_stored_sent_and_read(ann, bob):
    room = ann.room(bob)
    listener = bob.socket(room)
    first = ann.say(room, "nothing")["id"]
    listener.expect("message")
    message = ann.say(room, "A Squirrel, a sq\u200buirrel and hedgebadgers")
    masked = "A ********, a ********* and hedge******s"
    assert message["content"] == masked
    assert listener.expect("message")["message"]["content"] == masked
    assert ann.contents(room) == ["nothing", masked]
    later = bob.socket()
    resumed = later.subscribe(room, since=first)
    assert [e["message"]["content"] for e in resumed["events"] if e["op"] == "message"] == [masked]


def test_a_retry_of_a_masked_message_is_the_same_message(ann, bob):
    room = ann.room(bob)
    nonce = new_nonce()
    first = ann.post_message(room, "a squirrel", nonce=nonce)
    again = ann.post_message(room, "a squirrel", nonce=nonce)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    refused(ann.post_message(room, "a ********", nonce=nonce), 409, "nonce_conflict")


def test_edits_are_masked(ann, bob):
    room = ann.room(bob)
    listener = bob.socket(room)
    message = ann.say(room, "fine")
    listener.expect("message")
    edited = ann.patch(f"/v1/rooms/{room}/messages/{message['id']}", {"content": "no squirrel"})
    assert edited.json()["content"] == "no ********"
    assert listener.expect("edited")["message"]["content"] == "no ********"
    for content in ("spamword", "dealword"):
        path = f"/v1/rooms/{room}/messages/{message['id']}"
        refused(ann.patch(path, {"content": content}), 422, "content_rejected")


def test_names_and_topics(house, ann):
    room = ann.post("/v1/rooms", {"name": unique("squirrel "), "kind": "group", "topic": "badger"})
    assert room.json()["name"].startswith("******** ")
    assert room.json()["topic"] == "******"
    path = f"/v1/rooms/{room.json()['id']}"
    assert ann.patch(path, {"topic": "squirrel"}).json()["topic"] == "********"
    refused(ann.patch(path, {"name": "spamword"}), 422, "content_rejected")
    refused(ann.patch("/v1/me", {"display_name": "A squirrel"}), 422, "content_rejected")
    refused(house.api.sign_up(username="xbadgerx"), 422, "content_rejected")
    assert ann.patch("/v1/me", {"display_name": "Badgering"}).status_code == 200


def test_rejected_and_held(ann, bob):
    room = ann.room(bob)
    refused(ann.post_message(room, "a spamword"), 422, "content_rejected")
    refused(ann.post_message(room, "a dealword"), 409, "content_held")
    socket = ann.socket(room)
    socket.refused(
        "send", "content_rejected", room_id=room, nonce=new_nonce(), type="TEXT", content="spamword"
    )
    nonce = new_nonce()
    for _ in range(2):
        socket.refused(
            "send", "content_held", room_id=room, nonce=nonce, type="TEXT", content="dealword"
        )
    assert ann.contents(room) == []


def test_evasion(ann, bob):
    room = ann.room(bob)
    for text in ("ѕquirrеl", "$qu1rr3l", "ｓｑｕｉｒｒｅｌ", "s\u0336q\u0336u\u0336irrel", "вЫХУХОЛЬ"):
        assert set(ann.say(room, text)["content"]) == {"*"}, text
    long = ann.say(room, "a" * 4000)["content"]
    assert long == "a" * 4000


def test_new_lists_without_a_restart(house, ann, bob):
    room = ann.room(bob)
    assert ann.say(room, "a wombat")["content"] == "a wombat"
    before = house.generation()
    (house.words / "au.txt").write_text("wombat\n")
    house.server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: house.generation() > before)
    assert ann.say(room, "a wombat")["content"] == "a ******"

    (house.words / "au.txt").write_text("quokka\n")
    report = house.admin.post("/v1/admin/filter/reload")
    assert report.status_code == 200
    assert {"language": "au", "words": 1} in report.json()["languages"]
    assert ann.say(room, "a wombat, a quokka")["content"] == "a wombat, a ******"
    assert house.admin.get("/v1/admin/filter").json() == report.json()


def test_a_bad_list_leaves_the_old_one_in_force(house, ann, bob):
    room = ann.room(bob)
    before = house.generation()
    bad = house.words / "bad.txt"
    bad.write_text("fine\nban: word\n")
    try:
        problem = house.admin.post("/v1/admin/filter/reload")
        refused(problem, 422, "invalid_field")
        assert "bad.txt, line 2" in problem.json()["detail"]
        assert house.generation() == before
        assert ann.say(room, "squirrel fine")["content"] == "******** fine"
        assert "parley_filter_reload_failures_total 1" in house.api.http.get("/metrics").text
        started = subprocess.run(
            [str(binary()), "serve", "--data", str(house.words.parent / "other"),
             "--words-dir", str(house.words), "--listen", "127.0.0.1:0"],
            capture_output=True, text=True, timeout=20,
        )  # fmt: skip
        assert started.returncode == 1
        assert "bad.txt, line 2" in started.stderr
    finally:
        bad.unlink()


def test_only_admins_reload(ann):
    refused(ann.post("/v1/admin/filter/reload"), 403, "forbidden")
    refused(ann.get("/v1/admin/filter"), 403, "forbidden")


def test_a_rooms_own_words(house, ann, bob):
    room, other = ann.room(bob), ann.room(bob)
    path = f"/v1/rooms/{room}/words"
    assert ann.get(path).json() == {"words": []}
    words = [
        {"word": "pineapple", "action": "reject", "match": "whole"},
        {"word": "crumb", "action": "mask", "match": "anywhere"},
    ]
    assert ann.put(path, {"words": words}).json() == {"words": words}
    refused(bob.post_message(room, "pineapple"), 422, "content_rejected")
    assert bob.say(room, "breadcrumbs")["content"] == "bread*****s"
    assert bob.say(other, "pineapple breadcrumbs")["content"] == "pineapple breadcrumbs"
    refused(bob.get(path), 403, "forbidden")
    refused(bob.put(path, {"words": []}), 403, "forbidden")
    assert house.api.new_user().get(path).status_code == 403
    assert house.admin.get(path).json() == {"words": words}  # the server's staff may

    house.server.stop()
    house.server.start()
    assert bob.say(room, "breadcrumbs")["content"] == "bread*****s"
    assert ann.put(path, {"words": []}).json() == {"words": []}
    assert bob.say(room, "breadcrumbs")["content"] == "breadcrumbs"


def test_a_rooms_words_have_bounds(ann, bob):
    path = f"/v1/rooms/{ann.room(bob)}/words"
    many = [{"word": f"word{i}"} for i in range(201)]
    assert ann.put(path, {"words": many[:200]}).status_code == 200
    refused(ann.put(path, {"words": many}), 422, "invalid_field")
    refused(ann.put(path, {"words": [{"word": "x" * 129}]}), 422, "invalid_field")
    refused(ann.put(path, {"words": [{"word": "\u200b"}]}), 422, "invalid_field")
    refused(ann.put(path, {"words": [{"word": "a\nb"}]}), 422, "invalid_field")
    refused(ann.put(path, {"words": [{"word": "x", "action": "ban"}]}), 422, "invalid_field")
    refused(ann.put(path, {"words": [{"word": "x", "match": "some"}]}), 422, "invalid_field")
    refused(ann.put(path, {"words": ["x"]}), 422, "invalid_field")
    refused(ann.put(path, {"words": [{"word": "xy" * 60} for _ in range(100)]}), 422, "too_long")
    assert len(ann.get(path).json()["words"]) == 200


def test_the_built_in_list_can_be_switched_off(tmp_path):
    server = Server(tmp_path, "--filter-default-list", "false", "--filter-lookalikes", "none").start()
    api = Api(server)
    ann = api.new_user()
    assert ann.say(ann.room(), "bullshit")["content"] == "bullshit"
    settings = subprocess.run(
        [str(binary()), "config", "--filter-lookalikes", "greek,leet"], capture_output=True, text=True
    ).stdout
    assert 'filter_lookalikes = ["greek", "leet"]' in settings
    api.close()
    server.stop()


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
