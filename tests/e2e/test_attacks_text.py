"""Attacks by content: JSON, text, numbers, injection."""

import json

import pytest

from parley_client import Socket, new_nonce, refused, unique


@pytest.mark.parametrize(
    "name, text",
    [
        ("deep array", "[" * 60_000),
        ("deep object", '{"a":' * 10_000),
        ("deep but closed", '{"op":"ping","x":' + "[" * 40 + "]" * 40 + "}"),
        ("huge number", '{"op":"ping","x":1e999}'),
        ("doubled key", '{"op":"ping","op":"ping"}'),
        ("doubled key behind an escape", '{"op":"ping","\\u006fp":"ping"}'),
        ("NaN", '{"op":"ping","x":NaN}'),
        ("Infinity", '{"op":"ping","x":-Infinity}'),
        ("byte order mark", '\ufeff{"op":"ping"}'),
        ("trailing bytes", '{"op":"ping"}}'),
        ("two objects", '{"op":"ping"}{"op":"ping"}'),
        ("comment", '{"op":"ping"/*x*/}'),
        ("leading zero", '{"op":"ping","x":01}'),
        ("plus", '{"op":"ping","x":+1}'),
        ("bare point", '{"op":"ping","x":1.}'),
        ("control character", '{"op":"ping","x":"\x01"}'),
        ("bad escape", '{"op":"ping","x":"\\x41"}'),
        ("cut escape", '{"op":"ping","x":"\\u00"}'),
        ("cut", '{"op":"ping"'),
        ("empty", ""),
        ("white space", "  \n "),
        ("NUL after it", '{"op":"ping"}\x00'),
    ],
)
def test_attack_30_json_that_is_none(ann, room, name, text):
    """On the socket an error, and the connection lives; over REST a 400 or 422."""
    socket = ann.socket()
    socket.send_raw(text)
    error = socket.expect("error")
    assert error["code"] in (
        {"bad_frame", "invalid_field"} if name == "huge number" else {"bad_frame"}
    ), name
    socket.alive()
    headers = {"Content-Type": "application/json"}
    answer = ann.call("POST", f"/v1/rooms/{room}/messages", content=text.encode(), headers=headers)
    assert answer.status_code in {400, 422}, name
    assert ann.history(room) == []


def test_attack_30_json_that_is_some(ann):
    socket = ann.socket()
    for text in (
        ' \t\r\n{ "op" : "ping" } ',
        '{"\\u006f\\u0070":"\\u0070ing"}',
        '{"op":"ping","x":-0}',
        '{"op":"ping","x":[1e2,-1.5E-3,true,null,{"y":"\\ud83c\\udf72"}]}',
        '{"op":"ping","":1,"x":{"op":"send"}}',
    ):
        socket.send_raw(text)
        socket.expect("pong")


@pytest.mark.parametrize(
    "poison", ["a\\u0000b", "\\ud800", "\\udc00", "x\\udfffy", "\\ud83c\\ud83c"]
)
def test_attack_31_poison_text(ann, room, poison):
    """NUL and lone surrogates, in every text that is stored."""
    socket = ann.socket()
    nonce = new_nonce()
    socket.send_raw(
        '{"op":"send","ref":"r","room_id":"%s","nonce":"%s","type":"TEXT","content":"%s"}'
        % (room, nonce, poison)
    )
    assert socket.expect("error")["code"] in {"bad_frame", "invalid_field"}
    socket.alive()
    headers = {"Content-Type": "application/json"}
    for method, path, body in (
        ("POST", f"/v1/rooms/{room}/messages", '{"nonce":"n","type":"TEXT","content":"%s"}'),
        ("POST", f"/v1/rooms/{room}/messages", '{"nonce":"%s","type":"TEXT","content":"x"}'),
        ("POST", "/v1/rooms", '{"kind":"group","name":"room %s"}'),
        ("PATCH", f"/v1/rooms/{room}", '{"topic":"%s"}'),
        ("PATCH", "/v1/me", '{"display_name":"%s"}'),
        (
            "POST",
            "/v1/users",
            '{"username":"user%s","email":"poison@example.org","password":"long enough"}',
        ),
    ):
        answer = ann.call(method, path, content=body % poison, headers=headers)
        assert answer.status_code in {400, 422}, (path, answer.text)
    assert ann.history(room) == []


