"""The classic calls: each field, status and odd shape."""

import re

import pytest

from classic_client import Classic, refused
from parley_client import PASSWORD, unique
from parley_server import TARGET

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def people(api):
    """Makes classic users; closes their sockets."""
    made = []

    def make():
        made.append(Classic.sign_up(api))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_sign_up_and_log_in(api):
    name = unique("c")
    fields = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    answer = api.http.post("/user/signup", json=fields)
    assert answer.status_code == 200
    user = answer.json()
    assert user == {"id": user["id"], "username": name, "email": fields["email"]}
    assert isinstance(user["id"], str) and int(user["id"]) > 0
    answer = api.http.post("/user/login", json={"email": fields["email"], "password": PASSWORD})
    assert answer.status_code == 200
    session = answer.json()
    assert session == {"id": user["id"], "username": name, "token": session["token"]}
    assert session["token"].count(".") == 2


def test_sign_up_refusals(api):
    name = unique("c")
    good = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    assert api.http.post("/user/signup", json=good).status_code == 200
    refused(api.http.post("/user/signup", json={**good, "username": unique("c")}), 409)
    refused(api.http.post("/user/signup", json={**good, "email": good["email"].upper(), "username": unique("c")}), 409)
    refused(api.http.post("/user/signup", json={**good, "email": f"{unique()}@example.org"}), 409)
    for wrong in (
        {"username": "ab"},
        {"username": "a" * 21},
        {"email": "nowhere"},
        {"password": "1234567"},
        {"username": 5},
        {"email": None},
    ):
        fields = {"username": unique("c"), "email": f"{unique()}@example.org", "password": PASSWORD, **wrong}
        refused(api.http.post("/user/signup", json=fields), 400)
    for body in (b"", b"{", b"[]", b'{"username":"\xff"}', b'{"username":"a\\u0000bc"}', b"a=b"):
        refused(api.http.post("/user/signup", content=body), 400)


def test_log_in_refusals(api, people):
    ann = people()
    texts = {
        refused(api.http.post("/user/login", json={"email": email, "password": password}), 401)
        for email, password in ((ann.email, "not this one"), ("nobody@example.org", PASSWORD), ("x", "y"))
    }
    assert len(texts) == 1
    for body in ({}, {"email": ann.email}, {"email": 1, "password": PASSWORD}):
        refused(api.http.post("/user/login", json=body), 400)


@pytest.mark.parametrize("declared", [None, "application/x-www-form-urlencoded", "text/plain", "application/json"])
def test_a_body_is_json_whatever_it_is_called(api, people, declared):
    ann = people()
    headers = {} if declared is None else {"Content-Type": declared}
    body = {"roomname": unique("room "), "typ": "GROUP"}
    assert ann.call("POST", "/user/createroom", body, headers=headers).status_code == 200


def test_rooms(people):
    ann, bob = people(), people()
    name = unique("kitchen ")
    answer = ann.call("POST", "/user/createroom", {"roomname": f"  {name} ", "typ": "GROUP"})
    assert answer.status_code == 200
    room = answer.json()["New Room"]
    assert set(answer.json()) == {"New Room"}
    assert room == {"roomid": room["roomid"], "roomname": name, "typ": "GROUP"}
    assert type(room["roomid"]) is int and room["roomid"] > 2**32
    assert ann.rooms() == [room] and bob.rooms() == []
    refused(bob.call("POST", "/user/createroom", {"roomname": name.upper(), "typ": "DM"}), 400)
    for _ in range(2):
        answer = bob.join(room)
        assert answer.status_code == 200 and answer.json() == {"Success": "room joined"}
    other = bob.room(typ="DM")
    assert other["typ"] == "DM"
    assert bob.rooms() == [room, other]
    for wrong in (
        {"roomname": "ab", "typ": "GROUP"},
        {"roomname": "x" * 51, "typ": "GROUP"},
        {"roomname": unique(), "typ": "group"},
        {"roomname": unique(), "typ": 1},
        {"roomname": unique()},
        {"roomname": 5, "typ": "DM"},
        {"typ": "DM"},
    ):
        refused(ann.call("POST", "/user/createroom", wrong), 400)


