"""The classic socket: what comes on it, in which order, and how it ends."""

import json
import threading
import time

import pytest
from websockets.exceptions import InvalidStatus

from classic_client import PATH, Classic, ClassicSocket
from parley_client import new_nonce, of_ended_session

FIELDS = {"id", "content", "server", "user_id", "channel_id", "message_type", "event_type", "media_id"}


@pytest.fixture
def people(api):
    made = []

    def make(user=None):
        made.append(Classic.of(user) if user else Classic.sign_up(api))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def pair(people):
    """ann and bob, in a room; both listen."""
    ann, bob = people(), people()
    room = ann.room(bob)
    return ann, bob, room, ann.socket(room), bob.socket(room)


def test_a_message_is_seen_by_all_and_by_its_sender(pair):
    ann, bob, room, one, two = pair
    one.chat("hello")
    seen, own = two.expect("chat"), one.expect("chat")
    assert seen == own and set(seen) == FIELDS
    assert seen == {
        "id": seen["id"],
        "content": "hello",
        "server": seen["server"],
        "user_id": ann.id,
        "channel_id": room["roomid"],
        "message_type": "TEXT",
        "event_type": "chat",
        "media_id": "",
    }
    assert type(seen["id"]) is int and seen["server"]
    assert bob.history(room["roomid"])[0]["id"] == seen["id"]


def test_the_join_notice(people):
    ann, bob = people(), people()
    room = ann.room(bob)
    one = ann.socket(room)
    bob.socket(room)
    notice = one.receive()
    assert notice == {
        "id": 0,
        "content": f"{bob.name} joined",
        "server": notice["server"],
        "user_id": bob.id,
        "channel_id": room["roomid"],
        "message_type": "TEXT",
        "event_type": "join_room",
        "media_id": "",
    }


def test_heartbeats(pair):
    *_, one, two = pair
    for _ in range(3):
        one.beat()
    two.quiet()


def test_no_name_is_needed_and_a_wrong_one_does_no_harm(people):
    ann = people()
    room = ann.room()
    for query in (f"roomid={room['roomid']}", f"roomid={room['roomid']}&roomname=other"):
        socket = ClassicSocket(ann.api.server, ann.token, room, query=query)
        assert socket.receive() == {"type": "join_room", "room": room["roomname"], "success": True}
        socket.connection.close()


def test_forty_senders_see_one_order(people):
    ann = people()
    others = [people() for _ in range(7)]
    room = ann.room(*others)
    sockets = [each.socket(room) for each in (ann, *others)]
    for i in range(20):
        for k, socket in enumerate(sockets):
            socket.chat(f"{k}|{i}")
    seen = []
    for socket in sockets:
        frames = [socket.expect("chat") for _ in range(20 * len(sockets))]
        assert [f["id"] for f in frames] == sorted({f["id"] for f in frames})
        seen.append([f["content"] for f in frames])
    assert all(each == seen[0] for each in seen)
    for k in range(len(sockets)):
        assert [c for c in seen[0] if c.startswith(f"{k}|")] == [f"{k}|{i}" for i in range(20)]


# --- what is wrong gets an error, and the socket lives

BAD_FRAMES = [
    ("", "bad_frame"),
    ("[]", "bad_frame"),
    ("{", "bad_frame"),
    ('{"event_type":"chat"}x', "bad_frame"),
    ('{"event_type":"chat","event_type":"chat"}', "bad_frame"),
    ('{"event_type":"chat","message_type":"TEXT","content":"a\\u0000b"}', "bad_frame"),
    ('{"event_type":"chat","message_type":"TEXT","content":"\\ud800"}', "bad_frame"),
    ("[" * 30000, "bad_frame"),
    ("{}", "invalid_field"),
    ('{"event_type":5}', "invalid_field"),
    ('{"event_type":"chat"}', "invalid_field"),
    ('{"event_type":"chat","message_type":"TEXT"}', "invalid_field"),
    ('{"event_type":"chat","message_type":"TEXT","content":5}', "invalid_field"),
    ('{"event_type":"chat","message_type":"TEXT","content":"   "}', "invalid_field"),
    ('{"event_type":"chat","message_type":"text","content":"x"}', "invalid_field"),
    ('{"event_type":"chat","message_type":"TEXT","content":"x","media_id":-1}', "invalid_field"),
    ('{"event_type":"chat","message_type":"TEXT","content":"x","media_id":1e3}', "invalid_field"),
    ('{"event_type":"chat","message_type":"TEXT","content":"x","media_id":"01"}', "invalid_field"),
    ('{"event_type":"chat","message_type":"TEXT","content":"x","media_id":9223372036854775808}', "invalid_field"),
    ('{"event_type":"chat","message_type":"MEDIA","content":"","media_id":""}', "invalid_field"),
    ('{"event_type":"leave_room"}', "unknown_op"),
    (json.dumps({"event_type": "chat", "message_type": "TEXT", "content": "x" * 4001}), "too_long"),
]


