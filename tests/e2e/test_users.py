"""Accounts and sessions over REST."""

import re
import threading

import pytest

from parley_client import of_ended_session, PASSWORD, refused, unique

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
ID = re.compile(r"^[1-9]\d{0,18}$")


def is_session(session, username, email):
    assert set(session) >= {"user", "access_token", "refresh_token", "expires_in"}
    user = session["user"]
    assert user["username"] == username and user["email"] == email
    assert ID.match(user["id"]) and TIME.match(user["created_at"])
    assert isinstance(session["expires_in"], int) and session["expires_in"] > 0
    assert "password" not in str(session)


def test_sign_up(api):
    name = unique()
    answer = api.sign_up(name, f"{name}@example.org")
    assert answer.status_code == 201
    is_session(answer.json(), name, f"{name}@example.org")


@pytest.mark.parametrize(
    "username", ["abc", "a" * 20, "with_dot.and-dash", "Größe", "写真家", "a1b"]
)
def test_usernames_of_many_kinds(api, username):
    username = (username[:14] + unique("")[:6])[:20]
    answer = api.sign_up(username, f"{unique()}@example.org")
    assert answer.status_code == 201, answer.text
    assert answer.json()["user"]["username"] == username


@pytest.mark.parametrize(
    "username", ["", "ab", "a" * 21, "a b c", "a/b/c", "abc!", "abc\n", " abc", "a@b", "😀😀😀"]
)
def test_bad_usernames(api, username):
    refused(api.sign_up(username or " ", f"{unique()}@example.org"), 422, "invalid_username")
    body = {"username": username, "email": f"{unique()}@example.org", "password": PASSWORD}
    refused(api.call("POST", "/v1/users", json=body), 422, "invalid_username")


@pytest.mark.parametrize(
    "email",
    [
        "",
        "plain",
        "@example.org",
        "a@",
        "a@b",
        "a b@example.org",
        "a@@example.org",
        "a@.org",
        "a" * 250 + "@example.org",
        "a@example.org\r\nBcc: b@example.org",
    ],
)
def test_bad_emails(api, email):
    body = {"username": unique(), "email": email, "password": PASSWORD}
    refused(api.call("POST", "/v1/users", json=body), 422, "invalid_email")


@pytest.mark.parametrize("password", ["", "1234567", "x" * 129])
def test_bad_passwords(api, password):
    body = {"username": unique(), "email": f"{unique()}@example.org", "password": password}
    refused(api.call("POST", "/v1/users", json=body), 422, "invalid_password")


@pytest.mark.parametrize("password", ["12345678", "x" * 128, "пароль-из-букв", "🔑" * 8])
def test_passwords_at_the_bounds(api, password):
    name = unique()
    assert api.sign_up(name, password=password).status_code == 201
    body = {"username": name, "password": password}
    assert api.call("POST", "/v1/sessions", json=body).status_code == 201


def test_taken_names_are_found_in_any_case(api):
    name = unique("Name")
    assert api.sign_up(name).status_code == 201
    refused(api.sign_up(name, f"{unique()}@example.org"), 409, "username_taken")
    refused(api.sign_up(name.swapcase(), f"{unique()}@example.org"), 409, "username_taken")
    refused(api.sign_up(unique(), f"{name}@example.org".upper()), 409, "email_taken")


def test_a_refused_sign_up_leaves_nothing(api):
    name, email = unique(), f"{unique()}@example.org"
    refused(api.sign_up(name, email, password="short"), 422, "invalid_password")
    assert api.sign_up(name, email).status_code == 201


@pytest.mark.parametrize("field", ["username", "email", "password"])
@pytest.mark.parametrize("value", [None, 7, True, ["x"], {"x": 1}, "absent"])
def test_fields_of_a_wrong_type(api, field, value):
    body = {"username": unique(), "email": f"{unique()}@example.org", "password": PASSWORD}
    if value == "absent":
        del body[field]
    else:
        body[field] = value
    answer = api.call("POST", "/v1/users", json=body)
    assert answer.status_code in {400, 422}, answer.text


