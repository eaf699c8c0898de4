"""The way of one message, for moderators of the server."""

import re

from parley_client import refused
from test_admin import give_role

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def trace_of(user, room, message):
    return user.got(f"/v1/rooms/{room}/messages/{message}/trace")


def test_a_message_is_followed_from_its_sender_to_its_readers(server, ann, bob, new_user):
    moderator = give_role(server, new_user(), "moderator")  # and no member
    room = ann.room(bob)
    sockets = [ann.socket(room), bob.socket(room), bob.socket(room)]
    before = sockets[0].say(room, "first")["message"]
    message = sockets[0].say(room, "second")["message"]
    for socket in sockets[1:]:
        for each in (before, message):
            socket.expect("message", id=each["id"])
    bob.put(f"/v1/rooms/{room}/read", {"message_id": message["id"]})
    ann.put(f"/v1/rooms/{room}/read", {"message_id": before["id"]})
    told = trace_of(moderator, room, message["id"])
    assert (told["room_id"], told["message_id"], told["user_id"]) == (room, message["id"], ann.id)
    assert told["sequenced"]["prev_id"] == before["id"]
    assert told["sequenced"]["at"] == message["created_at"]
    deliveries = {each["node"]: each for each in told["deliveries"]}
    assert sum(each["connections"] for each in deliveries.values()) == 3
    delivered = deliveries[told["accepted"]["node"]]["at"]
    times = [told["accepted"]["at"], told["published"]["at"], delivered]
    assert times == sorted(times)
    assert all(TIME.fullmatch(at) for at in [*times, told["stored"]["at"]])
    assert told["receipts"] == {"user_ids": [bob.id], "more": False}
    assert "second" not in str(told)
    readers = trace_of(moderator, room, before["id"])["receipts"]["user_ids"]
    assert set(readers) == {ann.id, bob.id}


def test_nobody_listened(server, ann, new_user):
    moderator = give_role(server, new_user(), "moderator")
    room = ann.room()
    told = trace_of(moderator, room, ann.say(room)["id"])
    assert not any(delivery["connections"] for delivery in told["deliveries"])
    assert told["accepted"] and told["receipts"]["user_ids"] == []


def test_only_moderators_are_told(server, ann, bob, new_user):
    room = ann.room(bob)
    message = ann.say(room)["id"]
    for user in (ann, bob):
        refused(user.get(f"/v1/rooms/{room}/messages/{message}/trace"), 403, "forbidden")
    moderator = give_role(server, new_user(), "moderator")
    other = ann.room()
    unknown = "unknown_message"
    refused(moderator.get(f"/v1/rooms/1/messages/{message}/trace"), 404, "unknown_room")
    refused(moderator.get(f"/v1/rooms/{room}/messages/1/trace"), 404, unknown)
    refused(moderator.get(f"/v1/rooms/{other}/messages/{message}/trace"), 404, unknown)
    refused(moderator.get(f"/v1/rooms/{room}/messages/x/trace"), 404, unknown)


def test_an_event_that_is_no_message_has_no_trace(server, ann, bob, new_user):
    moderator = give_role(server, new_user(), "moderator")
    room = ann.room(bob)
    message = ann.say(room)["id"]
    socket = ann.socket(room)
    done = socket.ask("react", "done", room_id=room, message_id=message, emoji="👍", added=True)
    answer = moderator.get(f"/v1/rooms/{room}/messages/{done['id']}/trace")
    refused(answer, 404, "unknown_message")


def test_what_is_not_remembered_is_null(make_server):
    server = make_server("--trace-messages", "0")
    ann = server.api.new_user()
    moderator = give_role(server, server.api.new_user(), "moderator")
    room = ann.room()
    told = trace_of(moderator, room, ann.say(room)["id"])
    assert told["accepted"] is None and told["deliveries"] == []
    assert told["stored"] == {"at": None} and told["published"] == {"at": None}
    assert told["sequenced"]["at"]
