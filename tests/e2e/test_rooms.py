"""Rooms and the directory over REST."""

import pytest

from parley_client import refused, unique

ROOM_FIELDS = {"id", "name", "kind", "visibility", "topic", "created_at", "my_role", "member_count"}


def test_make_a_room(ann):
    name = unique("Soup ")
    body = {"name": name, "kind": "group", "visibility": "public", "topic": "of the day"}
    answer = ann.post("/v1/rooms", body)
    assert answer.status_code == 201
    room = answer.json()
    assert set(room) >= ROOM_FIELDS
    assert room["name"] == name and room["kind"] == "group" and room["visibility"] == "public"
    assert (
        room["topic"] == "of the day" and room["my_role"] == "owner" and room["member_count"] == 1
    )
    assert ann.got(f"/v1/rooms/{room['id']}") == room


def test_make_a_room_with_members(ann, bob, eve):
    room = ann.got(f"/v1/rooms/{ann.room(bob, visibility='private')}")
    assert room["member_count"] == 2
    assert bob.got(f"/v1/rooms/{room['id']}")["my_role"] == "member"
    refused(eve.get(f"/v1/rooms/{room['id']}"), 404, "unknown_room")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "ab"},
        {"name": "x" * 51},
        {"name": ""},
        {"name": 7},
        {"name": None},
        {"kind": "party"},
        {"kind": None},
        {"visibility": "secret"},
        {"visibility": 1},
        {"topic": "x" * 251},
        {"topic": 7},
        {"member_ids": "1"},
        {"member_ids": [1]},
        {"member_ids": ["x"]},
        {"member_ids": [None]},
    ],
)
def test_rooms_with_bad_fields(ann, change):
    body = {"name": unique("room "), "kind": "group", **change}
    answer = ann.post("/v1/rooms", body)
    assert answer.status_code in {400, 422}, answer.text
    assert ann.got("/v1/rooms")["rooms"] == []


def test_a_room_with_an_unknown_member(ann):
    answer = ann.post("/v1/rooms", {"name": unique(), "kind": "group", "member_ids": ["12345"]})
    refused(answer, 404, "unknown_user")
    assert ann.got("/v1/rooms")["rooms"] == []


def test_names_of_groups_are_unique(ann, bob):
    name = unique("Taken ")
    room = ann.room(name=name)
    body = {"kind": "group", "name": name.upper()}
    refused(bob.post("/v1/rooms", body), 409, "room_name_taken")
    refused(ann.post("/v1/rooms", {**body, "visibility": "private"}), 409, "room_name_taken")
    assert ann.delete(f"/v1/rooms/{room}").status_code == 204
    assert bob.post("/v1/rooms", body).status_code == 201, "the name of a deleted room is free"


def test_a_dm_is_found_again(ann, bob, eve):
    first = ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id]})
    assert first.status_code == 201, first.text
    room = first.json()
    assert room["kind"] == "dm" and room["member_count"] == 2
    for user, other in ((ann, bob), (bob, ann)):
        again = user.post("/v1/rooms", {"kind": "dm", "member_ids": [other.id]})
        assert again.status_code == 200 and again.json()["id"] == room["id"]
    other = ann.post("/v1/rooms", {"kind": "dm", "member_ids": [eve.id]})
    assert other.status_code == 201 and other.json()["id"] != room["id"]


@pytest.mark.parametrize("members", [None, "none", "self", "two"])
def test_a_dm_has_exactly_one_other_member(ann, bob, eve, members):
    ids = {"self": [ann.id], "two": [bob.id, eve.id], "none": []}.get(members)
    body = {"kind": "dm"} if ids is None else {"kind": "dm", "member_ids": ids}
    assert ann.post("/v1/rooms", body).status_code in {400, 422}


def test_my_rooms(ann, bob):
    quiet, lively = ann.room(bob), ann.room(bob)
    first, second = bob.say(lively, "one"), bob.say(lively, "two")
    assert ann.put(f"/v1/rooms/{lively}/read", {"message_id": first["id"]}).status_code == 204
    mine = {room["id"]: room for room in ann.got("/v1/rooms")["rooms"]}
    assert set(mine) == {quiet, lively}
    assert set(mine[quiet]) >= ROOM_FIELDS | {"last_message", "unread_count", "last_read_id"}
    assert mine[quiet]["last_message"] is None and mine[quiet]["unread_count"] == 0
    assert mine[lively]["last_message"] == second
    assert mine[lively]["unread_count"] == 1 and mine[lively]["last_read_id"] == first["id"]


