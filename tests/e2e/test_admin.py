"""Those who run the server: accounts, rooms, and who may call what."""

import sqlite3
import time

import pytest

from parley_client import of_ended_session, PASSWORD, refused

ROLES = {"user": 1, "moderator": 2, "admin": 3}


def give_role(server, user, role):
    """As another process beside the server would."""
    server.change_accounts(f"UPDATE users SET role = {ROLES[role]} WHERE id = {user.id}")
    return user


def go_through_administration(server, api, ann, bob, room):
    admin, victim = give_role(server, api.new_user(), "admin"), api.new_user()
    one = f"/v1/admin/users/{victim.id}"
    for path in ("/v1/admin/users", "/v1/admin/rooms", "/v1/admin/held", f"/v1/rooms/{room}/held"):
        for params in ({}, {"limit": 1}, {"limit": 0}):
            admin.get(path, **params)
        bob.get(path)
    said = ann.say(room)["id"]
    for user in (admin, bob):
        user.get("/v1/admin/server")
        for where, message in ((room, said), (room, 1), (1, said)):
            user.get(f"/v1/rooms/{where}/messages/{message}/trace")
        user.get(one)
        user.get("/v1/admin/users/1")
        user.patch(one, {"role": "moderator", "disabled": False})
        user.patch(one, {"role": "king"})
        user.post(f"{one}/sessions/revoke")
        for password in (PASSWORD, "short", 7):
            user.post(f"{one}/password", {"password": password})
        user.post(f"{one}/erase")
        user.get(f"/v1/admin/erasures/{victim.id}")
        user.get("/v1/admin/erasures/1")
    ann.patch(f"/v1/rooms/{room}", {"retention_days": 30})
    admin.patch(f"/v1/rooms/{room}", {"slow_mode_seconds": 0})
    ann.get(f"/v1/rooms/{room}")
    ann.patch(f"/v1/rooms/{room}", {"retention_days": None})
    held = admin_held(server, ann, bob, room)
    for path, verb in ((held[0], "approve"), (held[1], "reject")):
        bob.post(f"/v1/rooms/{room}/held/{path}/{verb}")
        ann.get(f"/v1/rooms/{room}/held")
        ann.post(f"/v1/rooms/{room}/held/{path}/{verb}")
        ann.post(f"/v1/rooms/{room}/held/{path}/{verb}")
    give_role(server, admin, "user")


def admin_held(server, ann, bob, room):
    """Two messages that wait, as the filter would leave them; their ids."""
    with sqlite3.connect(server.data / "parley.db", timeout=10) as database:
        for number in (1, 2):
            database.execute(
                "INSERT INTO held_messages (room_id, user_id, nonce, type, content, body_hash, "
                "words, state, created_at) VALUES (?, ?, ?, 1, 'a word', 7, 'word', 1, 1767323045678)",
                (room, bob.id, f"held {number} {room}"),
            )
    return [held["id"] for held in ann.got(f"/v1/rooms/{room}/held")["held"]]


@pytest.fixture
def admin(server, new_user):
    admin = give_role(server, new_user(), "admin")
    yield admin
    give_role(server, admin, "user")


@pytest.fixture
def moderator(server, new_user):
    return give_role(server, new_user(), "moderator")


def test_everybody_sees_their_own_role(ann, moderator, admin):
    assert [user.got("/v1/me")["role"] for user in (ann, moderator, admin)] == list(ROLES)


def test_users_are_found_by_name_and_email(admin, ann, bob):
    found = admin.got("/v1/admin/users", query=ann.name.upper())["users"]
    assert [user["id"] for user in found] == [ann.id]
    assert found[0]["email"] == ann.email and found[0]["disabled"] is False
    assert admin.got("/v1/admin/users", query=bob.email)["users"][0]["id"] == bob.id
    assert admin.got("/v1/admin/users", query="no such name")["users"] == []
    everybody = admin.all_pages("/v1/admin/users", "users", limit=7)
    ids = [int(user["id"]) for user in everybody]
    assert ids == sorted(set(ids)) and {int(ann.id), int(bob.id), int(admin.id)} <= set(ids)
    assert admin.got(f"/v1/admin/users/{ann.id}") == found[0]
    refused(admin.get("/v1/admin/users/1"), 404, "unknown_user")
    refused(admin.get("/v1/admin/users", cursor="x"), 422, "invalid_field")


