"""The sockets keep to asyncapi.json, whatever is sent: every answer is a documented one that fits its schema, a good
frame gets its answer, a bad one an error or a documented close, and the server lives.

PARLEY_FRAMES (6000) and PARLEY_FRAMES_SEED (1) make it longer, or another one.
"""

import json
import os
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from documents import Document, messages_of
from frame_fuzz import Maker
from parley_client import Socket

ROOT = Path(__file__).resolve().parents[2]
FRAMES = int(os.environ.get("PARLEY_FRAMES", "6000"))
SEED = int(os.environ.get("PARLEY_FRAMES_SEED", "1"))


@pytest.fixture
def asyncapi():
    return Document((ROOT / "docs/api/asyncapi.json").read_text())


class V1:
    """Ann's connection, and what she knows."""

    def __init__(self, server, document):
        self.server, self.document = server, document
        self.ann, self.bob = server.api.new_user(), server.api.new_user()
        self.room = self.ann.room(self.bob)
        self.other = self.bob.room()
        self.messages = [self.ann.say(self.room)["id"], self.bob.say(self.room)["id"]]
        self.payloads = {m["name"]: m["payload"] for m in messages_of(document, "send").values()}
        self.answers = {
            operation["messages"][0]["$ref"].split("/")[-1]: {
                document.resolve(each)["name"] for each in document.resolve(operation)["reply"]["messages"]
            }
            for operation in document.root["operations"].values()
            if "reply" in operation and operation["channel"]["$ref"] == "#/channels/socket"
        }
        self.closes = {each["code"] for each in document.root["channels"]["socket"]["x-close-codes"]}
        self.socket, self.count, self.seen, self.silent = None, 0, set(), set()

    def pool(self, field):
        return {
            "room_id": [self.room] * 4 + [self.other],
            "message_id": self.messages[-8:],
            "reply_to": self.messages[-8:],
            "since": self.messages[-8:],
            "token": [self.ann.token] * 9 + [self.bob.token],
        }.get(field)

    def open(self, way):
        self.socket = Socket(self.server, self.ann.token, how=way)
        if way == "hello":
            self.socket.send("hello", token=self.ann.token)
        assert self.receive()["op"] == "welcome"

    def receive(self):
        frame = self.socket.receive()
        assert frame.get("op") in self.payloads, f"{frame} is not documented"
        wrong = self.document.problems(self.payloads[frame["op"]], frame)
        assert not wrong, f"{wrong}: {frame}"
        self.seen.add(frame["op"])
        if frame["op"] == "sent":
            self.messages.append(frame["message"]["id"])
        return frame

    def is_answer(self, frame):
        return any(frame["op"] in answers for answers in self.answers.values())

    def ask(self, frame, pieces):
        """Sends it and a ping after it; what came before the pong."""
        self.count += 1
        ref = None
        if frame.value is not None and frame.fault != "ref is wrong":
            ref = frame.value["ref"] = f"f{self.count}"
            pieces = [json.dumps(frame.value).encode()] if len(pieces) == 1 else pieces
            if len(pieces) > 1:
                raw = json.dumps(frame.value, ensure_ascii=False).encode()
                pieces = [raw[: len(raw) // 2], raw[len(raw) // 2 :]]
        came, mark = [], f"p{self.count}"
        silent = self.answers[frame.name] == {"error"} and not frame.fault
        try:
            whole = pieces[0] if len(pieces) == 1 else iter(pieces)
            self.socket.connection.send(whole, text=frame.text)
            refs = (ref, None) if frame.fault else (ref,)  # a bad frame's ref may stand behind what is bad
            while ref and not silent and not any(self.is_answer(each) and each.get("ref") in refs for each in came):
                came.append(self.receive())
            self.socket.send("ping", ref=mark)
            while not came or came[-1].get("ref") != mark:
                came.append(self.receive())
            # What has no answer may still get an error, after the next ones were sent.
            came = [each for each in came[:-1] if each.get("ref") not in self.silent]
            if silent:
                self.silent.add(ref)
            return came, ref, None
        except ConnectionClosed as closed:
            return came, ref, closed.rcvd.code if closed.rcvd else 1006

    def judge(self, frame, came, ref, code):
        if code is not None:
            assert code in self.closes, f"closed with {code}, which is not documented"
            assert frame.name == "hello" or not frame.text or frame.fault in ("not UTF-8", "too big"), f"closed: {code}"
            return
        mine = [each for each in came if ref is not None and each.get("ref") == ref]
        errors = [each for each in came if each["op"] == "error"]
        if frame.fault:
            assert len(errors) == 1, f"{len(errors)} errors"
            bad_frame = errors[0]["code"] == "bad_frame" and "ref" not in errors[0]
            assert not ref or mine == errors or bad_frame, "the error has another ref"
            return
        allowed = self.answers[frame.name]
        assert {each["op"] for each in mine} <= allowed, f"answered with {mine}"
        silent = allowed == {"error"}
        assert len(mine) <= 1 if silent else len(mine) == 1, f"answers: {mine}"


class ClassicWorld:
    """A socket of Ann's in a room, as the clients of the Go application open it."""

    def __init__(self, server, document):
        self.server, self.document = server, document
        self.ann = server.api.new_user()
        self.room = self.ann.room()
        self.payloads = [m["payload"] for m in messages_of(document, "send", "classic").values()]
        self.closes = {each["code"] for each in document.root["channels"]["classic"]["x-close-codes"]}
        self.socket = None

    def open(self):
        address = f"{self.server.ws_url.removesuffix('/v1/ws')}/ws/user/joinRoom?roomid={self.room}&roomname=x"
        settings = {"additional_headers": {"token": self.ann.token}, "compression": None, "ping_interval": None}
        self.socket = connect(address, proxy=None, **settings).__enter__()  # a close code leaves
        assert self.receive() == "join_room" and self.receive() == "heartbeat"

    def receive(self):
        """The kind of the next frame, which must be one of the documented."""
        frame = json.loads(self.socket.recv(timeout=5))
        assert any(not self.document.problems(each, frame) for each in self.payloads), f"{frame} is not documented"
        return frame.get("event_type") or frame["type"]

    def ask(self, frame, pieces):
        """What answered: a kind of frame, or a close code."""
        try:
            self.socket.send(pieces[0] if len(pieces) == 1 else iter(pieces), text=frame.text)
            return self.receive()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


def test_classic_sockets_keep_to_the_document(server, asyncapi):
    world = ClassicWorld(server, asyncapi)
    maker = Maker(asyncapi, messages_of(asyncapi, "receive", "classic"), SEED, lambda field: None)
    tally = {}
    for number in range(FRAMES // 2):
        if world.socket is None:
            world.open()
        frame = maker.next()
        try:
            answer = world.ask(frame, maker.pieces(frame.raw))
            if isinstance(answer, int):
                assert answer in world.closes, f"closed with {answer}, which is not documented"
                assert not frame.text or frame.fault in ("not UTF-8", "too big"), f"closed with {answer}"
                world.socket = None
            elif frame.fault:
                assert answer == "error", f"answered with {answer}"
            else:
                assert answer in ("error", frame.value["event_type"]), f"answered with {answer}"
        except (AssertionError, TimeoutError) as wrong:
            raise AssertionError(f"seed {SEED}, frame {number}, {frame!r}: {wrong}") from wrong
        tally[answer] = tally.get(answer, 0) + 1
    print("answers:", dict(sorted(tally.items(), key=str)))
    assert server.api.http.get("/healthz").status_code == 200
    assert '"level":"error"' not in server.log()
    assert {"chat", "heartbeat", "error"} <= set(tally)


def stir(world, random):
    """Something of somebody else's doing, so that every kind of event comes by."""
    ann, bob, room = world.ann, world.bob, world.room
    deeds = [
        lambda: bob.post(f"/v1/rooms/{room}/leave"),
        lambda: bob.post(f"/v1/rooms/{room}/join"),
        lambda: ann.patch(f"/v1/rooms/{room}", {"topic": f"No. {random.random()}"}),
        lambda: ann.put(f"/v1/rooms/{room}/members/{bob.id}", {"role": random.choice(["admin", "member"])}),
        lambda: bob.post_message(room, "from outside"),
        lambda: bob.post_message(room, "from outside"),
    ]
    answer = random.choice(deeds)()
    if answer.status_code == 201:
        world.messages.append(answer.json()["id"])


def test_v1_sockets_keep_to_the_document(server, asyncapi):
    world = V1(server, asyncapi)
    maker = Maker(asyncapi, messages_of(asyncapi, "receive"), SEED, world.pool)
    tally = {}
    for number in range(FRAMES):
        if world.socket is None:
            world.open(maker.random.choice(["header", "subprotocol", "hello"]))
        if maker.chance(0.02):
            stir(world, maker.random)
        frame = maker.next()
        try:
            came, ref, code = world.ask(frame, maker.pieces(frame.raw))
            world.judge(frame, came, ref, code)
        except (AssertionError, TimeoutError) as wrong:
            raise AssertionError(f"seed {SEED}, frame {number}, {frame!r}: {wrong}") from wrong
        if code is not None:
            world.socket = None
        result = code or next((e["code"] for e in came if e["op"] == "error"), "good")
        tally[result] = tally.get(result, 0) + 1
    print("answers:", dict(sorted(tally.items(), key=str)))
    assert server.api.http.get("/healthz").status_code == 200
    assert '"level":"error"' not in server.log()
    never = set(world.payloads) - world.seen
    assert never <= {"goaway", "presence", "receipt", "typing"}, f"never came: {never}"
    codes = set(asyncapi.root["components"]["schemas"]["ErrorCode"]["enum"])
    rare = {"rate_limited", "unavailable", "content_held", "content_rejected"}
    rare |= {"media_not_uploaded", "media_mismatch", "media_unavailable"}  # nothing is uploaded here
    assert codes - set(tally) <= rare, f"never seen: {codes - set(tally)}"
