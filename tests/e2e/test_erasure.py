"""A user is erased: what the others see, what is left, and a crash in between."""

import hashlib
import sqlite3
import time

import pytest

from parley_client import refused
from test_admin import give_role

pytestmark = pytest.mark.embedded_only("looks into the file of the database")

SECRET = "thistextmustvanish"


def wait_until(check, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := check():
            return answer
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def receipt_of(admin, user):
    return admin.got(f"/v1/admin/erasures/{user.id}")


def wait_for_the_end(admin, user):
    return wait_until(lambda: (r := receipt_of(admin, user))["state"] == "done" and r)


def files_with(server, text):
    return [f.name for f in server.data.iterdir() if f.is_file() and text.encode() in f.read_bytes()]


@pytest.fixture
def house(make_server):
    server = make_server()
    admin = give_role(server, server.api.new_user(), "admin")
    return server, admin, server.api.new_user(), server.api.new_user()


def test_nothing_of_a_user_is_left(house):
    server, admin, ann, bob = house
    ann.patch("/v1/me", {"display_name": SECRET})
    room = ann.room(bob)
    alone = ann.room(name=f"{SECRET} room")
    guest = bob.room(ann)
    said = ann.say(room, f"{SECRET} one", nonce=f"{SECRET} nonce")
    ann.say(alone, f"{SECRET} alone")
    kept = bob.say(guest, "kept")
    ann.put(f"/v1/rooms/{guest}/messages/{kept['id']}/reactions/{SECRET[:16]}")
    ann.put(f"/v1/rooms/{guest}/read", {"message_id": kept["id"]})
    since = bob.socket()
    last = since.subscribe(room)["last_id"]
    since.close()
    live = bob.socket(room)
    socket = ann.socket()

    answer = admin.post(f"/v1/admin/users/{ann.id}/erase")
    assert answer.status_code == 202, answer.text
    assert socket.expect_close(4501) is not None
    receipt = wait_for_the_end(admin, ann)
    assert receipt["counts"] == {"messages": 2, "reactions": 1, "rooms": 3, "sessions": 1, "held": 0}
    text = answer_text(admin, ann)
    assert hashlib.sha256(text[1 : text.index(',"sha256"')].encode()).hexdigest() == receipt["sha256"]

    events = bob.socket().ask("subscribe", "subscribed", room_id=room, since=last)["events"]
    assert [event["op"] for event in events] == ["member", "member", "deleted"]
    assert events[2]["message_id"] == said["id"]
    assert {events[0]["action"], events[1]["action"]} == {"role", "left"}
    assert live.expect("member")["action"] == "role"
    assert live.expect("member")["action"] == "left"
    assert live.expect("deleted")["message_id"] == said["id"]

    assert bob.got(f"/v1/rooms/{room}")["my_role"] == "owner"
    assert bob.history(room)[0]["deleted"] is True
    assert "reactions" not in bob.history(guest)[0] or not bob.history(guest)[0]["reactions"]
    account = admin.got(f"/v1/admin/users/{ann.id}")
    assert account["username"] == f"deleted-{ann.id}" and account["email"] == ""
    assert account["disabled"] is True and "display_name" not in account
    login = {"email": ann.email, "password": ann.password}
    refused(server.api.call("POST", "/v1/sessions", json=login), 401, "invalid_credentials")
    refused(admin.patch(f"/v1/admin/users/{ann.id}", {"disabled": False}), 403, "forbidden")
    refused(bob.post("/v1/rooms", {"kind": "dm", "member_ids": [ann.id]}), 404, "unknown_user")
    for text in (SECRET, ann.name, ann.email):
        wait_until(lambda: not files_with(server, text))
    assert server.api.sign_up(username=ann.name, email=ann.email).status_code == 201


def answer_text(admin, user):
    return admin.get(f"/v1/admin/erasures/{user.id}").text


def test_asking_twice_is_asking_once(house):
    server, admin, ann, bob = house
    refused(admin.post("/v1/admin/users/1/erase"), 404, "unknown_user")
    refused(admin.get(f"/v1/admin/erasures/{ann.id}"), 404, "unknown_user")
    first = admin.post(f"/v1/admin/users/{ann.id}/erase").json()
    done = wait_for_the_end(admin, ann)
    assert done["requested_at"] == first["requested_at"]
    again = admin.post(f"/v1/admin/users/{ann.id}/erase")
    assert again.status_code == 202 and again.json() == done


def test_a_crash_in_the_middle_ends_no_erasure(house):
    server, admin, ann, bob = house
    rooms = [ann.room(bob) for _ in range(3)]
    for i in range(600):
        ann.say(rooms[i % 3], f"{SECRET} {i}")
        if i % 50 == 0:
            bob.say(rooms[i % 3], f"kept {i}")
    admin.post(f"/v1/admin/users/{ann.id}/erase")
    kills = 0
    while True:
        counts = receipt_of(admin, ann)
        if counts["state"] == "done":
            break
        if kills < 2 and counts["counts"]["messages"] > 100 * kills:
            server.kill()
            server.start()
            kills += 1
        time.sleep(0.005)
    assert kills > 0
    for room in rooms:
        history = bob.whole_history(room)
        mine = [message for message in history if message["user_id"] == ann.id]
        assert len(mine) == 200 and all(m.get("deleted") and m["content"] == "" for m in mine)
        assert [m["content"] for m in history if m["user_id"] == bob.id] != []
        assert bob.got(f"/v1/rooms/{room}")["my_role"] == "owner"
    wait_until(lambda: not files_with(server, SECRET))
    server.stop()
    with sqlite3.connect(server.data / "parley.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_another_process_may_ask(house):
    """As the command line does: a row in the table."""
    server, admin, ann, bob = house
    with sqlite3.connect(server.data / "parley.db", timeout=10) as database:
        database.execute("UPDATE users SET disabled = 1 WHERE id = ?", (ann.id,))
        database.execute(
            "INSERT INTO erasures (user_id, requested_at) VALUES (?, unixepoch() * 1000)", (ann.id,)
        )
    assert wait_for_the_end(admin, ann)["counts"]["messages"] == 0