def test_attack_32_every_field_is_bounded(ann, bob, room):
    socket = ann.socket()
    message = ann.say(room)
    base = {"room_id": room, "nonce": new_nonce(), "type": "TEXT", "content": "x"}
    target = {"room_id": room, "message_id": message["id"]}
    socket.refused("send", "too_long", **{**base, "content": "x" * 4001})
    socket.refused("send", "too_long", **{**base, "content": "🍲" * 4001})
    socket.refused("send", "too_long", **{**base, "content": "e" + "\u0301" * 10_000})
    socket.refused("send", {"invalid_field", "too_long"}, **{**base, "nonce": "n" * 60_000})
    socket.refused("react", {"invalid_field", "too_long"}, emoji="🍲" * 2_000, added=True, **target)
    socket.refused("subscribe", {"invalid_field", "unknown_room"}, room_id="1" * 60_000)
    socket.alive()
    for content in ("x" * 4001, "🍲" * 4001, "e" + "\u0301" * 10_000):
        refused(ann.post_message(room, content), 422, "too_long")
    big = "x" * 60_000
    for method, path, body in (
        ("POST", "/v1/rooms", {"kind": "group", "name": big}),
        ("POST", "/v1/rooms", {"kind": "group", "name": unique("r "), "topic": big}),
        (
            "POST",
            "/v1/rooms",
            {"kind": "group", "name": unique("r "), "member_ids": [bob.id] * 3000},
        ),
        ("PATCH", f"/v1/rooms/{room}", {"topic": big}),
        ("PATCH", "/v1/me", {"display_name": big}),
        ("PATCH", "/v1/me", {"username": big}),
        ("POST", "/v1/sessions/refresh", {"refresh_token": big}),
    ):
        answer = ann.call(method, path, json=body)
        assert answer.status_code in {400, 401, 413, 422}, (path, answer.text)
    assert ann.put(
        f"/v1/rooms/{room}/messages/{message['id']}/reactions/{'a' * 8000}"
    ).status_code in {400, 404, 414, 422, 431}
    refused(
        ann.call(
            "POST",
            "/v1/rooms",
            content=b"x" * 1_000_000,
            headers={"Content-Type": "application/json"},
        ),
        413,
    )


@pytest.mark.parametrize(
    "value",
    [
        "-1",
        "0",
        "9223372036854775808",
        "1e3",
        "1 ",
        " 1",
        "+1",
        "0x10",
        "1.0",
        "01",
        "",
        "١٢٣",
        "1_0",
    ],
)
def test_attack_33_ids_that_are_none(ann, room, value):
    socket = ann.socket()
    message = ann.say(room)
    socket.refused("subscribe", {"invalid_field"}, room_id=value)
    socket.refused("subscribe", {"invalid_field"}, room_id=room, since=value)
    socket.refused("delete", {"invalid_field"}, room_id=room, message_id=value)
    socket.refused(
        "send", {"invalid_field"}, room_id=room, nonce="n", type="TEXT", content="x", reply_to=value
    )
    for name in ("before", "after"):
        refused(ann.get(f"/v1/rooms/{room}/messages", **{name: value}), 422)
    assert ann.put(f"/v1/rooms/{room}/read", {"message_id": value}).status_code == 422
    assert ann.post_message(room, reply_to=value).status_code == 422
    assert ann.history(room) == [message]


def test_attack_33_ids_beyond_a_double(ann, room):
    """9007199254740993 is not 9007199254740992."""
    socket = ann.socket()
    socket.refused("subscribe", "unknown_room", room_id="9007199254740993")
    socket.refused("subscribe", "unknown_room", room_id="9223372036854775807")
    for number in (9007199254740993, 1e300, -1):
        socket.refused("subscribe", "invalid_field", room_id=number)
    message = ann.say(room)
    below, above = (str(int(message["id"]) + d) for d in (-1, 1))
    assert ann.history(room, after=below) == [message]
    assert ann.history(room, before=above) == [message]
    assert ann.history(room, after=message["id"]) == []
    assert ann.history(room, before=message["id"]) == []


