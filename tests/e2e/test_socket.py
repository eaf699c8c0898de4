"""The socket: opening it, every op, every error."""

import json
import time

import pytest
from websockets.exceptions import InvalidStatus

from parley_client import Socket, new_nonce


def test_welcome_with_a_header(ann):
    welcome = ann.socket().welcome
    assert set(welcome) >= {"op", "user_id", "connection_id", "heartbeat_ms", "limits"}
    assert welcome["user_id"] == ann.id and isinstance(welcome["connection_id"], str)
    assert isinstance(welcome["heartbeat_ms"], int) and welcome["heartbeat_ms"] > 0
    assert welcome["limits"]["content"] == 4000 and welcome["limits"]["frame"] == 65536
    assert isinstance(welcome["limits"]["sends_per_second"], int)


def test_welcome_with_a_subprotocol(ann):
    socket = ann.socket(how="subprotocol")
    assert socket.welcome["user_id"] == ann.id
    assert socket.connection.subprotocol == "parley.v1", "the token must not be echoed"


def test_welcome_after_hello(ann, open_socket):
    socket = open_socket()
    socket.send("hello", token=ann.token)
    assert socket.expect("welcome")["user_id"] == ann.id
    socket.alive()


def test_each_connection_has_an_id_of_its_own(ann):
    assert ann.socket().welcome["connection_id"] != ann.socket().welcome["connection_id"]


@pytest.mark.parametrize("how", ["header", "subprotocol"])
def test_a_bad_token_in_the_handshake(open_socket, how):
    open_socket("not.a.token", how=how).expect_close(4500, skip=set())


def test_a_bad_token_in_hello(open_socket):
    socket = open_socket()
    socket.send("hello", token="not.a.token")
    socket.expect_close(4500, skip=set())


def test_no_token_in_time(open_socket):
    socket, begin = open_socket(), time.monotonic()
    socket.expect_close(4500, timeout=8, skip=set())
    assert 4 < time.monotonic() - begin < 8


def test_hello_of_somebody_else_on_an_open_socket(ann, bob):
    socket = ann.socket()
    socket.send("hello", token=bob.token)
    socket.expect_close(4500, skip=set())


def test_another_subprotocol_is_refused(server, ann):
    with pytest.raises(InvalidStatus) as refusal:
        Socket(server, ann.token, subprotocols=["chat.v7"])
    assert refusal.value.response.status_code == 400


def test_subscribe_and_receive(ann, bob, room):
    watcher = bob.socket()
    before = watcher.subscribe(room)
    assert before["room_id"] == room and before["events"] == [] and before["more"] is False
    message = ann.say(room, "Soup is ready")
    event = watcher.expect("message")
    assert event["room_id"] == room and event["id"] == message["id"] and event["message"] == message
    assert event["prev_id"] == before["last_id"]
    assert ann.socket().subscribe(room)["last_id"] == message["id"]


def test_subscribe_needs_a_membership(eve, room, private_room):
    socket = eve.socket()
    socket.refused("subscribe", "not_a_member", room_id=room)
    socket.refused("subscribe", "unknown_room", room_id=private_room)
    socket.refused("subscribe", "unknown_room", room_id="123456789")
    socket.alive()


def test_unsubscribe(ann, bob, room):
    other = ann.room(bob)
    watcher = bob.socket(room, other)
    assert watcher.ask("unsubscribe", "unsubscribed", room_id=room)["room_id"] == room
    ann.say(room, "unheard")
    ann.say(other, "heard")
    assert watcher.expect("message")["message"]["content"] == "heard"
    watcher.ask("unsubscribe", "unsubscribed", room_id=room)


def test_send(ann, bob, room):
    sender, watcher = ann.socket(room), bob.socket(room)
    nonce = new_nonce()
    sent = sender.say(room, "  Soup is ready  ", nonce=nonce)
    assert set(sent) >= {"op", "ref", "nonce", "room_id", "prev_id", "message"}
    message = sent["message"]
    assert message["content"] == "Soup is ready" and message["user_id"] == ann.id
    event = watcher.expect("message")
    assert event["message"] == message and event["prev_id"] == sent["prev_id"]
    assert "ref" not in event and "nonce" not in event["message"]
    assert ann.history(room) == [message], "what was acknowledged is in history at once"