def test_a_role_works_at_once_and_is_gone_at_once(admin, ann):
    refused(ann.get("/v1/admin/rooms"), 403, "forbidden")
    changed = admin.patch(f"/v1/admin/users/{ann.id}", {"role": "moderator"})
    assert changed.status_code == 200 and changed.json()["role"] == "moderator"
    assert ann.get("/v1/admin/rooms").status_code == 200
    refused(ann.get("/v1/admin/users"), 403, "forbidden")
    admin.patch(f"/v1/admin/users/{ann.id}", {"role": "user"})
    refused(ann.get("/v1/admin/rooms"), 403, "forbidden")


def test_a_disabled_user_is_out_at_once(admin, ann, api):
    socket = ann.socket()
    changed = admin.patch(f"/v1/admin/users/{ann.id}", {"disabled": True})
    assert changed.json()["disabled"] is True
    assert socket.expect_close(4501) is not None
    refused(of_ended_session(lambda: ann.get("/v1/me")), 401, "session_revoked")
    body = {"refresh_token": ann.refresh_token}
    refused(api.call("POST", "/v1/sessions/refresh", json=body), 401, "session_revoked")
    login = {"email": ann.email, "password": PASSWORD}
    refused(api.call("POST", "/v1/sessions", json=login), 401, "invalid_credentials")
    admin.patch(f"/v1/admin/users/{ann.id}", {"disabled": False})
    assert ann.sign_in_again().get("/v1/me").status_code == 200
    refused(of_ended_session(lambda: ann.get("/v1/me")), 401, "session_revoked")


def test_all_sessions_of_a_user_are_ended(admin, ann):
    second = ann.sign_in_again()
    sockets = [ann.socket(), second.socket()]
    assert admin.post(f"/v1/admin/users/{ann.id}/sessions/revoke").status_code == 204
    for socket in sockets:
        assert socket.expect_close(4501) is not None
    for user in (ann, second):
        refused(of_ended_session(lambda: user.get("/v1/me")), 401, "session_revoked")  # noqa: B023
    assert ann.sign_in_again().get("/v1/me").status_code == 200
    refused(admin.post("/v1/admin/users/1/sessions/revoke"), 404, "unknown_user")


def test_another_password_ends_all_sessions(admin, ann, api):
    socket = ann.socket()
    one = f"/v1/admin/users/{ann.id}/password"
    refused(admin.post(one, {"password": "short"}), 422, "invalid_password")
    refused(admin.post(one, {}), 422, "invalid_field")
    assert ann.get("/v1/me").status_code == 200
    assert admin.post(one, {"password": "another correct horse"}).status_code == 204
    assert socket.expect_close(4501) is not None
    refused(of_ended_session(lambda: ann.get("/v1/me")), 401, "session_revoked")
    login = {"email": ann.email, "password": PASSWORD}
    refused(api.call("POST", "/v1/sessions", json=login), 401, "invalid_credentials")
    login["password"] = "another correct horse"
    assert api.call("POST", "/v1/sessions", json=login).status_code == 201
    refused(admin.post("/v1/admin/users/1/password", {"password": PASSWORD}), 404, "unknown_user")


def test_sessions_that_another_process_has_ended_are_noticed(server, ann):
    socket = ann.socket()
    now = int(time.time() * 1000)
    server.change_accounts(f"UPDATE sessions SET revoked_at = {now} WHERE user_id = {ann.id}")
    assert socket.expect_close(4501) is not None
    refused(of_ended_session(lambda: ann.get("/v1/me")), 401, "session_revoked")