def test_unread_counts_follow_what_is_sent_and_read(ann, bob):
    room = ann.room(bob)

    def unread(user):
        return user.got("/v1/rooms")["rooms"][0]["unread_count"]

    messages = [ann.say(room, f"number {i}") for i in range(5)]
    assert (unread(bob), unread(ann)) == (5, 0), "one's own messages are not news"
    bob.put(f"/v1/rooms/{room}/read", {"message_id": messages[2]["id"]})
    assert unread(bob) == 2
    bob.put(f"/v1/rooms/{room}/read", {"message_id": messages[0]["id"]})
    assert unread(bob) == 2, "a read mark only ever moves forward"
    bob.put(f"/v1/rooms/{room}/read", {"message_id": messages[4]["id"]})
    assert unread(bob) == 0


def test_the_directory_shows_public_groups(ann, eve, bob):
    word = unique("word")
    by_name = ann.room(name=f"All of {word}", visibility="public")
    by_topic = ann.room(visibility="public", topic=f"About {word.upper()}")
    ann.room(name=f"Secret {word}", visibility="private")
    ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id], "name": word})
    found = eve.got("/v1/rooms/directory", query=word)
    assert {room["id"] for room in found["rooms"]} == {by_name, by_topic}
    assert found["next"] is None
    assert all(
        room["visibility"] == "public" and "my_role" not in room or room["my_role"] is None
        for room in found["rooms"]
    )
    assert eve.got("/v1/rooms/directory", query=unique("none"))["rooms"] == []


@pytest.mark.parametrize("query", ["%", "_", "'", '"', "*", "\\", "a OR b", "x" * 2000])
def test_the_directory_takes_any_query_literally(ann, eve, query):
    ann.room(name=unique("plain "))
    answer = eve.get("/v1/rooms/directory", query=query)
    if len(query) <= 250:
        assert answer.status_code == 200
        for room in answer.json()["rooms"]:
            assert query.casefold() in (room["name"] + room["topic"]).casefold()
    else:
        assert answer.status_code in {200, 422}


def test_only_members_see_a_room(room, private_room, eve):
    refused(eve.get(f"/v1/rooms/{private_room}"), 404, "unknown_room")
    refused(eve.get(f"/v1/rooms/{room}"), 403, "not_a_member")
    refused(eve.get("/v1/rooms/123456789"), 404, "unknown_room")


def test_change_a_room(ann, bob, room):
    name = unique("Renamed ")
    answer = ann.patch(f"/v1/rooms/{room}", {"name": name, "topic": "new", "visibility": "private"})
    assert answer.status_code == 200, answer.text
    changed = bob.got(f"/v1/rooms/{room}")
    assert (changed["name"], changed["topic"], changed["visibility"]) == (name, "new", "private")
    answer = ann.patch(f"/v1/rooms/{room}", {"topic": ""})
    assert answer.status_code == 200
    assert bob.got(f"/v1/rooms/{room}")["name"] == name


def test_who_may_change_a_room(ann, bob, eve, room, private_room):
    refused(bob.patch(f"/v1/rooms/{room}", {"topic": "x"}), 403, "forbidden")
    refused(eve.patch(f"/v1/rooms/{room}", {"topic": "x"}), 403, "not_a_member")
    refused(eve.patch(f"/v1/rooms/{private_room}", {"topic": "x"}), 404, "unknown_room")
    assert ann.put(f"/v1/rooms/{room}/members/{bob.id}", {"role": "admin"}).status_code == 204
    assert bob.patch(f"/v1/rooms/{room}", {"topic": "by an admin"}).status_code == 200


@pytest.mark.parametrize(
    "change", [{"name": "ab"}, {"name": 1}, {"topic": "x" * 251}, {"visibility": "x"}]
)
def test_change_a_room_to_what_is_not_allowed(ann, room, change):
    before = ann.got(f"/v1/rooms/{room}")
    assert ann.patch(f"/v1/rooms/{room}", change).status_code in {400, 422}
    assert ann.got(f"/v1/rooms/{room}") == before