def test_send_needs_no_subscription(ann, bob, room):
    watcher = bob.socket(room)
    message = ann.socket().say(room)["message"]
    assert watcher.expect("message")["message"] == message


def test_sent_takes_the_place_of_message_on_the_sending_connection_only(ann, room):
    sender, other = ann.socket(room), ann.socket(room)
    message = sender.say(room)["message"]
    assert other.expect("message")["message"] == message
    sender.quiet(skip={"presence"})


def test_the_same_nonce_is_broadcast_once(ann, bob, room):
    sender, watcher, nonce = ann.socket(room), bob.socket(room), new_nonce()
    first = sender.say(room, "once", nonce=nonce)
    again = sender.say(room, "once", nonce=nonce)
    assert again["message"] == first["message"]
    other_connection = ann.socket()
    assert other_connection.say(room, "once", nonce=nonce)["message"] == first["message"]
    error = sender.refused(
        "send", "nonce_conflict", room_id=room, nonce=nonce, type="TEXT", content="other"
    )
    assert error["nonce"] == nonce
    watcher.expect("message")
    watcher.quiet(skip={"presence"})


def test_prev_ids_make_a_chain(ann, bob, room):
    watcher, sender = bob.socket(), ann.socket(room)
    last = watcher.subscribe(room)["last_id"]
    mine = last
    for i in range(20):
        sent = sender.say(room, f"number {i}")
        assert sent["prev_id"] == mine
        mine = sent["message"]["id"]
        event = watcher.expect("message")
        assert event["prev_id"] == last and int(event["id"]) > int(last)
        last = event["id"]


@pytest.mark.parametrize(
    "fields, codes",
    [
        ({"content": "x" * 4001}, {"too_long"}),
        ({"content": "   "}, {"invalid_field"}),
        ({"content": 5}, {"invalid_field"}),
        ({"content": None}, {"invalid_field"}),
        ({"type": "VIDEO"}, {"invalid_field"}),
        ({"type": None}, {"invalid_field"}),
        ({"nonce": ""}, {"invalid_field"}),
        ({"nonce": "x" * 65}, {"invalid_field", "too_long"}),
        ({"nonce": 5}, {"invalid_field"}),
        ({"room_id": 5}, {"invalid_field"}),
        ({"room_id": "x"}, {"invalid_field", "unknown_room"}),
        ({"room_id": "123456789"}, {"unknown_room"}),
        ({"reply_to": "123456789"}, {"unknown_message"}),
        ({"reply_to": 5}, {"invalid_field"}),
    ],
)
def test_sends_that_are_refused(ann, room, fields, codes):
    socket = ann.socket(room)
    good = {"room_id": room, "nonce": new_nonce(), "type": "TEXT", "content": "x"}
    socket.refused("send", codes, **{**good, **fields})
    socket.alive()
    assert ann.history(room) == []


@pytest.mark.parametrize("missing", ["room_id", "nonce", "type", "content"])
def test_sends_with_a_missing_field(ann, room, missing):
    socket = ann.socket()
    fields = {"room_id": room, "nonce": new_nonce(), "type": "TEXT", "content": "x"}
    del fields[missing]
    socket.refused("send", "invalid_field", **fields)


def test_send_needs_a_membership(eve, room, private_room):
    socket = eve.socket()
    fields = {"nonce": new_nonce(), "type": "TEXT", "content": "x"}
    socket.refused("send", "not_a_member", room_id=room, **fields)
    socket.refused("send", "unknown_room", room_id=private_room, **fields)


def test_edit_delete_and_react(ann, bob, room):
    mine, watcher = ann.socket(room), bob.socket(room)
    message = mine.say(room, "redy")["message"]
    watcher.expect("message")
    target = {"room_id": room, "message_id": message["id"]}
    events = {"edited", "deleted", "reaction"} | {"presence"}

    done = mine.ask("edit", "done", skip=events, content="ready", **target)
    event = watcher.expect("edited")
    assert event["id"] == done["id"] and event["message"]["content"] == "ready"

    done = mine.ask("react", "done", skip=events, emoji="🍲", added=True, **target)
    event = watcher.expect("reaction")
    assert event["id"] == done["id"] and (event["emoji"], event["added"]) == ("🍲", True)
    mine.ask("react", "done", skip=events, emoji="🍲", added=False, **target)
    assert watcher.expect("reaction")["added"] is False

    done = mine.ask("delete", "done", skip=events, **target)
    event = watcher.expect("deleted")
    assert event["id"] == done["id"] and event["message_id"] == message["id"]
    assert ann.history(room)[0]["deleted"] is True