def test_a_pair_of_each_is_listed_without_end(people):
    """More rooms than one page of the store has."""
    ann = people()
    made = [ann.room(name=f"{unique('many ')}") for _ in range(105)]
    assert ann.rooms() == made


@pytest.mark.parametrize("how", ["get body", "post body", "get query", "post query", "text ids", "id alone"])
def test_ways_to_join(people, how):
    ann, bob = people(), people()
    room = ann.room()
    if how == "text ids":
        answer = bob.join(room, roomid=str(room["roomid"]))
    elif how == "id alone":
        answer = bob.call("GET", "/user/joinroom", {"roomid": room["roomid"]})
    else:
        method, where = how.split()
        given = {"body": room} if where == "body" else {"params": room}
        answer = bob.call(method.upper(), "/user/joinroom", **given)
    assert answer.status_code == 200, answer.text
    assert bob.rooms() == [room]


def test_joining_what_is_not_so(people):
    ann, bob = people(), people()
    room = ann.room()
    texts = {
        refused(bob.join(room, **wrong), 400)
        for wrong in ({"roomid": 123456789}, {"roomname": "another name"}, {"typ": "DM"})
    }
    assert len(texts) == 1
    refused(bob.join(room, typ="CHANNEL"), 400)
    refused(bob.join(room, roomname=5), 400)
    refused(bob.call("GET", "/user/joinroom"), 400)
    refused(bob.call("GET", "/user/joinroom", b"{"), 400)
    refused(bob.call("GET", "/user/joinroom", room, params={"roomid": "1"}), 400)
    assert bob.rooms() == []


BAD_IDS = [-1, 0, 2**63, 1.5, True, None, [], {}, "", "1 ", "01", "+1", "1e3", "x", str(2**63), "-5"]


@pytest.mark.parametrize("bad", BAD_IDS, ids=str)
def test_attack_33_ids_in_bodies(people, bad):
    ann = people()
    refused(ann.call("GET", "/user/joinroom", {"roomid": bad}), 400)
    refused(ann.call("GET", "/user/history", {"user_id": ann.id, "channel_id": bad}), 400)


def test_attack_33_numbers_that_are_no_integers(people):
    ann = people()
    for text in ("1e3", "1E18", "-0", "1.0", "9223372036854775808", "1e999", "01", "NaN"):
        refused(ann.call("GET", "/user/joinroom", f'{{"roomid":{text}}}'.encode()), 400)
    # Exact to the last digit: one beside it is another room.
    room = ann.room()
    assert ann.join(room).status_code == 200
    refused(people().join(room, roomid=room["roomid"] + 1), 400)


@pytest.mark.parametrize(
    "query",
    ["roomid=1&roomid=2", "roomid=01", "roomid=%31", "room%69d=1", "roomid=+1", "roomid=1%20", "roomid=", "x=1"],
)
def test_attack_21_an_id_in_the_query_is_plain(people, query):
    ann = people()
    for path in ("/user/joinroom", "/user/members", "/user/history", "/img/url"):
        name = {"/user/members": "room_id", "/user/history": "channel_id"}.get(path, "roomid")
        mine = query.replace("room%69d", f"{name[:-2]}%69d").replace("roomid", name)
        refused(ann.call("GET", f"{path}?{mine}"), 400)


def test_members(people, bob):
    ann = people()
    room = ann.room(Classic.of(bob))
    ann.socket(room)
    answer = ann.call("GET", "/user/members", params={"room_id": room["roomid"]})
    assert answer.status_code == 200
    members = answer.json()
    assert [set(each) for each in members] == [{"user_id", "channel_id", "username", "online_at"}] * 2
    assert {each["user_id"]: each["username"] for each in members} == {ann.id: ann.name, int(bob.id): bob.name}
    assert all(each["channel_id"] == room["roomid"] and TIME.fullmatch(each["online_at"]) for each in members)
    rest = ann.call("GET", "/user/members", params={"room_id": room["roomid"], "after": members[0]["user_id"]})
    assert [each["user_id"] for each in rest.json()] == [members[1]["user_id"]]


