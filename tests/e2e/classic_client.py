"""A client of the Go application that Parley replaces, as it is out there: ids are numbers, the token is a header,
joinroom is a GET with a body, and one socket is one room."""

import json
import time
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from parley_client import PASSWORD, unique

PATH = "/ws/user/joinRoom"


def refused(answer, status):
    """Asserts an error of the classic shape; its text."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}, not {status}"
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert set(answer.json()) == {"error"}, answer.text
    assert isinstance(answer.json()["error"], str) and answer.json()["error"]
    return answer.json()["error"]


@dataclass
class Classic:
    """A signed-in user of the classic surface."""

    api: object
    token: str
    id: int
    name: str = ""
    email: str = ""
    sockets: list = field(default_factory=list)

    @classmethod
    def sign_up(cls, api):
        name = unique("c")
        email = f"{name}@example.org"
        fields = {"username": name, "email": email, "password": PASSWORD}
        assert api.http.post("/user/signup", json=fields).status_code == 200
        return cls.log_in(api, email)

    @classmethod
    def log_in(cls, api, email, password=PASSWORD):
        answer = api.http.post("/user/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        session = answer.json()
        return cls(api, session["token"], int(session["id"]), session["username"], email)

    @classmethod
    def of(cls, user):
        """A user of v1, with the v1 token."""
        return cls(user.api, user.token, int(user.id), user.name, user.email)

    def call(self, method, path, body=None, headers=None, **options):
        headers = {"token": self.token, **(headers or {})}
        if body is not None:
            options["content"] = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.api.call(method, path, headers=headers, **options)

    def room(self, *others, typ="GROUP", name=None):
        fields = {"roomname": name or unique("classic "), "typ": typ}
        answer = self.call("POST", "/user/createroom", fields)
        assert answer.status_code == 200, answer.text
        room = answer.json()["New Room"]
        for other in others:
            assert other.join(room).status_code == 200
        return room

    def join(self, room, **changed):
        return self.call("GET", "/user/joinroom", {**room, **changed})

    def rooms(self):
        answer = self.call("GET", "/user/getrooms")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def history(self, roomid, **query):
        body = {"user_id": self.id, "channel_id": roomid}
        answer = self.call("GET", "/user/history", body, params=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def socket(self, room, **options):
        """Joined: the two frames of the greeting are read."""
        socket = ClassicSocket(self.api.server, self.token, room, **options)
        self.sockets.append(socket)
        joined = {"type": "join_room", "room": room["roomname"], "success": True}
        assert socket.receive() == joined
        assert socket.receive() == {"type": "heartbeat", "message": "PONG"}
        return socket

    def close(self):
        for socket in self.sockets:
            socket.connection.close()


class ClassicSocket:
    def __init__(self, server, token, room, query=None, header=True, **options):
        base = server.ws_url.removesuffix("/v1/ws")
        if query is None:
            query = f"roomid={room['roomid']}&roomname={room['roomname'].replace(' ', '%20')}"
        headers = {"token": token} if header and token is not None else {}
        headers.update(options.pop("additional_headers", {}))
        settings = {"compression": None, "max_queue": None, "ping_interval": None, "close_timeout": 2, "proxy": None}
        self.connection = connect(
            f"{base}{PATH}?{query}", additional_headers=headers, **{**settings, **options}
        ).__enter__()

    def send(self, **frame):
        self.connection.send(json.dumps(frame))

    def chat(self, content, **more):
        self.send(**{"event_type": "chat", "message_type": "TEXT", "content": content, "media_id": "", **more})

    def receive(self, timeout=5):
        return json.loads(self.connection.recv(timeout=timeout))

    def expect(self, event_type, timeout=5, **fields):
        """The next frame of that event_type; join notices before it are skipped."""
        end = time.monotonic() + timeout
        while True:
            frame = self.receive(max(0.01, end - time.monotonic()))
            if frame.get("event_type") == event_type:
                assert all(frame[key] == value for key, value in fields.items()), frame
                return frame
            assert frame.get("event_type") == "join_room", f"expected {event_type} {fields}, got {frame}"

    def say(self, content, **more):
        """Posts, and waits until it is seen."""
        self.chat(content, **more)
        return self.expect("chat", content=content.strip())

    def beat(self):
        self.send(event_type="heartbeat")
        while (frame := self.receive()).get("event_type") == "join_room":
            pass
        assert frame == {"type": "heartbeat", "message": "PONG"}, frame

    def quiet(self, seconds=0.3):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                frame = self.receive(left)
            except TimeoutError:
                return
            assert frame.get("event_type") == "join_room", frame

    def expect_close(self, code, reason=None, timeout=5):
        """Waits for the close; the frames before it."""
        end = time.monotonic() + timeout
        frames = []
        while True:
            try:
                frames.append(self.receive(max(0.01, end - time.monotonic())))
            except ConnectionClosed as closed:
                assert closed.rcvd and closed.rcvd.code == code, closed
                assert reason is None or closed.rcvd.reason == reason, closed
                return frames