def test_changes_that_are_refused(ann, bob, eve, room):
    message = ann.say(room, "mine")
    target = {"room_id": room, "message_id": message["id"]}
    by_bob = bob.socket(room)
    by_bob.refused("edit", "forbidden", content="x", **target)
    by_bob.refused("delete", "forbidden", **target)
    by_ann = ann.socket(room)
    by_ann.refused("edit", "too_long", content="x" * 4001, **target)
    by_ann.refused("edit", "invalid_field", content="", **target)
    by_ann.refused("react", {"invalid_field", "too_long"}, emoji="x" * 65, added=True, **target)
    by_ann.refused("react", "invalid_field", emoji="", added=True, **target)
    by_ann.refused("react", "invalid_field", emoji="👍", added="yes", **target)
    by_ann.refused("edit", "unknown_message", content="x", room_id=room, message_id="123456789")
    by_eve = eve.socket()
    for op, more in (
        ("edit", {"content": "x"}),
        ("delete", {}),
        ("react", {"emoji": "👍", "added": True}),
    ):
        by_eve.refused(op, "not_a_member", **target, **more)
    assert ann.history(room) == [message]


def test_typing(ann, bob, eve, room):
    mine, watcher, other = ann.socket(room), bob.socket(room), ann.socket(room)
    mine.send("typing", room_id=room)
    for socket in (watcher, other):
        frame = socket.expect("typing", skip={"presence"})
        assert frame["room_id"] == room and frame["user_id"] == ann.id
    mine.quiet(skip={"presence"})
    assert eve.socket().ask("typing", "error", room_id=room)["code"] == "not_a_member"


def test_read_and_receipts(ann, bob, room):
    message = ann.say(room)
    mine, other_of_mine, watcher = bob.socket(room), bob.socket(), ann.socket(room)
    mine.send("read", room_id=room, message_id=message["id"])
    for socket in (other_of_mine, watcher):
        receipt = socket.expect("receipt", skip={"presence"})
        assert (receipt["user_id"], receipt["message_id"]) == (bob.id, message["id"])
    assert bob.got("/v1/rooms")["rooms"][0]["last_read_id"] == message["id"]
    mine.send("read", room_id=room, message_id="1")
    mine.alive()
    watcher.quiet(skip={"presence"})


def test_read_needs_a_membership(ann, eve, room):
    message = ann.say(room)
    eve.socket().refused("read", "not_a_member", room_id=room, message_id=message["id"])


def test_presence(ann, bob, room):
    watcher = ann.socket(room)
    first, second = bob.socket(room), bob.socket(room)
    online = watcher.expect("presence", skip={"presence"}, user_id=bob.id, online=True)
    assert online["room_id"] == room

    def member():
        members = ann.got(f"/v1/rooms/{room}/members")["members"]
        return next(m for m in members if m["user_id"] == bob.id)

    assert member()["online"] is True
    first.close()
    watcher.quiet(skip=set())
    assert member()["online"] is True, "one connection is left"
    second.close()
    offline = watcher.expect("presence", user_id=bob.id, skip=set())
    assert offline["online"] is False and offline["last_seen_at"].endswith("Z")
    end = time.monotonic() + 5
    while member()["last_seen_at"] is None and time.monotonic() < end:
        time.sleep(0.05)
    assert member()["online"] is False and member()["last_seen_at"]


def test_ping(ann):
    socket = ann.socket()
    assert socket.ask("ping", "pong")["op"] == "pong"
    socket.send("ping")
    assert "ref" not in socket.expect("pong")


def test_a_ref_comes_back_with_its_answer(ann, room):
    socket = ann.socket()
    for ref in ("x", "r" * 64, "ü" * 32, '"quoted"\\'):
        socket.send("ping", ref=ref)
        assert socket.expect("pong")["ref"] == ref
        socket.send("subscribe", ref=ref, room_id="123456789")
        assert socket.expect("error")["ref"] == ref


