"""Members and roles over REST, and what their sockets see of it."""

import pytest

from parley_client import refused


def members(user, room):
    return {m["user_id"]: m for m in user.all_pages(f"/v1/rooms/{room}/members", "members")}


def test_members_of_a_room(ann, bob, room):
    found = members(bob, room)
    assert set(found) == {ann.id, bob.id}
    for member in found.values():
        assert set(member) >= {"user_id", "username", "role", "joined_at", "online", "last_seen_at"}
    assert found[ann.id]["role"] == "owner" and found[bob.id]["role"] == "member"
    assert found[bob.id]["username"] == bob.name and found[bob.id]["online"] is False


def test_members_are_for_members(eve, room, private_room):
    refused(eve.get(f"/v1/rooms/{room}/members"), 403, "not_a_member")
    refused(eve.get(f"/v1/rooms/{private_room}/members"), 404, "unknown_room")


def test_add_a_member(ann, eve, private_room):
    path = f"/v1/rooms/{private_room}/members/{eve.id}"
    assert ann.put(path).status_code == 204
    assert members(ann, private_room)[eve.id]["role"] == "member"
    assert eve.say(private_room)["user_id"] == eve.id
    assert ann.put(path).status_code == 204, "adding twice changes nothing"
    assert ann.put(path, {"role": "admin"}).status_code == 204
    assert members(ann, private_room)[eve.id]["role"] == "admin"


def test_remove_a_member(ann, bob, room):
    assert ann.delete(f"/v1/rooms/{room}/members/{bob.id}").status_code == 204
    refused(bob.get(f"/v1/rooms/{room}"), 403, "not_a_member")
    refused(bob.post_message(room), 403, "not_a_member")
    assert set(members(ann, room)) == {ann.id}
    answer = ann.delete(f"/v1/rooms/{room}/members/{bob.id}")
    assert answer.status_code == 204, "removing twice changes nothing"


def test_who_may_change_members(ann, bob, eve, new_user, room):
    carol = new_user()
    for user, code in ((bob, "forbidden"), (eve, "not_a_member")):
        refused(user.put(f"/v1/rooms/{room}/members/{carol.id}"), 403, code)
        refused(user.delete(f"/v1/rooms/{room}/members/{ann.id}"), 403, code)
    assert ann.put(f"/v1/rooms/{room}/members/{bob.id}", {"role": "admin"}).status_code == 204
    assert bob.put(f"/v1/rooms/{room}/members/{carol.id}").status_code == 204
    # An admin neither makes owners nor touches them.
    refused(bob.put(f"/v1/rooms/{room}/members/{carol.id}", {"role": "owner"}), 403, "forbidden")
    refused(bob.put(f"/v1/rooms/{room}/members/{ann.id}", {"role": "member"}), 403, "forbidden")
    refused(bob.delete(f"/v1/rooms/{room}/members/{ann.id}"), 403, "forbidden")
    assert bob.delete(f"/v1/rooms/{room}/members/{carol.id}").status_code == 204


@pytest.mark.parametrize("body", [{"role": "king"}, {"role": 1}, {"role": None}, [], "x"])
def test_bad_roles(ann, bob, room, body):
    answer = ann.call("PUT", f"/v1/rooms/{room}/members/{bob.id}", json=body)
    assert answer.status_code in {400, 422} or (
        body == {"role": None} and answer.status_code == 204
    )
    assert members(ann, room)[bob.id]["role"] == "member"


@pytest.mark.parametrize("user_id", ["123456789", "0", "-1", "x", "9" * 30])
def test_unknown_users(ann, room, user_id):
    refused(ann.put(f"/v1/rooms/{room}/members/{user_id}"), 404, "unknown_user")
    assert ann.delete(f"/v1/rooms/{room}/members/{user_id}").status_code in {204, 404}
    assert len(members(ann, room)) == 2


def test_nobody_is_added_to_a_dm(ann, bob, eve):
    room = ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id]}).json()["id"]
    refused(ann.put(f"/v1/rooms/{room}/members/{eve.id}"), 403, "forbidden")
    refused(eve.get(f"/v1/rooms/{room}"), 404, "unknown_room")


def test_members_are_paged(ann, new_user):
    others = [new_user() for _ in range(5)]
    room = ann.room(*others)
    seen, cursor = [], {}
    for size in (2, 2, 2):
        page = ann.got(f"/v1/rooms/{room}/members", limit=2, **cursor)
        assert len(page["members"]) == size
        seen += [m["user_id"] for m in page["members"]]
        cursor = {"cursor": page["next"]}
    assert cursor["cursor"] is None
    assert sorted(seen) == sorted([ann.id] + [o.id for o in others])


def test_live_member_events(ann, bob, eve, room):
    socket = bob.socket(room)
    eve.join(room)
    joined = socket.expect("member", user_id=eve.id, action="joined", role="member")
    assert ann.put(f"/v1/rooms/{room}/members/{eve.id}", {"role": "admin"}).status_code == 204
    role = socket.expect("member", user_id=eve.id, action="role", role="admin")
    assert role["prev_id"] == joined["id"]
    assert eve.post(f"/v1/rooms/{room}/leave").status_code == 200
    left = socket.expect("member", user_id=eve.id, action="left")
    eve.join(room)
    socket.expect("member", user_id=eve.id, action="joined")
    assert ann.delete(f"/v1/rooms/{room}/members/{eve.id}").status_code == 204
    removed = socket.expect("member", user_id=eve.id, action="removed")
    assert int(left["id"]) < int(removed["id"])


def test_nothing_is_told_when_nothing_changed(ann, bob, room):
    socket = bob.socket(room)
    assert bob.post(f"/v1/rooms/{room}/join").status_code == 200
    assert ann.put(f"/v1/rooms/{room}/members/{bob.id}").status_code == 204
    message = ann.say(room, "the next event")
    assert socket.expect("message")["message"] == message


def test_a_changed_room_is_told_to_its_members(ann, bob, room):
    socket = bob.socket(room)
    assert ann.patch(f"/v1/rooms/{room}", {"topic": "of the week"}).status_code == 200
    event = socket.expect("room", room_id=room)
    assert event["room"]["id"] == room and event["room"]["topic"] == "of the week"


def test_a_deleted_room_ends_its_subscriptions(ann, bob, room):
    socket = bob.socket(room)
    assert ann.delete(f"/v1/rooms/{room}").status_code == 204
    socket.expect("room", room_id=room)
    socket.refused("subscribe", "unknown_room", room_id=room)


def test_a_new_member_hears_of_it_without_a_subscription(ann, eve, private_room):
    socket = eve.socket()
    assert ann.put(f"/v1/rooms/{private_room}/members/{eve.id}").status_code == 204
    socket.expect("member", room_id=private_room, user_id=eve.id, action="joined")
    socket.subscribe(private_room)