INJECTIONS = [
    "'; DROP TABLE messages; --",
    '"; DROP TABLE users; --',
    "' OR '1'='1",
    "\\.",
    "\\N",
    "a\\nb",
    "a\tb",
    "first line\n\\.\nlast line",
    "%' OR name LIKE '%",
    "x') RETURNING *; --",
    "$1 ?1 :a @b",
    "\\'; --",
    "a\r\nPUBLISH room:1 x\r\n",
    "*3\r\n$3\r\nSET\r\n",
    "room:*",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "../../etc/passwd",
    "%00%0d%0a",
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_attack_34_sql_stays_text(ann, bob, room, text):
    message = ann.say(room, text, nonce=unique("n") + text[:40])
    assert message["content"] == text.strip()
    edited = ann.patch(f"/v1/rooms/{room}/messages/{message['id']}", {"content": text + " again"})
    assert edited.json()["content"] == (text + " again").strip()
    assert bob.history(room)[0] == edited.json()
    refused(ann.api.call("POST", "/v1/sessions", json={"email": text, "password": text * 3}), 401)
    refused(
        ann.api.call("POST", "/v1/sessions", json={"username": text, "password": text * 3}), 401
    )
    assert ann.got("/v1/rooms/directory", query=text)["rooms"] == []


@pytest.mark.parametrize("text", INJECTIONS)
def test_attack_35_names_with_control_characters_or_patterns(ann, text):
    """Taken literally, or refused; nothing in between."""
    name = (unique("r ") + text)[:50].strip()
    answer = ann.post("/v1/rooms", {"kind": "group", "name": name, "topic": text})
    if answer.status_code == 201:
        assert answer.json()["name"] == name and answer.json()["topic"] == text.strip()
        assert ann.got(f"/v1/rooms/{answer.json()['id']}")["name"] == name
    else:
        refused(answer, 422)
        assert any(ord(c) < 32 for c in name + text)


@pytest.mark.parametrize(
    "name",
    ["a\r\nPUBLISH x", "a\x1b[31m", "a\u202eb", "a\u200bb", "a\u2028b", "\u0301\u0301\u0301\u200b"],
)
def test_attack_35_names_that_cannot_be_seen(ann, name):
    refused(ann.post("/v1/rooms", {"kind": "group", "name": unique("r ") + name}), 422)


def test_attack_36_a_long_message_costs_little(ann, bob, room):
    """What may be sent at most, of the kinds that slow filters and normalisers down."""
    watcher, sender = bob.socket(room), ann.socket(room)
    for content in (
        "a" * 4000,
        "\u0430\u0410" * 2000,
        "a\u200b" * 2000,
        "ﷺ" * 4000,
        "e\u0301\u0327" * 1333,
        "\U0001d552" * 4000,
        "\ud7a3" * 4000,
    ):
        assert sender.say(room, content)["message"]["content"] == content
        assert watcher.expect("message", timeout=1)["message"]["content"] == content


def test_attack_44_nothing_is_written_into_the_log(make_server):
    server = make_server(environment={"PARLEY_LOG_LEVEL": "debug", "PARLEY_LOG_FORMAT": "json"})
    user = server.api.new_user()
    evil = '\n{"level":"error","message":"forged"}\n\x1b]0;owned\x07\x1b[31m'
    server.api.sign_up(evil, f"{unique()}@example.org")
    server.api.sign_up(unique(), evil)
    server.api.call("POST", "/v1/sessions", json={"email": evil, "password": evil})
    user.post("/v1/rooms", {"kind": "group", "name": evil, "topic": evil})
    user.say(user.room(topic='\n{"level":"error"}'), evil)
    server.api.http.get(
        "/%0A%7B%22level%22%3A%22error%22%2C%22message%22%3A%22forged%22%7D%1B]0;owned%07"
    )
    server.api.http.get(
        "/", headers={"User-Agent": 'x{"level":"error"}\x1b]0;owned'.replace("\x1b", "\\e")}
    )
    from wire import Wire

    Wire(server).request(
        "GET /\x1b]0;owned\x07 HTTP/1.1\r\nHost: \x1b[31m\r\nUser-Agent: a\x1bb\r\n\r\n"
    )
    socket = Socket(server)
    socket.send("hello", token=evil)
    socket.expect_close(4500)
    assert server.stop() == 0
    for line in server.log().splitlines():
        assert "\x1b" not in line and "\x07" not in line
        if "http://127.0.0.1:" in line:
            continue  # the address, for a person
        entry = json.loads(line)
        assert isinstance(entry, dict)
        assert entry.get("message") != "forged" and entry.get("msg") != "forged"
