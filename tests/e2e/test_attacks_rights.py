"""Attacks on rights: who may see and do what. Numbers as in test_attacks_auth.py."""

import subprocess
import threading

import pytest

from parley_client import new_nonce, refused, unique


def test_attack_10_a_foreign_room_is_like_an_absent_one(ann, eve, private_room):
    message = ann.say(private_room, "secret")
    calls = [
        ("GET", "", None),
        ("PATCH", "", {"topic": "x"}),
        ("DELETE", "", None),
        ("POST", "/join", {}),
        ("POST", "/leave", {}),
        ("GET", "/members", None),
        ("PUT", f"/members/{eve.id}", {}),
        ("DELETE", f"/members/{ann.id}", None),
        ("GET", "/messages", None),
        ("POST", "/messages", {"nonce": "n", "type": "TEXT", "content": "x"}),
        ("PATCH", f"/messages/{message['id']}", {"content": "x"}),
        ("DELETE", f"/messages/{message['id']}", None),
        ("PUT", f"/messages/{message['id']}/reactions/x", None),
        ("DELETE", f"/messages/{message['id']}/reactions/x", None),
        ("PUT", "/read", {"message_id": message["id"]}),
    ]
    for method, path, body in calls:
        options = {} if body is None else {"json": body}
        foreign, absent = (
            eve.call(method, f"/v1/rooms/{room}{path}", **options)
            for room in (private_room, "123456789")
        )
        refused(foreign, 404)
        assert (foreign.status_code, foreign.text) == (absent.status_code, absent.text), path
    socket = eve.socket()
    target = {"room_id": private_room, "message_id": message["id"]}
    for op, fields in (
        ("subscribe", {"room_id": private_room}),
        ("subscribe", {"room_id": private_room, "since": "1"}),
        ("send", {"room_id": private_room, "nonce": "n", "type": "TEXT", "content": "x"}),
        ("edit", {**target, "content": "x"}),
        ("delete", target),
        ("read", target),
        ("react", {**target, "emoji": "x", "added": True}),
    ):
        foreign = socket.ask(op, "error", **fields)
        absent = socket.ask(op, "error", **{**fields, "room_id": "123456789"})
        assert (foreign["code"], foreign["detail"]) == (absent["code"], absent["detail"]), op
        assert foreign["code"] == "unknown_room", op
    assert ann.history(private_room) == [message]


def test_attack_10_the_user_comes_from_the_token_only(ann, bob, room):
    message = bob.post_message(room, "mine", user_id=ann.id, author=ann.id).json()
    assert message["user_id"] == bob.id
    sent = bob.socket().say(room, "mine", user_id=ann.id)
    assert sent["message"]["user_id"] == bob.id


@pytest.mark.parametrize(
    "op, fields",
    [
        ("send", {"nonce": "n", "type": "TEXT", "content": "x"}),
        ("subscribe", {}),
        ("typing", {}),
        ("delete", {"message_id": "1"}),
        ("ping", {}),
        ("nonsense", {}),
        ("hello", {}),
        ("hello", {"token": 5}),
    ],
)
def test_attack_11_nothing_before_hello(ann, open_socket, room, op, fields):
    socket = open_socket()
    socket.send(op, room_id=room, **fields)
    assert socket.expect_close(4500, skip={"error"}) is not None
    assert ann.history(room) == []


def test_attack_11_no_call_without_a_token(api, ann, room):
    for method, path in (("GET", ""), ("GET", "/messages"), ("POST", "/messages"), ("DELETE", "")):
        refused(
            api.call(
                method, f"/v1/rooms/{room}{path}", **({"json": {}} if method == "POST" else {})
            ),
            401,
        )


def test_attack_12_a_removed_member_hears_nothing_more(ann, bob, room):
    watcher, sender = bob.socket(room), bob.socket(room)
    talker, stop = ann.socket(room), threading.Event()

    def talk():
        while not stop.is_set():
            fields = {"room_id": room, "nonce": new_nonce(), "type": "TEXT", "content": "talk"}
            talker.ask("send", "sent", skip={"member", "presence"}, **fields)

    thread = threading.Thread(target=talk)
    thread.start()
    watcher.expect("message")
    assert ann.delete(f"/v1/rooms/{room}/members/{bob.id}").status_code == 204
    try:
        while watcher.receive()["op"] != "member":
            pass
        watcher.quiet(0.5)
        error = sender.ask(
            "send",
            "error",
            skip={"message", "member", "presence"},
            room_id=room,
            nonce=new_nonce(),
            type="TEXT",
            content="x",
        )
        assert error["code"] == "not_a_member"
        watcher.refused("subscribe", "not_a_member", room_id=room)
    finally:
        stop.set()
        thread.join()
    bob.join(room)
    watcher.expect("member", user_id=bob.id, action="joined")
    watcher.subscribe(room)