def test_the_last_admin_stays(make_server):
    server = make_server()
    ann, bob = server.api.new_user(), server.api.new_user()
    give_role(server, ann, "admin")
    one = f"/v1/admin/users/{ann.id}"
    refused(ann.patch(one, {"role": "user"}), 409, "last_admin")
    refused(ann.patch(one, {"disabled": True}), 409, "last_admin")
    refused(ann.post(one + "/erase"), 409, "last_admin")
    assert ann.patch(f"/v1/admin/users/{bob.id}", {"role": "admin"}).status_code == 200
    assert ann.patch(one, {"role": "user"}).status_code == 200
    refused(ann.get("/v1/admin/users"), 403, "forbidden")


@pytest.mark.parametrize("body", [{"role": "king"}, {"role": 3}, {"disabled": "yes"}, {"disabled": 1}])
def test_a_wrong_change_changes_nothing(admin, ann, body):
    refused(admin.patch(f"/v1/admin/users/{ann.id}", body), 422, "invalid_field")
    assert admin.got(f"/v1/admin/users/{ann.id}")["role"] == "user"


def test_moderators_see_all_groups(moderator, ann, bob):
    room = ann.room(bob, visibility="private", name=f"hidden {ann.name}")
    found = moderator.got("/v1/admin/rooms", query=ann.name)["rooms"]
    assert [each["id"] for each in found] == [room]
    refused(moderator.get(f"/v1/rooms/{room}/messages"), 404, "unknown_room")


def test_moderators_set_pace_and_retention_of_every_group(moderator, ann, bob):
    room = ann.room(bob, visibility="private", name=f"fast {ann.name}", topic="Soup")
    path = f"/v1/rooms/{room}"
    listener = bob.socket()
    listener.subscribe(room)
    answer = moderator.patch(path, {"slow_mode_seconds": 600, "retention_days": 30})
    assert answer.status_code == 200, answer.text
    assert "my_role" not in answer.json() and answer.json()["member_count"] == 2
    told = listener.expect("room")["room"]
    for seen in (answer.json(), told, ann.got(path)):
        assert (seen["slow_mode_seconds"], seen["retention_days"]) == (600, 30)
        assert (seen["name"], seen["topic"]) == (f"fast {ann.name}", "Soup")
    bob.say(room, "one")
    refused(bob.post_message(room, "two"), 429, "rate_limited")
    # Also as a plain member, and as an admin of the room, who owns it not.
    assert ann.put(f"{path}/members/{moderator.id}", {"role": "member"}).status_code == 204
    assert "retention_days" not in moderator.patch(path, {"retention_days": None}).json()
    assert ann.put(f"{path}/members/{moderator.id}", {"role": "admin"}).status_code == 204
    assert moderator.patch(path, {"retention_days": 7}).json()["retention_days"] == 7
    assert moderator.patch(path, {"topic": "Bread"}).json()["topic"] == "Bread"


@pytest.mark.parametrize("more", [{}, {"slow_mode_seconds": 5}])
@pytest.mark.parametrize("body", [{"name": "mine now"}, {"topic": ""}, {"visibility": "public"}])
def test_moderators_change_nothing_else_in_rooms_of_others(moderator, ann, body, more):
    shown = ann.room(visibility="public", topic="Soup")
    refused(moderator.patch(f"/v1/rooms/{shown}", {**body, **more}), 403, "not_a_member")
    room = ann.room(visibility="private", topic="Soup")
    path = f"/v1/rooms/{room}"
    before = ann.got(path)
    refused(moderator.patch(path, {**body, **more}), 404, "unknown_room")
    refused(moderator.delete(path), 404, "unknown_room")
    refused(moderator.get(path), 404, "unknown_room")
    for wrong in (-1, 21_601, "5"):
        refused(moderator.patch(path, {"slow_mode_seconds": wrong}), 422, "invalid_field")
    assert ann.got(path) == before


def test_who_does_not_moderate_the_server_sets_nothing(moderator, ann, bob, eve):
    room = ann.room(bob)
    dm = ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id]}).json()["id"]
    for body in ({"slow_mode_seconds": 5}, {"retention_days": 1}):
        refused(bob.patch(f"/v1/rooms/{room}", body), 403, "forbidden")
        refused(eve.patch(f"/v1/rooms/{room}", body), 403, "not_a_member")
        refused(moderator.patch(f"/v1/rooms/{dm}", body), 404, "unknown_room")
        refused(moderator.patch("/v1/rooms/1", body), 404, "unknown_room")


