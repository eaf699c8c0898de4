"""Attacks on the classic surface: who may do what, on every path."""

import pytest
from websockets.exceptions import InvalidStatus

from classic_client import PATH, Classic, ClassicSocket, refused
from parley_client import unique
from tokens import claims_of, secret_of, sign

CALLS = [
    ("POST", "/user/createroom"),
    ("GET", "/user/joinroom"),
    ("POST", "/user/joinroom"),
    ("GET", "/user/getrooms"),
    ("GET", "/user/members?room_id=1"),
    ("GET", "/user/history?channel_id=1"),
    ("GET", "/img/url?roomid=1"),
]


@pytest.fixture
def people(api):
    made = []

    def make(user=None):
        made.append(Classic.of(user) if user else Classic.sign_up(api))
        return made[-1]

    yield make
    for each in made:
        each.close()


def handshake(api, token, query, **options):
    """The status that a handshake gets; 101 when it opens."""
    try:
        socket = ClassicSocket(api.server, token, {}, query=query, **options)
    except InvalidStatus as failed:
        answer = failed.response
        assert answer.headers["content-type"] == "application/json"
        assert answer.body.startswith(b'{"error":"'), answer.body
        return answer.status_code, answer.body
    socket.connection.close()
    return 101, b""


def bad_tokens(token, server):
    claims = claims_of(token)
    header = {"alg": "HS256", "typ": "JWT"}
    yield ""
    yield "nonsense"
    yield token[:-2]
    yield sign({"alg": "none", "typ": "JWT"}, claims, b"")
    yield sign(header, claims, b"secret")
    yield sign(header, {**claims, "exp": 1}, secret_of(server))
    yield sign(header, {**claims, "typ": "refresh"}, secret_of(server))
    yield "a" * 4000


def test_no_call_without_a_good_token(api, people, server):
    ann = people()
    room = ann.room()
    for method, path in CALLS:
        refused(api.call(method, path), 401)
        for token in bad_tokens(ann.token, server):
            refused(api.call(method, path, headers={"token": token}), 401)
    query = f"roomid={room['roomid']}"
    for token in (None, *bad_tokens(ann.token, server)):
        status, body = handshake(api, token, query)
        assert status == 401, (status, body)
    assert handshake(api, ann.token, query)[0] == 101


def test_a_token_in_the_query(api, people):
    ann = people()
    room = ann.room()
    path = f"/user/members?room_id={room['roomid']}"
    assert api.call("GET", f"{path}&token={ann.token}").status_code == 200
    refused(api.call("GET", f"{path}&token=x&token={ann.token}"), 401)
    refused(api.call("GET", f"{path}&token={ann.token}&token={ann.token}"), 401)
    assert handshake(api, None, f"roomid={room['roomid']}&token={ann.token}")[0] == 101
    # v1 does not know it.
    assert api.call("GET", f"/v1/me?token={ann.token}").status_code == 401


def test_attack_5_a_token_in_the_query_is_in_no_log(make_server):
    server = make_server("--log-level", "debug")
    ann = Classic.sign_up(server.api)
    room = ann.room()
    for path in ("/user/getrooms", "/user/nothing", "/img/url", "/user/members", "/ws/nothing"):
        server.api.call("GET", f"{path}?token={ann.token}")
    handshake(server.api, None, f"roomid={room['roomid']}&token={ann.token}")
    handshake(server.api, None, f"roomid=x&token={ann.token}")
    metrics = server.api.http.get("/metrics").text
    assert server.stop() == 0
    signature = ann.token.split(".")[2]
    assert signature not in server.log() and ann.token[:60] not in server.log()
    assert signature not in metrics


def test_attack_10_a_foreign_room_is_like_an_absent_one(people, ann, private_room, room):
    eve = people()
    secret = ann.say(private_room, "secret")
    answers = set()
    for channel in (private_room, room, "123456789", secret["id"]):
        for path in ("/user/members?room_id=", "/user/history?channel_id=", "/img/url?roomid="):
            answers.add(refused(eve.call("GET", path + channel), 403))
        status, body = handshake(eve.api, eve.token, f"roomid={channel}")
        assert status == 403
        answers.add(body.decode().removeprefix('{"error":"').removesuffix('"}'))
    assert len(answers) == 1
    body = {"user_id": int(ann.id), "channel_id": int(private_room)}
    refused(eve.call("GET", "/user/history", body), 403)