def test_attack_13_events_reach_members_only(ann, bob, eve, room, private_room):
    """Everything that makes an event, in a public and a private room, beside a stranger."""
    own = eve.room()
    stranger = eve.socket(own)
    stranger.log.clear()
    for place in (room, private_room):
        theirs = bob.socket(place)
        message = theirs.say(place, "secret")["message"]
        path = f"/v1/rooms/{place}/messages/{message['id']}"
        bob.patch(path, {"content": "edited"})
        bob.put(f"{path}/reactions/👍")
        bob.delete(path)
        theirs.send("typing", room_id=place)
        theirs.send("read", room_id=place, message_id=message["id"])
        ann.patch(f"/v1/rooms/{place}", {"topic": "changed"})
        ann.put(f"/v1/rooms/{place}/members/{bob.id}", {"role": "admin"})
        theirs.close()
        ann.delete(f"/v1/rooms/{place}/members/{bob.id}")
        ann.delete(f"/v1/rooms/{place}")
    stranger.quiet(0.5, skip={"presence"})
    stranger.say(own, "the last frame")
    assert {frame["room_id"] for frame in stranger.log} == {own}


def test_attack_14_a_dm_is_for_two(ann, bob, eve):
    dm = ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id]}).json()["id"]
    refused(eve.post(f"/v1/rooms/{dm}/join"), 404, "unknown_room")
    refused(eve.get(f"/v1/rooms/{dm}/messages"), 404, "unknown_room")
    eve.socket().refused("subscribe", "unknown_room", room_id=dm)
    for user in (ann, bob):
        refused(user.put(f"/v1/rooms/{dm}/members/{eve.id}"), 403, "forbidden")
        refused(user.patch(f"/v1/rooms/{dm}", {"visibility": "public"}), 403, "forbidden")
    assert not [r for r in eve.got("/v1/rooms/directory", limit=100)["rooms"] if r["id"] == dm]


def test_attack_15_no_scraping_of_members(ann, eve, room, private_room):
    refused(eve.get(f"/v1/rooms/{private_room}/members"), 404, "unknown_room")
    refused(eve.get(f"/v1/rooms/{room}/members"), 403, "not_a_member")
    assert "email" not in str(ann.got(f"/v1/rooms/{room}/members"))


def test_attack_16_fields_that_are_not_yours_to_set(api, ann, bob, room):
    body = {"id": "1", "role": "admin", "created_at": "2001-01-01T00:00:00.000Z", "disabled": True}
    user = api.sign_up(**body).json()["user"]
    assert user["id"] != "1" and not user["created_at"].startswith("2001")
    before = ann.got("/v1/me")
    ann.patch("/v1/me", {"id": bob.id, "email": bob.email, "created_at": "x", "password": "x"})
    assert ann.got("/v1/me") == before
    made = ann.post(
        "/v1/rooms",
        {
            "name": unique("room "),
            "kind": "group",
            "id": "1",
            "owner_id": bob.id,
            "member_count": 99,
            "my_role": "member",
        },
    ).json()
    assert made["id"] != "1" and made["my_role"] == "owner" and made["member_count"] == 1
    message = ann.say(room, "x", id="1", created_at="x", deleted=True, edited_at="x")
    assert message["id"] != "1" and "deleted" not in message and message.get("edited_at") is None
    refused(bob.put(f"/v1/rooms/{room}/members/{bob.id}", {"role": "owner"}), 403, "forbidden")


def test_attack_17_nothing_is_cacheable(server, ann, room):
    """Api.call checks every answer of every test; here, the ones that it would not see."""
    answers = subprocess.run(
        [
            "curl",
            "-si",
            "--noproxy",
            "*",
            "-H",
            f"Authorization: Bearer {ann.token}",
            *[
                f"{server.url}{path}"
                for path in (
                    "/v1/me",
                    "/v1/rooms",
                    f"/v1/rooms/{room}/messages",
                    "/v1/nowhere",
                    "/v1/rooms/1",
                )
            ],
        ],
        capture_output=True,
        text=True,
        timeout=10,
    ).stdout.lower()
    assert answers.count("http/1.1 ") == 5
    assert answers.count("cache-control: no-store") == 5 and "set-cookie" not in answers


def test_attack_18_a_cookie_is_no_token(api, ann, room):
    for name in ("token", "session", "access_token", "Authorization"):
        headers = {"Cookie": f"{name}={ann.token}", "Origin": "https://evil.example"}
        body = {"nonce": new_nonce(), "type": "TEXT", "content": "x"}
        refused(api.call("POST", f"/v1/rooms/{room}/messages", headers=headers, json=body), 401)
    assert ann.history(room) == []


def test_attack_18_no_other_site_may_read_answers(api, ann):
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
        answer = api.call(method, "/v1/me", ann.token, headers=headers)
        assert "access-control-allow-origin" not in answer.headers