def test_what_is_in_force_is_told(make_server):
    server = make_server(
        environment={
            "PARLEY_LIMITS_ENABLED": "true",
            "PARLEY_LIMIT_SENDS_PER_USER": "1/m:2",
            "PARLEY_LIMIT_JOINS_PER_USER": "off",
            "PARLEY_RETENTION_DAYS": "30",
        }
    )
    ann = give_role(server, server.api.new_user(), "moderator")
    room = ann.room()
    for number in range(5):
        ann.post_message(room, f"number {number}")
    report = ann.got("/v1/admin/server")
    assert report["retention_days"] == 30
    assert f'version="{report["version"]}"' in server.api.http.get("/metrics").text
    limits = {each["name"]: each for each in report["limits"]}
    sends = limits["sends-per-user"]
    assert (round(sends["rate"] * 60, 6), sends["burst"]) == (1, 2)
    assert sends["refused"] == 3
    assert limits["joins-per-user"] == {
        "name": "joins-per-user", "rate": None, "burst": None, "refused": 0
    }


CALLS = [
    ("GET", "/v1/admin/users", "admin"),
    ("GET", "/v1/admin/users/{user}", "admin"),
    ("PATCH", "/v1/admin/users/{user}", "admin"),
    ("POST", "/v1/admin/users/{user}/sessions/revoke", "admin"),
    ("POST", "/v1/admin/users/{user}/password", "admin"),
    ("POST", "/v1/admin/users/{user}/erase", "admin"),
    ("GET", "/v1/admin/erasures/{user}", "admin"),
    ("GET", "/v1/admin/rooms", "moderator"),
    ("GET", "/v1/admin/held", "moderator"),
    ("GET", "/v1/admin/server", "moderator"),
]


@pytest.mark.parametrize("method, path, least", CALLS)
def test_attack_15_who_has_not_the_role_is_refused(
    server, api, new_user, ann, moderator, method, path, least
):
    """Each call by nobody, a user, a room's owner, a moderator, and an admin who was disabled."""
    ann.room()
    victim = new_user()
    path = path.format(user=victim.id)
    body = {"json": {}} if method != "GET" else {}
    refused(api.call(method, path, **body), 401, "unauthorized")
    refused(ann.call(method, path, **body), 403, "forbidden")
    if least == "admin":
        refused(moderator.call(method, path, **body), 403, "forbidden")
    else:
        assert moderator.call(method, path, **body).status_code < 300
    gone = give_role(server, new_user(), "admin")
    server.change_accounts(f"UPDATE users SET disabled = 1 WHERE id = {gone.id}")
    refused(gone.call(method, path, **body), 401, "session_revoked")
    assert victim.get("/v1/me").status_code == 200, "nothing was done to the victim"


def test_attack_16_nobody_gives_themselves_a_role(api, ann):
    ann.patch("/v1/me", {"role": "admin", "disabled": False})
    assert ann.got("/v1/me")["role"] == "user"
    assert api.new_user(role="admin").got("/v1/me")["role"] == "user"


def test_held_messages_are_for_those_who_moderate_the_room(ann, bob, eve, moderator, room):
    path = f"/v1/rooms/{room}/held"
    assert ann.got(path) == {"held": [], "next": None}
    assert moderator.got(path) == {"held": [], "next": None}
    assert moderator.got("/v1/admin/held")["next"] is None
    refused(bob.get(path), 403, "forbidden")
    refused(eve.get(path), 403, "not_a_member")
    refused(moderator.get("/v1/rooms/1/held"), 404, "unknown_room")
    for verb in ("approve", "reject"):
        refused(ann.post(f"{path}/1/{verb}"), 404, "unknown_message")
        refused(bob.post(f"{path}/1/{verb}"), 403, "forbidden")
        refused(eve.post(f"{path}/1/{verb}"), 403, "not_a_member")
