"""A user of v1, made of httpx and websockets: nothing of it is the project's own code.

Every answer is held to the rules that all answers have in common (see Api.call), so that no test
has to repeat them.
"""

import collections
import itertools
import json
import os
import secrets
import time

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)
_mark = secrets.token_hex(2)

TRANSIENT = {"presence", "receipt", "typing"}


def unique(prefix="u"):
    return f"{prefix}{_mark}{next(_numbers)}"


def new_nonce():
    """A UUIDv7."""
    ms = time.time_ns() // 1_000_000
    tail = secrets.token_hex(9)
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{tail[:3]}-8{tail[3:6]}-{tail[6:]}"


class Api:
    def __init__(self, server, **client_options):
        self.server = server
        options = {"timeout": 15, "trust_env": False, **client_options}
        self.http = httpx.Client(base_url=server.url, **options)

    def close(self):
        self.http.close()

    def call(self, method, path, token=None, *, headers=None, may_fail=False, **options):
        headers = dict(headers or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        answer = self.http.request(method, path, headers=headers, **options)
        check_every_answer(answer, path, may_fail)
        return answer

    def sign_up(self, username=None, email=None, password=PASSWORD, **more):
        username = username or unique()
        email = email or f"{username}@example.org"
        body = {"username": username, "email": email, "password": password, **more}
        return self.call("POST", "/v1/users", json=body)

    def new_user(self, **fields):
        answer = self.sign_up(**fields)
        assert answer.status_code == 201, answer.text
        return User(self, answer.json(), fields.get("password", PASSWORD))


def check_every_answer(answer, path, may_fail=False):
    """No 5xx for any input, one form of errors, nothing cacheable, no cookies."""
    assert may_fail or answer.status_code < 500, f"{answer.request.method} {path}: {answer.text}"
    assert "set-cookie" not in answer.headers
    if not path.startswith("/v1"):
        return
    assert answer.headers.get("cache-control") == "no-store", dict(answer.headers)
    if answer.status_code == 204:
        assert answer.content == b""
    elif answer.status_code >= 400:
        assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
        problem = answer.json()
        assert {"type", "title", "status", "detail", "code"} <= set(problem), problem
        assert problem["status"] == answer.status_code
        assert problem["code"] == problem["code"].lower() and " " not in problem["code"]
    else:
        assert answer.headers["content-type"].split(";")[0] == "application/json"


# One server knows at once that a session has ended; the other nodes of a cluster hear of it.
HEARD_WITHIN_S = 0 if os.environ.get("PARLEY_TARGET", "embedded") == "embedded" else 2


def of_ended_session(call):
    """What a call answers in a session that has just ended."""
    deadline = time.monotonic() + HEARD_WITHIN_S
    while True:
        answer = call()
        if answer.status_code == 401 or time.monotonic() >= deadline:
            return answer
        time.sleep(0.02)


def refused(answer, status, code=None):
    """Asserts a problem; `code` may be a set."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}, not {status}"
    if code is not None:
        codes = {code} if isinstance(code, str) else code
        assert answer.json()["code"] in codes, answer.text
    return answer.json()


class User:
    def __init__(self, api, session, password=PASSWORD):
        self.api = api
        self.password = password
        self.take(session)
        self.sockets = []

    def take(self, session):
        self.user = session["user"]
        self.id = self.user["id"]
        self.name = self.user["username"]
        self.email = self.user["email"]
        self.token = session["access_token"]
        self.refresh_token = session["refresh_token"]

    def sign_in_again(self):
        """Another session of the same person."""
        body = {"email": self.email, "password": self.password}
        answer = self.api.call("POST", "/v1/sessions", json=body)
        assert answer.status_code == 201, answer.text
        return User(self.api, answer.json(), self.password)

    def call(self, method, path, **options):
        return self.api.call(method, path, self.token, **options)

    def get(self, path, **params):
        return self.call("GET", path, params=params or None)

    def got(self, path, **params):
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, body=None, **options):
        return self.call("POST", path, json={} if body is None else body, **options)

    def put(self, path, body=None):
        return self.call("PUT", path, json={} if body is None else body)

    def patch(self, path, body):
        return self.call("PATCH", path, json=body)

    def delete(self, path):
        return self.call("DELETE", path)

    # --- rooms
    def room(self, *others, name=None, **fields):
        """A new group with these members; its id."""
        body = {"name": name or unique("room "), "kind": "group", "visibility": "public", **fields}
        if others:
            body["member_ids"] = [other.id for other in others]
        answer = self.post("/v1/rooms", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def join(self, room):
        answer = self.post(f"/v1/rooms/{room}/join")
        assert answer.status_code == 200, answer.text

    # --- messages
    def post_message(self, room, content="hello", nonce=None, type="TEXT", **more):
        body = {"nonce": nonce or new_nonce(), "type": type, "content": content, **more}
        return self.post(f"/v1/rooms/{room}/messages", body)

    def say(self, room, content="hello", **more):
        """Posts over REST; the message."""
        answer = self.post_message(room, content, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def history(self, room, **params):
        return self.got(f"/v1/rooms/{room}/messages", **params)["messages"]

    def contents(self, room):
        """All of a room, oldest first."""
        return [message["content"] for message in self.whole_history(room)]

    def whole_history(self, room):
        """Every message, oldest first."""
        return self.all_pages(f"/v1/rooms/{room}/messages", "messages", "before")[::-1]

    def all_pages(self, path, key, cursor="cursor", limit=100):
        entries, params = [], {"limit": limit}
        for _ in range(1000):
            page = self.got(path, **params)
            entries += page[key]
            if page["next"] is None:
                return entries
            params[cursor] = page["next"]
        raise AssertionError("the pages never end")

    # --- sockets
    def socket(self, *rooms, how="header", **options):
        socket = Socket(self.api.server, self.token, how=how, **options)
        self.sockets.append(socket)
        socket.welcome = socket.expect("welcome")
        for room in rooms:
            socket.subscribe(room)
        return socket

    def close(self):
        for socket in self.sockets:
            socket.close()


class Socket:
    """One connection to /v1/ws. expect() skips what is transient, unless it is asked for."""

    def __init__(self, server, token=None, how="header", **options):
        headers = {}
        subprotocols = ["parley.v1"]
        if how == "header" and token is not None:
            headers["Authorization"] = f"Bearer {token}"
        elif how == "subprotocol":
            subprotocols.append(f"bearer.{token}")
        headers.update(options.pop("additional_headers", {}))
        settings = {
            "additional_headers": headers,
            "subprotocols": subprotocols,
            "compression": None,
            "max_size": None,
            "max_queue": None,
            "ping_interval": None,
            "close_timeout": 2,
            "proxy": None,
            **options,
        }
        self.connection = connect(server.ws_url, **settings).__enter__()  # close() leaves
        self.refs = itertools.count(1)
        self.log = collections.deque(maxlen=1000)

    def close(self):
        self.connection.close()

    def send(self, op, **fields):
        self.send_raw(json.dumps({"op": op, **fields}))

    def send_raw(self, text):
        self.connection.send(text)

    def receive(self, timeout=5):
        self.log.append(json.loads(self.connection.recv(timeout=timeout)))
        return self.log[-1]

    def expect(self, op, timeout=5, skip=TRANSIENT, **fields):
        """The next frame, which must be this one."""
        end = time.monotonic() + timeout
        while True:
            try:
                frame = self.receive(max(0.01, end - time.monotonic()))
            except TimeoutError:
                raise AssertionError(f"no {op} {fields or ''} within {timeout} s") from None
            if frame["op"] == op and all(frame.get(k) == v for k, v in fields.items()):
                return frame
            assert frame["op"] in skip, f"expected {op} {fields}, got {frame}"

    def ask(self, op, answer, timeout=5, skip=TRANSIENT, **fields):
        """Sends with a ref, and waits for the answer with that ref."""
        ref = f"r{next(self.refs)}"
        self.send(op, ref=ref, **fields)
        return self.expect(answer, timeout, skip, ref=ref)

    def refused(self, op, code, **fields):
        """The error that this op gets."""
        error = self.ask(op, "error", **fields)
        codes = {code} if isinstance(code, str) else code
        assert error["code"] in codes, error
        assert error["detail"]
        return error

    def subscribe(self, room, **fields):
        return self.ask("subscribe", "subscribed", room_id=room, **fields)

    def say(self, room, content="hello", nonce=None, **more):
        """Sends a message; the `sent` frame."""
        nonce = nonce or new_nonce()
        fields = {"room_id": room, "nonce": nonce, "type": "TEXT", "content": content, **more}
        sent = self.ask("send", "sent", **fields)
        assert sent["nonce"] == nonce and sent["room_id"] == room
        return sent

    def quiet(self, seconds=0.3, skip=frozenset()):
        """Asserts that nothing comes, but what is skipped."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                frame = self.receive(left)
            except TimeoutError:
                return
            assert frame["op"] in skip, f"unexpected {frame}"

    def alive(self):
        """The connection still answers."""
        return self.ask("ping", "pong", skip=TRANSIENT | {"error"})

    def expect_close(self, code, timeout=5, skip=None):
        """Waits for the close; frames before it are skipped (only those named, if any are)."""
        end = time.monotonic() + timeout
        frames = []
        while True:
            try:
                frame = self.receive(max(0.01, end - time.monotonic()))
            except ConnectionClosed as closed:
                got = closed.rcvd.code if closed.rcvd else None
                assert got == code, f"closed with {got}, not {code}"
                return frames
            assert skip is None or frame["op"] in skip, f"unexpected {frame}"
            frames.append(frame)
