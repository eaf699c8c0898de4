"""Messages go when they are older than server or room keep them."""

import sqlite3
import time

import pytest

from parley_client import refused

pytestmark = pytest.mark.embedded_only("changes times in the file of the database")

DAY = 86_400_000 << 22  # of an id


def wait_until(check, seconds=20):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def age(server, room, last, days):
    """Makes the room's events up to this one so many days older; the server is stopped."""
    with sqlite3.connect(server.data / "parley.db") as database:
        for table in ("messages", "events"):
            for column in ("prev_id", "id"):
                database.execute(
                    f"UPDATE {table} SET {column} = {column} - ? WHERE room_id = ? "
                    f"AND {column} <= ? AND {column} > 0",
                    (days * DAY, room, last),
                )


def test_what_is_too_old_goes_and_the_rest_is_whole(make_server):
    server = make_server("--retention-days", "30")
    ann, bob = server.api.new_user(), server.api.new_user()
    room = ann.room(bob)
    old = [ann.say(room, f"old {i}") for i in range(5)]
    young = ann.say(room, "young")
    bob.say(room, "younger")
    server.stop()
    age(server, room, int(old[-1]["id"]), 40)
    server.start()
    wait_until(lambda: bob.contents(room) == ["young", "younger"])
    events = bob.socket().ask("subscribe", "subscribed", room_id=room, since="1")["events"]
    assert [event["id"] for event in events][0] == young["id"]
    assert events[0]["prev_id"] is None and events[1]["prev_id"] == young["id"]
    mine = bob.got("/v1/rooms")["rooms"][0]
    assert mine["unread_count"] == 1 and mine["member_count"] == 2
    refused(bob.put(f"/v1/rooms/{room}/read", {"message_id": old[0]["id"]}), 404, "unknown_message")
    ann.say(room, "goes on")
    assert bob.contents(room) == ["young", "younger", "goes on"]


def test_an_owner_sets_how_long_a_room_is_kept(make_server):
    server = make_server()
    ann, bob, eve = (server.api.new_user() for _ in range(3))
    room, other = ann.room(bob), ann.room(bob)
    path = f"/v1/rooms/{room}"
    assert ann.put(f"{path}/members/{bob.id}", {"role": "admin"}).status_code == 204
    refused(bob.patch(path, {"retention_days": 3}), 403, "forbidden")
    refused(eve.patch(path, {"retention_days": 3}), 403, "not_a_member")
    for wrong in (0, -1, 1.5, "3", 36_501, True):
        refused(ann.patch(path, {"retention_days": wrong}), 422, "invalid_field")
    assert ann.patch(path, {"retention_days": 3}).json()["retention_days"] == 3
    assert bob.got(path)["retention_days"] == 3
    assert "retention_days" not in ann.patch(path, {"retention_days": None}).json()
    assert ann.patch(path, {"retention_days": 3, "topic": "short"}).json()["topic"] == "short"
    last = [ann.say(each, "old") for each in (room, other)]
    server.stop()
    for each, message in zip((room, other), last):
        age(server, each, int(message["id"]), 4)
    server.start()
    wait_until(lambda: bob.contents(room) == [])
    assert bob.contents(other) == ["old"]
    assert bob.got(path)["topic"] == "short"
    bob.say(room, "new")
    assert ann.contents(room) == ["new"]
