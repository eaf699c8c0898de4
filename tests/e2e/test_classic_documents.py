"""The API documents are true of the classic surface too (see test_documents.py)."""

from classic_client import Classic, ClassicSocket
from parley_client import PASSWORD, unique
from test_documents import CheckedApi, asyncapi, messages_of, openapi, operations  # noqa: F401


def test_every_classic_call_answers_as_documented(server, openapi):  # noqa: F811
    api = CheckedApi(server, openapi)
    fields = {"username": unique("c"), "email": f"{unique()}@example.org", "password": PASSWORD}
    for path in ("/user/signup", "/user/login"):
        for _ in range(2):
            api.call("POST", path, json=fields)
        api.call("POST", path, content=b"{")
        api.call("POST", path, content=b"x" * 70_000)
    api.call("POST", "/user/login", json={**fields, "password": "not this one"})
    old = Classic.log_in(api, fields["email"])
    room = old.room()
    old.call("POST", "/user/createroom", {**room, "typ": 1})
    for method in ("GET", "POST"):
        assert old.call(method, "/user/joinroom", room).status_code == 200
        old.call(method, "/user/joinroom", {})
    old.socket(room).say("hello")
    for path, name in (("/user/members", "room_id"), ("/user/history", "channel_id"), ("/img/url", "roomid")):
        for value in (room["roomid"], 123456789, "x"):
            old.call("GET", path, params={name: value})
        api.call("GET", path)
    old.rooms()
    api.call("GET", "/user/getrooms")
    api.call("GET", "/health")
    old.close()
    for call, operation in operations(openapi).items():
        if operation["tags"] == ["classic"]:
            good = {status for status in operation["responses"] if status[0] == "2"}
            assert good <= api.seen.get(call, set()), f"{call}: saw {api.seen.get(call)}"
            assert len(api.seen[call]) > 1 or call[1] == "/health", call
    api.close()


class CheckedSocket(ClassicSocket):
    """Holds every frame to the document: exactly one kind of message fits it."""

    document = None
    seen = set()

    def receive(self, timeout=5):
        frame = super().receive(timeout)
        kinds = messages_of(self.document, "send", channel="classic")
        fits = {key for key, kind in kinds.items() if not self.document.problems(kind["payload"], frame)}
        assert len(fits) == 1, (fits, frame)
        self.seen.update(fits)
        return frame


def test_every_classic_frame_is_as_documented(server, api, asyncapi):  # noqa: F811
    ann, bob = Classic.sign_up(api), Classic.sign_up(api)
    room = ann.room(bob)
    CheckedSocket.document = asyncapi
    socket = CheckedSocket(server, ann.token, room)
    for _ in range(2):
        socket.receive()  # the greeting
    other = bob.socket(room)
    socket.say("hello")
    socket.beat()
    socket.send(event_type="nonsense")
    socket.expect("error")
    assert CheckedSocket.seen == set(messages_of(asyncapi, "send", channel="classic"))
    sent = {"classic_send", "classic_client_heartbeat"}
    assert set(messages_of(asyncapi, "receive", channel="classic")) == sent
    other.connection.close()
    socket.connection.close()