def test_sign_in_by_email_and_by_username(api, ann):
    for who in ({"email": ann.email}, {"username": ann.name}, {"email": ann.email.upper()}):
        answer = api.call("POST", "/v1/sessions", json={**who, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        is_session(answer.json(), ann.name, ann.email)
        assert answer.json()["user"]["id"] == ann.id


def test_wrong_password_and_unknown_user_look_alike(api, ann):
    answers = [
        api.call("POST", "/v1/sessions", json=body)
        for body in (
            {"email": ann.email, "password": "not the password"},
            {"email": f"{unique()}@example.org", "password": "not the password"},
            {"username": unique(), "password": "not the password"},
        )
    ]
    for answer in answers:
        refused(answer, 401, "invalid_credentials")
    assert len({answer.text for answer in answers}) == 1


def test_refresh_gives_a_new_pair(api, ann):
    answer = api.call("POST", "/v1/sessions/refresh", json={"refresh_token": ann.refresh_token})
    assert answer.status_code == 200, answer.text
    pair = answer.json()
    assert pair["refresh_token"] != ann.refresh_token
    assert api.call("GET", "/v1/me", pair["access_token"]).json()["id"] == ann.id


def test_a_refresh_token_used_twice_ends_the_session(api, ann):
    other_session = ann.sign_in_again()
    first = api.call("POST", "/v1/sessions/refresh", json={"refresh_token": ann.refresh_token})
    stolen = api.call("POST", "/v1/sessions/refresh", json={"refresh_token": ann.refresh_token})
    refused(stolen, 401, "token_reused")
    newest = first.json()["refresh_token"]
    answer = api.call("POST", "/v1/sessions/refresh", json={"refresh_token": newest})
    assert answer.status_code == 401, "the thief's session went on"
    token = first.json()["access_token"]
    refused(of_ended_session(lambda: api.call("GET", "/v1/me", token)), 401)
    refused(of_ended_session(lambda: ann.get("/v1/me")), 401)
    assert other_session.get("/v1/me").status_code == 200, "another session is not concerned"


def test_refresh_twice_at_once_has_one_winner_at_most(api, ann):
    answers = []

    def refresh():
        body = {"refresh_token": ann.refresh_token}
        answers.append(api.call("POST", "/v1/sessions/refresh", json=body))

    threads = [threading.Thread(target=refresh) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.status_code for a in answers].count(200) == 1


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "x" * 3000])
def test_bad_refresh_tokens(api, token):
    answer = api.call("POST", "/v1/sessions/refresh", json={"refresh_token": token})
    assert answer.status_code in {401, 422}, answer.text


def test_log_out(api, ann):
    other_session = ann.sign_in_again()
    assert ann.delete("/v1/sessions/current").status_code == 204
    refused(of_ended_session(lambda: ann.get("/v1/me")), 401)
    refused(
        api.call("POST", "/v1/sessions/refresh", json={"refresh_token": ann.refresh_token}), 401
    )
    refused(of_ended_session(lambda: ann.delete("/v1/sessions/current")), 401)
    assert other_session.get("/v1/me").status_code == 200


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic YTpi", "Bearer nonsense"])
def test_calls_without_a_token(api, header):
    headers = {} if header is None else {"Authorization": header}
    for method, path in (
        ("GET", "/v1/me"),
        ("GET", "/v1/rooms"),
        ("DELETE", "/v1/sessions/current"),
    ):
        answer = api.call(method, path, headers=headers)
        refused(answer, 401, "unauthorized")
        assert "bearer" in answer.headers.get("www-authenticate", "").lower()


def test_me(ann):
    me = ann.got("/v1/me")
    assert me["id"] == ann.id and me["username"] == ann.name and me["email"] == ann.email


def test_change_me(ann, api):
    name = unique("new")
    answer = ann.patch("/v1/me", {"username": name, "display_name": "Ann of Green Gables"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["username"] == name
    assert ann.got("/v1/me")["display_name"] == "Ann of Green Gables"
    assert (
        api.call("POST", "/v1/sessions", json={"username": name, "password": PASSWORD}).status_code
        == 201
    )
    # Only what is sent changes.
    assert ann.patch("/v1/me", {}).json()["username"] == name
    assert ann.got("/v1/me")["display_name"] == "Ann of Green Gables"


def test_change_me_to_what_is_not_allowed(ann, bob):
    refused(ann.patch("/v1/me", {"username": bob.name.upper()}), 409, "username_taken")
    refused(ann.patch("/v1/me", {"username": "a b"}), 422, "invalid_username")
    refused(ann.patch("/v1/me", {"display_name": "x" * 51}), 422)
    assert ann.patch("/v1/me", {"display_name": 7}).status_code in {400, 422}
    assert ann.got("/v1/me")["username"] == ann.name
    # One's own name in another case is no clash.
    assert ann.patch("/v1/me", {"username": ann.name.upper()}).status_code == 200


def test_an_old_name_is_free_again(api, ann):
    old = ann.name
    assert ann.patch("/v1/me", {"username": unique()}).status_code == 200
    assert api.sign_up(old, f"{unique()}@example.org").status_code == 201