def test_change_a_room_to_a_taken_name(ann, room):
    name = unique("Other ")
    ann.room(name=name)
    refused(ann.patch(f"/v1/rooms/{room}", {"name": name}), 409, "room_name_taken")


def test_delete_a_room(ann, bob, eve, room):
    message = bob.say(room)
    refused(bob.delete(f"/v1/rooms/{room}"), 403, "forbidden")
    refused(eve.delete(f"/v1/rooms/{room}"), 403, "not_a_member")
    assert ann.delete(f"/v1/rooms/{room}").status_code == 204
    for user in (ann, bob):
        refused(user.get(f"/v1/rooms/{room}"), 404, "unknown_room")
        refused(user.get(f"/v1/rooms/{room}/messages"), 404, "unknown_room")
        refused(user.post_message(room), 404, "unknown_room")
        assert user.got("/v1/rooms")["rooms"] == []
    refused(ann.delete(f"/v1/rooms/{room}"), 404, "unknown_room")
    refused(bob.delete(f"/v1/rooms/{room}/messages/{message['id']}"), 404)
    refused(eve.post(f"/v1/rooms/{room}/join"), 404, "unknown_room")


def test_join_and_leave(ann, eve, room):
    answer = eve.post(f"/v1/rooms/{room}/join")
    assert answer.status_code == 200 and answer.json()["my_role"] == "member"
    assert answer.json()["member_count"] == 3
    assert eve.post(f"/v1/rooms/{room}/join").status_code == 200, "joining twice changes nothing"
    assert ann.got(f"/v1/rooms/{room}")["member_count"] == 3
    answer = eve.post(f"/v1/rooms/{room}/leave")
    assert answer.status_code == 200, answer.text
    assert ann.got(f"/v1/rooms/{room}")["member_count"] == 2
    refused(eve.post(f"/v1/rooms/{room}/leave"), 403, "not_a_member")
    refused(eve.get(f"/v1/rooms/{room}/messages"), 403, "not_a_member")


def test_a_private_room_cannot_be_joined(eve, private_room):
    refused(eve.post(f"/v1/rooms/{private_room}/join"), 404, "unknown_room")
    refused(eve.post(f"/v1/rooms/{private_room}/leave"), 404, "unknown_room")
    refused(eve.post("/v1/rooms/123456789/join"), 404, "unknown_room")


def test_the_last_owner_cannot_leave(ann, bob, room):
    refused(ann.post(f"/v1/rooms/{room}/leave"), 409, "last_owner")
    refused(ann.put(f"/v1/rooms/{room}/members/{ann.id}", {"role": "member"}), 409, "last_owner")
    refused(ann.delete(f"/v1/rooms/{room}/members/{ann.id}"), 409, "last_owner")
    assert ann.put(f"/v1/rooms/{room}/members/{bob.id}", {"role": "owner"}).status_code == 204
    assert ann.post(f"/v1/rooms/{room}/leave").status_code == 200
    refused(bob.post(f"/v1/rooms/{room}/leave"), 409, "last_owner")


def test_every_list_of_rooms_is_paged(ann, eve):
    word = unique("many")
    made = {ann.room(name=f"{word} {i}") for i in range(7)}
    for user, path, params in (
        (ann, "/v1/rooms", {}),
        (eve, "/v1/rooms/directory", {"query": word}),
    ):
        seen, cursor = [], None
        for size in (3, 3, 1):
            page = user.got(path, limit=3, **params, **({"cursor": cursor} if cursor else {}))
            assert len(page["rooms"]) == size
            seen += [room["id"] for room in page["rooms"]]
            cursor = page["next"]
        assert cursor is None and len(seen) == 7 and set(seen) == made


@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "", "1.5", "1e2", "99999999999999999999"])
@pytest.mark.parametrize("path", ["/v1/rooms", "/v1/rooms/directory", "members", "messages"])
def test_a_bad_limit(ann, room, path, limit):
    path = path if path.startswith("/") else f"/v1/rooms/{room}/{path}"
    refused(ann.get(path, limit=limit), 422)


@pytest.mark.parametrize("path", ["/v1/rooms", "/v1/rooms/directory", "members"])
def test_a_bad_cursor(ann, room, path):
    path = path if path.startswith("/") else f"/v1/rooms/{room}/{path}"
    for cursor in ("nonsense", "-1", "9" * 40, "../..", "\x00"):
        assert ann.get(path, cursor=cursor).status_code in {200, 422}