def test_attack_10_the_user_comes_from_the_token_only(people):
    ann, bob = people(), people()
    room = ann.room(bob)
    socket = bob.socket(room)
    socket.chat("mine", user_id=ann.id, channel_id=1, id=1, server="x", username=ann.name)
    seen = socket.expect("chat")
    assert (seen["user_id"], seen["channel_id"]) == (bob.id, room["roomid"])
    assert bob.call("GET", "/user/history", {"user_id": ann.id, "channel_id": room["roomid"]}).status_code == 200


def test_attack_12_a_removed_member_is_cut_off(people, ann, bob, room):
    name = {"roomid": int(room), "roomname": ann.got(f"/v1/rooms/{room}")["name"]}
    me = people(bob)
    socket, talker = me.socket(name), ann.socket(room)
    assert ann.delete(f"/v1/rooms/{room}/members/{bob.id}").status_code == 204
    talker.expect("member", action="removed")
    talker.say(room, "behind the back")
    frames = socket.expect_close(1008)
    assert "behind the back" not in str(frames)
    for path in ("/user/members?room_id=", "/user/history?channel_id=", "/img/url?roomid="):
        refused(me.call("GET", path + room), 403)
    assert handshake(me.api, me.token, f"roomid={room}")[0] == 403
    assert me.join(name).status_code == 200
    me.socket(name)


@pytest.mark.parametrize(
    "query", ["roomid={0}&roomid={0}", "roomid=0{0}", "roomid=%3{0}", "x=1", "roomid=", "roomid=-1"]
)
def test_attack_21_one_room_and_plainly(people, query):
    ann = people()
    room = ann.room()
    status, _ = handshake(ann.api, ann.token, query.format(room["roomid"]))
    assert status == 400
    twice = f"roomid={room['roomid']}&roomname=a&roomname=b"
    assert handshake(ann.api, ann.token, twice)[0] == 400


def test_attack_19_a_foreign_page_opens_nothing(api, people, server):
    ann = people()
    query = f"roomid={ann.room()['roomid']}&token={ann.token}"
    for origin in ("https://evil.example", "null", f"https://127.0.0.1:{server.port}", f"{server.url}.evil.example"):
        assert handshake(api, None, query, additional_headers={"Origin": origin})[0] == 403
    assert handshake(api, None, query, additional_headers={"Origin": server.url})[0] == 101


def test_attack_20_bad_handshakes(people, http):
    ann = people()
    path = f"{PATH}?roomid={ann.room()['roomid']}"
    refused(http.get(path, headers={"token": ann.token}), 426)
    refused(http.post(path, headers={"token": ann.token}), 405)
    upgrade = {"token": ann.token, "Connection": "Upgrade", "Upgrade": "websocket"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    refused(http.get(path, headers={**upgrade, **key, "Sec-WebSocket-Version": "12"}), 426)
    refused(http.get(path, headers={**upgrade, "Sec-WebSocket-Version": "13"}), 400)


def test_attack_16_fields_that_are_not_yours_to_set(api, people):
    name = unique("c")
    fields = {"username": name, "email": f"{name}@example.org", "password": "correct horse", "id": "1", "role": "admin"}
    assert api.http.post("/user/signup", json=fields).json()["id"] != "1"
    ann = people()
    answer = ann.call("POST", "/user/createroom", {"roomname": unique("room "), "typ": "GROUP", "roomid": 1, "id": 1})
    assert answer.json()["New Room"]["roomid"] != 1


def test_attack_17_nothing_is_cacheable(people):
    ann = people()
    for method, path in CALLS:
        answer = ann.call(method, path)
        assert answer.headers["cache-control"] == "no-store" and "set-cookie" not in answer.headers


def test_attack_18_a_cookie_is_no_token(api, people):
    ann = people()
    refused(api.call("GET", "/user/getrooms", headers={"Cookie": f"token={ann.token}"}), 401)
    answer = ann.call("GET", "/user/getrooms", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