@pytest.mark.parametrize("ref", ["r" * 65, 5, ["x"], {"x": 1}, True])
def test_bad_refs(ann, ref):
    socket = ann.socket()
    socket.send("ping", ref=ref)
    assert socket.expect("error")["code"] in {"invalid_field", "too_long"}
    socket.alive()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "{",
        "[]",
        "5",
        "null",
        '"ping"',
        '{"op":"ping"} x',
        '{"op":"ping"}{"op":"ping"}',
        '{"op":"ping",}',
        "{'op':'ping'}",
        '{"op":"ping","op":"ping"}',
        '{"op":"ping","x":NaN}',
    ],
)
def test_bad_frames(ann, text):
    socket = ann.socket()
    socket.send_raw(text)
    assert socket.expect("error")["code"] == "bad_frame"
    socket.alive()


@pytest.mark.parametrize("op", ["welcome", "sent", "", "SEND", "constructor", "x" * 500])
def test_unknown_ops(ann, op):
    socket = ann.socket()
    socket.refused(op, "unknown_op")
    socket.alive()


@pytest.mark.parametrize("frame", [{}, {"op": 5}, {"op": None}, {"op": ["ping"]}])
def test_frames_without_an_op(ann, frame):
    socket = ann.socket()
    socket.send_raw(json.dumps(frame))
    assert socket.expect("error")["code"] in {"bad_frame", "invalid_field", "unknown_op"}
    socket.alive()


def test_unknown_fields_are_ignored(ann, room):
    socket = ann.socket()
    socket.send_raw(json.dumps({"colour": {"deep": [1, {"x": None}]}, "op": "ping", "ref": "r"}))
    assert socket.expect("pong")["ref"] == "r"


def test_fields_come_in_any_order(ann, room):
    socket = ann.socket(room)
    frame = {"content": "x", "type": "TEXT", "nonce": new_nonce(), "room_id": room, "op": "send"}
    socket.send_raw(json.dumps(frame))
    assert socket.expect("sent")["message"]["content"] == "x"


def test_a_binary_frame_closes_with_1003(ann):
    socket = ann.socket()
    socket.connection.send(b'{"op":"ping"}')
    socket.expect_close(1003, skip=set())


def test_a_frame_over_the_limit_closes_with_1009(ann):
    socket = ann.socket()
    frame = json.dumps({"op": "ping", "pad": ""})
    at_the_limit = frame.replace('""', '"' + "x" * (65536 - len(frame)) + '"')
    socket.send_raw(at_the_limit)
    socket.expect("pong")
    socket.send_raw(at_the_limit + " ")
    socket.expect_close(1009, skip=set())


def test_a_message_in_fragments(ann):
    socket = ann.socket()
    socket.send_raw(iter(['{"op":"pi', 'ng","ref":', '"r"}']))
    assert socket.expect("pong")["ref"] == "r"


def test_many_rooms_on_one_connection(ann, bob):
    rooms = [ann.room(bob) for _ in range(20)]
    watcher = bob.socket(*rooms)
    sender = ann.socket()
    for room in rooms:
        sender.say(room, f"in {room}")
    got = [watcher.expect("message") for _ in rooms]
    assert [e["room_id"] for e in got] == rooms, "one connection sends, so one order is seen"


def test_all_members_see_one_order(ann, bob, new_user, room):
    """Three people talk at once; every connection sees the same chain."""
    carol = new_user()
    carol.join(room)
    people = [ann, bob, carol]
    sockets = [user.socket(room) for user in people]
    for i in range(50):
        for number, socket in enumerate(sockets):
            fields = {"room_id": room, "nonce": new_nonce(), "type": "TEXT"}
            socket.send("send", content=f"{number}: {i}", **fields)
    seen = []
    for socket in sockets:
        frames = []
        while len(frames) < 150:
            frame = socket.receive()
            if frame["op"] in {"message", "sent"}:
                frames.append(frame)
        for before, after in zip(frames, frames[1:]):
            assert after["prev_id"] == before["message"]["id"]
        seen.append([frame["message"]["id"] for frame in frames])
    assert seen[0] == seen[1] == seen[2]
    assert seen[0] == [m["id"] for m in ann.whole_history(room)]
    for number in range(3):
        mine = [c for c in ann.contents(room) if c.startswith(f"{number}: ")]
        assert mine == [f"{number}: {i}" for i in range(50)], "one sender's order is kept"


def test_close_is_answered(ann):
    socket = ann.socket()
    socket.connection.close(1000, "bye")
    assert socket.connection.close_code == 1000