def test_history(people):
    ann, bob = people(), people()
    room = ann.room(bob)
    assert ann.history(room["roomid"]) == []
    socket = ann.socket(room)
    sent = [socket.say(f"message {i}") for i in range(25)]
    page = bob.history(room["roomid"])
    assert [each["id"] for each in page] == [each["id"] for each in reversed(sent[5:])]
    assert page[0] == {
        "id": sent[-1]["id"],
        "channel_id": room["roomid"],
        "user_id": ann.id,
        "content": {"String": "message 24", "Valid": True},
        "media_id": {"String": "", "Valid": False},
        "message_type": "TEXT",
        "created_at": page[0]["created_at"],
    }
    assert TIME.fullmatch(page[0]["created_at"])
    rest = bob.history(room["roomid"], lastid=page[-1]["id"])
    assert [each["id"] for each in rest] == [each["id"] for each in reversed(sent[:5])]
    assert bob.history(room["roomid"], lastid=rest[-1]["id"]) == []
    for newest in ("", "0"):
        assert bob.history(room["roomid"], lastid=newest) == page
    by_query = bob.call("GET", "/user/history", params={"channel_id": room["roomid"]})
    assert by_query.json() == page
    as_text = bob.call("GET", "/user/history", {"user_id": str(bob.id), "channel_id": str(room["roomid"])})
    assert as_text.json() == page
    for wrong in ("-1", "x", "01", "1e3", str(2**63)):
        refused(bob.call("GET", f"/user/history?channel_id={room['roomid']}&lastid={wrong}"), 400)
    refused(bob.call("GET", f"/user/history?channel_id={room['roomid']}&lastid=1&lastid=2"), 400)
    refused(bob.call("GET", "/user/history", {"channel_id": room["roomid"], "user_id": "me"}), 400)


def test_media_and_health(people, http):
    ann = people()
    room = ann.room()
    if TARGET == "embedded":
        place = ann.call("GET", "/img/url", params={"roomid": room["roomid"]}).json()["response"]
        assert set(place) == {"presignedURL", "key", "url"}
    assert http.get("/health").json() == {"Health": "Ready"}


def test_errors_have_one_shape_everywhere(api, people):
    ann = people()
    for path in ("/user", "/user/", "/user/nothing", "/img/x", "/ws/x"):
        refused(api.http.get(path), 404)
    for method, path, allow in (
        ("DELETE", "/user/joinroom", {"GET", "HEAD", "POST"}),
        ("GET", "/user/signup", {"POST"}),
        ("POST", "/health", {"GET", "HEAD"}),
    ):
        answer = ann.call(method, path)
        refused(answer, 405)
        assert set(answer.headers["allow"].split(", ")) == allow
    answer = api.http.post("/user/signup", content=b"x" * 70_000)
    refused(answer, 413)
    assert "v1" not in api.http.get("/user/getrooms").text
    refused(api.http.get("/user/getrooms", headers={"Authorization": f"Bearer {ann.token}"}), 401)


def test_attack_30_json_bodies(people):
    ann = people()
    for body in (
        b"[" * 100_00,
        b'{"roomname":"abc","roomname":"abd","typ":"DM"}',
        b'{"roomname":"abc","typ":"DM"}x',
        b'\xef\xbb\xbf{"roomname":"abc","typ":"DM"}',
        b'{"roomname":"\\ud800abc","typ":"DM"}',
        b'{"roomname":"a\\u0000bc","typ":"DM"}',
    ):
        refused(ann.call("POST", "/user/createroom", body), 400)


# --- one product behind both surfaces


def test_an_account_of_either_is_one_of_both(api, ann):
    old = Classic.log_in(api, ann.email, ann.password)
    assert old.id == int(ann.id)
    assert ann.api.call("GET", "/v1/me", old.token).json()["id"] == ann.id
    new = Classic.sign_up(api)
    answer = api.call("POST", "/v1/sessions", json={"email": new.email, "password": PASSWORD})
    assert answer.status_code == 201 and int(answer.json()["user"]["id"]) == new.id