def test_what_is_wrong_is_told(pair):
    ann, _, room, one, two = pair
    for text, code in BAD_FRAMES:
        one.connection.send(text)
        error = one.expect("error")
        assert set(error) == {"event_type", "error", "code"} and error["error"], error
        # Media are refused as a field, or as media.
        assert error["code"] == code or "MEDIA" in text or "media_id" in text, (text[:80], error)
    assert one.say("still here")["content"] == "still here"
    assert two.expect("chat")["content"] == "still here"
    assert len(ann.history(room["roomid"])) == 1


def test_an_escaped_key_and_unknown_fields(pair):
    *_, one, _two = pair
    one.connection.send('{"event\\u005ftype":"chat","message_type":"TEXT","x":{"y":[1]},"content":" trimmed ","id":7}')
    assert one.expect("chat")["content"] == "trimmed"


def test_a_binary_frame_closes(pair):
    *_, one, _two = pair
    one.connection.send(b"x")
    one.expect_close(1003)


# --- both surfaces


def test_v1_and_classic_see_each_other(people, ann, room):
    old = people(ann)
    classic = old.socket({"roomid": int(room), "roomname": ann.got(f"/v1/rooms/{room}")["name"]})
    new = ann.socket(room)
    sent = new.say(room, "from v1")
    seen = classic.expect("chat")
    assert (str(seen["id"]), seen["content"]) == (sent["message"]["id"], "from v1")
    assert (str(seen["user_id"]), str(seen["channel_id"])) == (ann.id, room)
    classic.chat("from classic")
    own, event = classic.expect("chat"), new.expect("message")
    assert event["prev_id"] == sent["message"]["id"]
    assert event["id"] == event["message"]["id"] == str(own["id"])
    assert event["message"]["content"] == "from classic"
    ann.post_message(room, "by REST")
    assert classic.expect("chat")["content"] == new.expect("message")["message"]["content"] == "by REST"


def test_events_that_classic_cannot_show_are_left_out(people, ann, bob, room):
    classic = people(ann).socket({"roomid": int(room), "roomname": ann.got(f"/v1/rooms/{room}")["name"]})
    new = bob.socket(room)
    message = new.say(room, "first")["message"]
    path = f"/v1/rooms/{room}/messages/{message['id']}"
    new.send("typing", room_id=room)
    new.send("read", room_id=room, message_id=message["id"])
    bob.patch(path, {"content": "edited"})
    bob.put(f"{path}/reactions/👍")
    bob.delete(path)
    ann.patch(f"/v1/rooms/{room}", {"topic": "changed"})
    ann.put(f"/v1/rooms/{room}/members/{bob.id}", {"role": "admin"})
    bob.say(room, "last")
    assert classic.receive()["content"] == "first"
    assert classic.receive()["content"] == "last"


def test_v1_hears_no_classic_notices(people, ann, room):
    new = ann.socket(room)
    people(ann).socket({"roomid": int(room), "roomname": ann.got(f"/v1/rooms/{room}")["name"]})
    new.quiet(skip={"presence"})


def test_a_classic_socket_is_presence(people, ann, bob, room):
    me = people(bob)
    online = lambda: {m["user_id"]: m["online"] for m in ann.got(f"/v1/rooms/{room}/members")["members"]}  # noqa: E731
    assert not online()[bob.id]
    socket = me.socket({"roomid": int(room), "roomname": ann.got(f"/v1/rooms/{room}")["name"]})
    assert online()[bob.id]
    socket.connection.close()


def test_a_flood_is_refused_and_then_ended(make_server):
    server = make_server(environment={"PARLEY_LIMITS_ENABLED": "true"})
    ann = Classic.sign_up(server.api)
    socket = ann.socket(ann.room())
    for i in range(3000):
        try:
            socket.chat(f"flood {i}")
        except Exception:  # closed meanwhile
            break
    frames = socket.expect_close(4002, timeout=15)
    errors = [f for f in frames if f.get("event_type") == "error"]
    assert errors and {f["code"] for f in errors} == {"rate_limited"}
    assert all(f["retry_after_ms"] >= 1 for f in errors)


# --- one socket for a user and a room


