"""A person's own sessions: seen, and ended."""

import pytest

from parley_client import of_ended_session, refused, User
from test_users import TIME

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def log_in(api, ann, agent):
    body = {"email": ann.email, "password": ann.password}
    answer = api.call("POST", "/v1/sessions", json=body, headers={"User-Agent": agent})
    assert answer.status_code == 201, answer.text
    return User(api, answer.json(), ann.password)


def sessions_of(user, **params):
    return user.got("/v1/me/sessions", **params)["sessions"]


def test_sessions_tell_where_i_am_logged_in(api, ann, bob):
    laptop = log_in(api, ann, FIREFOX)
    first, second = reversed(sessions_of(laptop))
    assert second["user_agent"] == FIREFOX and second["current"] is True
    assert first["current"] is False and first["user_agent"].startswith("python-httpx")
    assert [each["current"] for each in sessions_of(ann)] == [False, True]
    for each in (first, second):
        assert TIME.match(each["created_at"]) and TIME.match(each["last_used_at"])
        assert each["address"]
        assert set(each) == {"id", "created_at", "last_used_at", "user_agent", "address", "current"}
    assert [each["id"] for each in sessions_of(bob)] != [first["id"]] and len(sessions_of(bob)) == 1
    refused(api.call("GET", "/v1/me/sessions"), 401, "unauthorized")


def test_a_refresh_is_a_use(api, ann):
    before = sessions_of(ann)[0]
    assert before["last_used_at"] == before["created_at"]
    fresh = {"refresh_token": ann.refresh_token}
    pair = api.call("POST", "/v1/sessions/refresh", json=fresh)
    assert pair.status_code == 200
    after = sessions_of(ann)[0]
    assert after["id"] == before["id"] and after["created_at"] == before["created_at"]
    assert after["last_used_at"] > before["last_used_at"]


def test_they_come_in_pages(api, ann):
    for _ in range(4):
        ann.sign_in_again()
    found, cursor = [], {}
    while True:
        page = ann.got("/v1/me/sessions", limit=2, **cursor)
        found += page["sessions"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(found) == 5
    ids = [int(each["id"]) for each in found]
    assert ids == sorted(ids, reverse=True), "the newest first"
    refused(ann.get("/v1/me/sessions", cursor="x"), 422, "invalid_field")


@pytest.mark.parametrize("agent", ["x" * 1000, "a\tb", "Größe"])
def test_what_a_client_calls_itself_is_bounded(api, ann, agent):
    session = sessions_of(log_in(api, ann, agent.encode()))[0]
    shown = session["user_agent"]
    assert len(shown) <= 256 and shown.isascii() and shown.isprintable()


def test_i_end_one_of_my_sessions(api, ann):
    other = log_in(api, ann, FIREFOX)
    sockets = {"other": other.socket(), "mine": ann.socket()}
    ended = next(each for each in sessions_of(ann) if not each["current"])
    assert ann.delete(f"/v1/me/sessions/{ended['id']}").status_code == 204
    assert sockets["other"].expect_close(4501) is not None
    refused(of_ended_session(lambda: other.get("/v1/me")), 401, "session_revoked")
    body = {"refresh_token": other.refresh_token}
    refused(api.call("POST", "/v1/sessions/refresh", json=body), 401, "session_revoked")
    assert [each["current"] for each in sessions_of(ann)] == [True]
    assert sockets["mine"].ask("ping", "pong"), "the other one goes on"
    refused(ann.delete(f"/v1/me/sessions/{ended['id']}"), 404, "unknown_session")


def test_i_may_end_the_one_that_i_am_in(ann):
    socket = ann.socket()
    mine = sessions_of(ann)[0]["id"]
    assert ann.delete(f"/v1/me/sessions/{mine}").status_code == 204
    assert socket.expect_close(4501) is not None
    refused(of_ended_session(lambda: ann.get("/v1/me")), 401, "session_revoked")


def test_nobody_ends_or_sees_those_of_another(ann, bob):
    mine = sessions_of(ann)[0]["id"]
    for path in (mine, "1", "x", "0", "9" * 30):
        refused(bob.delete(f"/v1/me/sessions/{path}"), 404, "unknown_session")
    assert mine not in [each["id"] for each in sessions_of(bob)]
    assert bob.delete("/v1/me/sessions").status_code == 204
    assert ann.get("/v1/me").status_code == 200


def test_i_log_out_everywhere_else(api, ann):
    others = [log_in(api, ann, FIREFOX) for _ in range(2)]
    sockets = [other.socket() for other in others]
    assert ann.delete("/v1/me/sessions").status_code == 204
    for socket in sockets:
        assert socket.expect_close(4501) is not None
    for other in others:
        refused(of_ended_session(lambda: other.get("/v1/me")), 401, "session_revoked")  # noqa: B023
    assert len(sessions_of(ann)) == 1
    assert ann.delete("/v1/me/sessions").status_code == 204


def test_people_are_known_by_name_only(api, ann, bob):
    ann.patch("/v1/me", {"display_name": "Ann B."})
    found = bob.got("/v1/users", ids=f"{ann.id},1,{bob.id},{ann.id}")["users"]
    by_id = {each["id"]: each for each in found}
    assert len(found) == 2
    assert by_id[ann.id] == {"id": ann.id, "username": ann.name, "display_name": "Ann B."}
    assert by_id[bob.id] == {"id": bob.id, "username": bob.name}
    for bad in ("", ",", "x", f"{ann.id},", ",".join(str(n) for n in range(1, 102))):
        refused(bob.get("/v1/users", ids=bad), 422, "invalid_field")
    refused(bob.get("/v1/users"), 422, "invalid_field")
    refused(api.call("GET", "/v1/users", params={"ids": ann.id}), 401, "unauthorized")
    room = ann.room(bob)
    members = bob.got(f"/v1/rooms/{room}/members")["members"]
    assert {each["user_id"]: each.get("display_name") for each in members} == {ann.id: "Ann B.", bob.id: None}


def test_a_password_is_changed_by_who_has_it(api, ann):
    laptop, before = log_in(api, ann, FIREFOX), ann.password
    socket = ann.socket()
    body = {"current_password": before, "password": "a better horse"}
    wrong = {**body, "current_password": "not this one"}
    refused(laptop.post("/v1/me/password", wrong), 403, "forbidden")
    refused(laptop.post("/v1/me/password", {**body, "password": "short"}), 422, "invalid_password")
    refused(laptop.post("/v1/me/password", {"password": "a better horse"}), 422, "invalid_field")
    refused(api.call("POST", "/v1/me/password", json=body), 401, "unauthorized")
    assert len(sessions_of(ann)) == 2, "nothing has changed"
    assert laptop.post("/v1/me/password", body).status_code == 204
    assert [each["current"] for each in sessions_of(laptop)] == [True]
    assert socket.expect_close(4501) is not None
    refused(of_ended_session(lambda: ann.get("/v1/me")), 401, "session_revoked")
    name = {"email": ann.email}
    refused(api.call("POST", "/v1/sessions", json={**name, "password": before}), 401, "invalid_credentials")
    again = api.call("POST", "/v1/sessions", json={**name, "password": "a better horse"})
    assert again.status_code == 201