def test_rooms_of_v1(people, ann, bob, room, private_room):
    me = Classic.of(bob)
    dm = ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id]}).json()["id"]
    listed = {each["roomid"]: each for each in me.rooms()}
    assert listed[int(room)]["typ"] == listed[int(private_room)]["typ"] == "GROUP"
    assert listed[int(dm)] == {"roomid": int(dm), "roomname": ann.name, "typ": "DM"}
    eve = people()
    assert eve.join(listed[int(room)]).status_code == 200
    unknown = refused(eve.join({"roomid": 123456789}), 400)
    assert refused(eve.join(listed[int(private_room)]), 400) == unknown
    assert refused(eve.join(listed[int(dm)]), 400) == unknown
    assert me.join(listed[int(private_room)]).status_code == 200


def test_a_classic_dm_is_for_two_who_know_it(people, ann):
    one, two, three = people(), people(), people()
    pair = one.room(typ="DM")
    unknown = refused(two.join({"roomid": 123456789}), 400)
    assert refused(two.call("GET", "/user/joinroom", {"roomid": pair["roomid"]}), 400) == unknown
    assert refused(two.join(pair, roomname="another name"), 400) == unknown
    assert refused(two.join(pair, roomid=pair["roomid"] + 1), 400) == unknown
    assert two.join(pair, roomname=pair["roomname"].upper()).status_code == 200
    assert refused(three.join(pair), 400) == unknown
    assert two.join(pair).status_code == 200
    # In v1 it is a private group.
    api = one.api
    room = api.call("GET", f"/v1/rooms/{pair['roomid']}", one.token).json()
    assert (room["kind"], room["visibility"], room["member_count"]) == ("group", "private", 2)
    assert api.call("POST", f"/v1/rooms/{pair['roomid']}/join", ann.token).status_code == 404
    members = f"/v1/rooms/{pair['roomid']}/members"
    assert api.call("PUT", f"{members}/{ann.id}", one.token).status_code == 403
    assert room["id"] not in {r["id"] for r in ann.got("/v1/rooms/directory", query=pair["roomname"])["rooms"]}
    # v1 says private again: nothing changes. A place that is free again can be taken.
    kept = api.call("PATCH", f"/v1/rooms/{pair['roomid']}", one.token, json={"visibility": "private"})
    assert kept.status_code == 200 and one.rooms()[0]["typ"] == "DM"
    assert api.call("POST", f"/v1/rooms/{pair['roomid']}/leave", two.token).status_code == 200
    assert three.join(pair).status_code == 200


def test_history_shows_what_v1_did(people, bob):
    ann = people()
    room = ann.room(Classic.of(bob))
    roomid = str(room["roomid"])
    kept, edited, deleted = (bob.say(roomid, text) for text in ("kept", "raw", "regretted"))
    bob.patch(f"/v1/rooms/{roomid}/messages/{edited['id']}", {"content": "cooked"})
    bob.delete(f"/v1/rooms/{roomid}/messages/{deleted['id']}")
    bob.put(f"/v1/rooms/{roomid}/messages/{kept['id']}/reactions/👍")
    seen = ann.history(room["roomid"])
    assert [each["id"] for each in seen] == [int(m["id"]) for m in (deleted, edited, kept)]
    assert [each["content"] for each in seen] == [
        {"String": "", "Valid": False},
        {"String": "cooked", "Valid": True},
        {"String": "kept", "Valid": True},
    ]


def test_v1_history_shows_what_classic_did(people, bob):
    ann = people()
    room = ann.room(Classic.of(bob))
    sent = ann.socket(room).say('quotes " and \\ and ☕')
    (message,) = bob.history(str(room["roomid"]))
    assert (message["id"], message["user_id"]) == (str(sent["id"]), str(ann.id))
    assert message["content"] == sent["content"] and message["type"] == "TEXT"


def test_text_that_looks_like_json_survives(people):
    ann = people()
    room = ann.room()
    text = '","event_type":"x"}\n\t\u2028</script>'
    sent = ann.socket(room).say(text)
    assert sent["content"] == text and ann.history(room["roomid"])[0]["content"]["String"] == text