def test_a_newer_socket_takes_the_place_of_the_older(people):
    ann = people()
    room, other = ann.room(), ann.room()
    elsewhere = ann.socket(other)
    sockets = [ann.socket(room) for _ in range(6)]  # over both cores
    for socket in sockets[:-1]:
        assert socket.expect_close(1000, "replaced") == []
    assert sockets[-1].say("mine")["content"] == "mine"
    sockets[-1].quiet()
    elsewhere.beat()


def test_the_place_of_one_who_left_is_free(people):
    ann = people()
    room = ann.room()
    ann.socket(room).connection.close()
    again = ann.socket(room)
    again.say("here")
    time.sleep(0.3)
    again.beat()


# --- ends


def test_who_leaves_is_closed(people, ann):
    bob = people()
    room = bob.room(Classic.of(ann))
    socket = people(ann).socket(room)
    assert ann.post(f"/v1/rooms/{room['roomid']}/leave").status_code == 200
    socket.expect_close(1008)


def test_a_deleted_room_closes(people, ann, room):
    socket = people(ann).socket({"roomid": int(room), "roomname": ann.got(f"/v1/rooms/{room}")["name"]})
    ann.delete(f"/v1/rooms/{room}")
    socket.expect_close(1008)


def test_a_log_out_closes_and_the_token_is_dead(people):
    ann = people()
    room = ann.room()
    socket = ann.socket(room)
    assert ann.api.call("DELETE", "/v1/sessions/current", ann.token).status_code == 204
    socket.expect_close(4501)
    assert of_ended_session(lambda: ann.call("GET", "/user/getrooms")).status_code == 401
    with pytest.raises(InvalidStatus) as caught:
        ann.socket(room)
    assert caught.value.response.status_code == 401


def test_a_token_ends(make_server):
    server = make_server("--classic-token-seconds", "2")
    ann = Classic.sign_up(server.api)
    room = ann.room()
    socket = ann.socket(room)
    socket.expect_close(4003)
    assert ann.call("GET", "/user/getrooms").status_code == 401


def test_a_revocation_survives_the_server_for_the_life_of_the_token(make_server):
    """Longer than a token of v1 lives: it is read back from the store."""
    server = make_server("--access-token-seconds", "1")
    ann = Classic.sign_up(server.api)
    kept = Classic.log_in(server.api, ann.email)
    ann.room()
    server.api.call("DELETE", "/v1/sessions/current", ann.token)
    time.sleep(1.2)
    assert server.stop() == 0
    server.start()
    assert ann.call("GET", "/user/getrooms").status_code == 401
    assert len(kept.rooms()) == 1


def test_a_stopping_server_closes_with_1001(make_server):
    server = make_server()
    ann = Classic.sign_up(server.api)
    socket = ann.socket(ann.room())
    server.process.terminate()
    socket.expect_close(1001, timeout=10)


def test_frames_sent_before_the_greeting_are_not_lost(people, server, wire):
    """A client that does not wait for the 101."""
    ann = people()
    room = ann.room()
    raw = wire()
    raw.socket.sendall(
        (
            f"GET {PATH}?roomid={room['roomid']} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"token: {ann.token}\r\n\r\n"
        ).encode()
        + masked(b'{"event_type":"chat","message_type":"TEXT","content":"early"}')
    )
    end = time.monotonic() + 5
    while time.monotonic() < end and not ann.history(room["roomid"]):
        time.sleep(0.05)
    assert ann.history(room["roomid"])[0]["content"]["String"] == "early"


def masked(payload):
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def test_joining_amid_a_stream_misses_nothing_behind_the_greeting(people, ann, room):
    """What comes while a socket joins is held, and comes once, in order, in classic form."""
    talker = ann.socket(room)
    stop = threading.Event()

    def talk():
        number = 0
        while not stop.is_set():
            number += 1
            fields = {"room_id": room, "nonce": new_nonce(), "type": "TEXT", "content": str(number)}
            talker.ask("send", "sent", skip={"presence", "member"}, **fields)

    thread = threading.Thread(target=talk)
    thread.start()
    name = {"roomid": int(room), "roomname": ann.got(f"/v1/rooms/{room}")["name"]}
    try:
        for _ in range(10):
            listener = people(ann)
            seen = [int(listener.socket(name).expect("chat")["content"])]
            socket = listener.sockets[-1]
            seen += [int(socket.expect("chat")["content"]) for _ in range(20)]
            assert seen == list(range(seen[0], seen[0] + 21))
            listener.close()
    finally:
        stop.set()
        thread.join()
