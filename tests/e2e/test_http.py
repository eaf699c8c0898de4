"""What is common to all calls: unknown paths, methods, bodies, and the pages beside the API."""

import json

import pytest

from parley_client import new_nonce, refused

ROUTES = {
    "/v1/users": {"GET", "POST"},
    "/v1/sessions": {"POST"},
    "/v1/sessions/refresh": {"POST"},
    "/v1/sessions/current": {"DELETE"},
    "/v1/me": {"GET", "PATCH"},
    "/v1/me/sessions": {"GET", "DELETE"},
    "/v1/me/sessions/1": {"DELETE"},
    "/v1/me/password": {"POST"},
    "/v1/me/avatar": {"POST"},
    "/v1/rooms": {"GET", "POST"},
    "/v1/rooms/directory": {"GET"},
    "/v1/rooms/1": {"GET", "PATCH", "DELETE"},
    "/v1/rooms/1/join": {"POST"},
    "/v1/rooms/1/leave": {"POST"},
    "/v1/rooms/1/members": {"GET"},
    "/v1/rooms/1/members/2": {"PUT", "DELETE"},
    "/v1/rooms/1/messages": {"GET", "POST"},
    "/v1/rooms/1/messages/2": {"PATCH", "DELETE"},
    "/v1/rooms/1/messages/2/reactions/x": {"PUT", "DELETE"},
    "/v1/rooms/1/read": {"PUT"},
    "/healthz": {"GET"},
    "/readyz": {"GET"},
    "/openapi.json": {"GET"},
    "/asyncapi.json": {"GET"},
    "/docs": {"GET"},
    "/": {"GET"},
}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


INSIDE = pytest.param("/metrics", marks=pytest.mark.embedded_only("Nginx keeps it inside"))


@pytest.mark.parametrize("path", [*ROUTES, INSIDE])
def test_another_method_is_405_with_allow(ann, path):
    methods = ROUTES.get(path, {"GET"})
    for method in METHODS - methods:
        answer = ann.call(method, path)
        refused(answer, 405, "method_not_allowed")
        allowed = {m.strip() for m in answer.headers["allow"].split(",")}
        assert methods <= allowed and not allowed & (METHODS - methods)


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v2/users",
        "/v1/user",
        "/v1/users/",
        "/v1/rooms/1/",
        "/v1/rooms/1/x",
        "/v1/rooms/1/messages/2/x",
        "/x",
        "/.git/config",
        "/v1/me/x",
        "//v1/me",
        "/V1/ME",
    ],
)
def test_unknown_paths(ann, path):
    answer = ann.api.http.get(
        ann.api.server.url + path, headers={"Authorization": f"Bearer {ann.token}"}
    )
    assert answer.status_code == 404, answer.text
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("room", ["x", "0", "-1", "01", "1e3", "9" * 30, "%31x", "1 "])
def test_what_is_no_id_is_an_unknown_room(ann, room):
    refused(ann.get(f"/v1/rooms/{room}/messages"), 404)
    refused(ann.post_message(room), 404)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"{",
        b"[]",
        b"5",
        b"null",
        b'"x"',
        b"{}{}",
        b"{'a':1}",
        b'{"nonce":"\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"nonce":"a","nonce":"b"}',
        b"{}" + b"\x00",
        b"[" * 5000,
    ],
)
def test_bodies_that_are_no_json_object(ann, room, body):
    answer = ann.call(
        "POST",
        f"/v1/rooms/{room}/messages",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    refused(answer, {400: 400}.get(answer.status_code, 422))
    assert ann.history(room) == []


def test_a_body_over_64_kib(ann, room):
    body = {"nonce": new_nonce(), "type": "TEXT", "content": "x", "pad": ""}
    body["pad"] = "x" * (65536 - len(json.dumps(body)))
    assert (
        ann.call(
            "POST",
            f"/v1/rooms/{room}/messages",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        ).status_code
        == 201
    )
    body["pad"] += "x"
    answer = ann.call(
        "POST",
        f"/v1/rooms/{room}/messages",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    refused(answer, 413, "payload_too_large")
    assert len(ann.history(room)) == 1


def test_head_is_get_without_a_body(http):
    answer = http.head("/healthz")
    assert answer.status_code in {200, 405} and answer.content == b""


@pytest.mark.embedded_only("reads /metrics, which Nginx keeps inside")
def test_the_pages_beside_the_api(http):
    for path, kind in (
        ("/healthz", None),
        ("/readyz", None),
        ("/metrics", "text/plain"),
        ("/openapi.json", "application/json"),
        ("/asyncapi.json", "application/json"),
        ("/docs", "text/html"),
        ("/", "text/html"),
    ):
        answer = http.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text[:200]}"
        if kind:
            assert answer.headers["content-type"].startswith(kind), path
        assert answer.headers.get("x-content-type-options") == "nosniff", path


@pytest.mark.embedded_only("reads /metrics, which Nginx keeps inside")
def test_metrics_are_prometheus_text(http, ann, room):
    ann.socket(room).say(room)
    lines = http.get("/metrics").text.splitlines()
    samples = [line for line in lines if line and not line.startswith("#")]
    assert samples and all(len(line.rsplit(" ", 1)) == 2 for line in samples)
    for line in samples:
        float(line.rsplit(" ", 1)[1])
    assert any(line.startswith("# TYPE parley_") for line in lines)


def test_keep_alive_and_close(wire):
    connection = wire()
    for _ in range(3):
        assert connection.request("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 200
    status, headers, _ = connection.request(
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert status == 200 and headers.get("connection", "").lower() == "close"
    assert connection.ended(3)


def test_pipelined_requests_are_answered_in_order(wire, ann):
    connection = wire()
    one = f"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ann.token}\r\n\r\n"
    connection.send(one + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + one)
    assert [connection.response()[0] for _ in range(3)] == [200, 200, 200]


def test_a_body_in_chunks(wire, ann, room):
    body = json.dumps({"nonce": new_nonce(), "type": "TEXT", "content": "in chunks"}).encode()
    chunks = (
        b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:]))
        + b"0\r\n\r\n"
    )
    head = (
        f"POST /v1/rooms/{room}/messages HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {ann.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    assert wire().request(head.encode() + chunks)[0] == 201


def test_a_request_byte_by_byte(wire):
    connection = wire()
    for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n":
        connection.send(bytes([byte]))
    assert connection.response()[0] == 200


def test_expect_100_continue(wire, ann, room):
    body = json.dumps({"nonce": new_nonce(), "type": "TEXT", "content": "after 100"})
    head = (
        f"POST /v1/rooms/{room}/messages HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {ann.token}\r\n"
        "Content-Type: application/json\r\nExpect: 100-continue\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection = wire()
    connection.send(head)
    status = connection.response()[0]
    if status == 100:
        connection.send(body)
        status = connection.response()[0]
    assert status in {201, 417}
