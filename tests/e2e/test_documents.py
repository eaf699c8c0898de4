"""The API documents are true: every route, op, field and code of the running server stands in
openapi.json or asyncapi.json, and everything that stands there happens."""

import json
import re
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from documents import METHODS, Document, messages_of, operations
from parley_client import Api, Socket, User, new_nonce, unique
from parley_command import parley
from test_admin import go_through_administration

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def openapi(server, api):
    answer = api.http.get("/openapi.json")
    assert answer.status_code == 200
    return Document(answer.text)


@pytest.fixture(scope="module")
def asyncapi(server, api):
    answer = api.http.get("/asyncapi.json")
    assert answer.status_code == 200
    return Document(answer.text)


def codes_of(document, response):
    content = document.resolve(response).get("content", {})
    return set(content.get("application/problem+json", {}).get("examples", {}))


class CheckedApi(Api):
    """Holds every answer to the document, and remembers what was seen."""

    def __init__(self, server, document):
        super().__init__(server)
        self.document = document
        self.seen = {}  # (method, path) -> statuses
        self.patterns = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path)
            for path in sorted(document.root["paths"], key=lambda path: path.count("{"))
        ]

    def call(self, method, path, token=None, **options):
        answer = super().call(method, path, token, **options)
        self.check(method.lower(), path, answer)
        return answer

    def check(self, method, path, answer):
        known = next((p for regex, p in self.patterns if regex.fullmatch(path)), None)
        assert known, f"{path} is not documented"
        operation = self.document.root["paths"][known][method]
        status = str(answer.status_code)
        assert status in operation["responses"], f"{method} {known}: {status} is not documented"
        self.seen.setdefault((method, known), set()).add(status)
        response = self.document.resolve(operation["responses"][status])
        for name, header in response.get("headers", {}).items():
            if self.document.resolve(header).get("required"):
                assert name.lower() in answer.headers, f"{method} {known} {status}: no {name}"
        if "content" not in response:
            assert answer.content == b""
            return
        [(media_type, media)] = response["content"].items()
        assert answer.headers["content-type"].split(";")[0] == media_type
        if not media_type.endswith("json"):
            return
        body = answer.json()
        wrong = self.document.problems(media["schema"], body)
        assert not wrong, f"{method} {known} {status}: {wrong}\n{body}"
        if media_type == "application/problem+json":
            assert body["code"] in media["examples"], f"{method} {known}: {body['code']}"


class CheckedSocket(Socket):
    """Holds every frame from the server to the document, and remembers the ops."""

    def __init__(self, server, token, document, **options):
        self.document = document
        self.seen = set()
        self.schemas = {
            message["name"]: message["payload"]
            for message in messages_of(document, "send").values()
        }
        super().__init__(server, token, **options)

    def receive(self, timeout=5):
        frame = super().receive(timeout)
        assert frame["op"] in self.schemas, f"{frame['op']} is not documented"
        wrong = self.document.problems(self.schemas[frame["op"]], frame)
        assert not wrong, f"{frame['op']}: {wrong}\n{frame}"
        self.seen.add(frame["op"])
        return frame

    def wait_for(self, op, timeout=5):
        """Skips whatever comes before it."""
        return self.expect(op, timeout, skip=set(self.schemas) - {op})


# --- the documents in themselves


def every_ref(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for each in node.values():
            yield from every_ref(each)
    elif isinstance(node, list):
        for each in node:
            yield from every_ref(each)


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_every_reference_leads_somewhere(name):
    document = Document((ROOT / "docs/api" / name).read_text())
    for ref in every_ref(document.root):
        assert document.resolve({"$ref": ref}) is not None


def every_example(node, document):
    """(schema, value) of every media type and parameter."""
    if isinstance(node, dict):
        if isinstance(node.get("schema"), dict):
            if "example" in node:
                yield node["schema"], node["example"]
            for each in node.get("examples", {}).values():
                yield node["schema"], document.resolve(each)["value"]
        for each in node.values():
            yield from every_example(each, document)
    elif isinstance(node, list):
        for each in node:
            yield from every_example(each, document)


def test_the_examples_fit_their_schemas():
    openapi = Document((ROOT / "docs/api/openapi.json").read_text())
    for schema, value in every_example(openapi.root, openapi):
        assert not openapi.problems(schema, value), value
    asyncapi = Document((ROOT / "docs/api/asyncapi.json").read_text())
    for message in asyncapi.root["components"]["messages"].values():
        for example in message["examples"]:
            assert not asyncapi.problems(message["payload"], example["payload"]), example


def test_the_codes_are_those_of_the_program():
    source = (ROOT / "src/base/result.cpp").read_text()
    program = set(re.findall(r'return "(\w+)";', source))
    http_only = {"not_found", "method_not_allowed", "payload_too_large", "unsupported_media_type"}
    openapi = Document((ROOT / "docs/api/openapi.json").read_text())
    documented = set(openapi.root["components"]["schemas"]["ErrorCode"]["enum"])
    assert documented == program | http_only
    assert documented == set(openapi.root["components"]["examples"])


def test_the_close_codes_are_those_of_the_program():
    source = (ROOT / "src/net/websocket.hpp").read_text()
    program = {int(code) for code in re.findall(r"= ([14][05]\d\d)\b", source)}
    asyncapi = json.loads((ROOT / "docs/api/asyncapi.json").read_text())
    documented = {each["code"] for each in asyncapi["channels"]["socket"]["x-close-codes"]}
    never_sent = {1005, 1006, 1008}
    assert documented == program - never_sent


# --- the documents and the server


def test_the_documents_served_are_those_of_the_tree(http):
    for name in ("openapi.json", "asyncapi.json"):
        assert http.get(f"/{name}").content == (ROOT / "docs/api" / name).read_bytes()


@pytest.mark.embedded_only("reads /metrics, which Nginx keeps inside")
def test_every_route_is_documented_and_every_documented_one_is_there(http, openapi):
    documented = {(method.upper(), path) for method, path in operations(openapi)}
    routes = set(
        re.findall(r'parley_api_requests_total\{method="(\w+)",route="([^"]+)"', http.get("/metrics").text)
    )
    is_file = re.compile(r"/|/docs|/(assets/)?[\w.-]+\.(js|css|svg|json|png|ico|html|woff2|webmanifest)")
    assert {route for route in routes if not is_file.fullmatch(route[1])} == documented


@pytest.mark.embedded_only("asks for /metrics, which Nginx keeps inside")
def test_a_wrong_method_names_the_documented_ones(http, openapi):
    for path, item in openapi.root["paths"].items():
        filled = re.sub(r"\{(\w+)\}", lambda m: "x" if m[1] == "emoji" else "1", path)
        answer = http.request("LOCK", filled)
        assert answer.status_code == 405, f"{path}: {answer.status_code}"
        allowed = {method.strip() for method in answer.headers["allow"].split(",")} - {"HEAD"}
        assert allowed == {method.upper() for method in METHODS if method in item}, path


@pytest.mark.embedded_only("asks for /metrics, which Nginx keeps inside")
def test_every_call_answers_as_documented(server, openapi):
    api = CheckedApi(server, openapi)
    ann = api.new_user()
    bob = api.new_user()
    eve = api.new_user()
    go_through_accounts(api, ann)
    room = go_through_rooms(ann, bob, eve)
    go_through_members(ann, bob, eve, room)
    go_through_messages(ann, bob, eve, room)
    go_through_media(ann, eve, room)
    go_through_words(server, ann, bob, eve, room)
    go_through_administration(server, api, ann, bob, room)
    for path in ("/healthz", "/readyz", "/metrics"):
        api.call("GET", path)
    gone = ann.room(bob)
    ann.delete(f"/v1/rooms/{gone}")
    eve.delete("/v1/sessions/current")
    eve.get("/v1/me")

    for call, operation in operations(openapi).items():
        if operation["tags"] == ["classic"]:
            continue  # test_classic_documents.py
        good = {status for status in operation["responses"] if status[0] == "2"}
        assert good <= api.seen.get(call, set()), f"{call}: saw {api.seen.get(call)}"
    api.close()


def go_through_accounts(api, ann):
    for path in ("/v1/users", "/v1/sessions", "/v1/sessions/refresh"):
        api.call("POST", path, content=b"{", headers={"Content-Type": "application/json"})
        api.call("POST", path, content=b"x" * 70_000, headers={"Content-Type": "application/json"})
        api.call("POST", path, content=b"a=b", headers={"Content-Type": "text/plain"})
        api.call("POST", path, json={})
    api.sign_up(username=ann.name)
    api.sign_up(email=ann.email)
    api.sign_up(username="?")
    api.sign_up(email="nowhere")
    api.sign_up(password="short")
    api.call("POST", "/v1/sessions", json={"email": ann.email, "password": "not this one"})
    by_name = api.call("POST", "/v1/sessions", json={"username": ann.name, "password": ann.password})
    other = User(api, by_name.json())
    fresh = {"refresh_token": other.refresh_token}
    assert api.call("POST", "/v1/sessions/refresh", json=fresh).status_code == 200
    assert api.call("POST", "/v1/sessions/refresh", json=fresh).json()["code"] == "token_reused"
    api.call("POST", "/v1/sessions/refresh", json={"refresh_token": "nonsense"})
    ann.get("/v1/me")
    api.call("GET", "/v1/me", "nonsense")
    ann.patch("/v1/me", {"display_name": "Ann B."})
    ann.patch("/v1/me", {"display_name": "x" * 51})
    ann.patch("/v1/me", {"username": "?"})
    ann.patch("/v1/me", {"avatar_media_id": "1"})
    ann.get("/v1/users", ids=f"1,{ann.id}")
    ann.get("/v1/users", ids="?")
    other = ann.sign_in_again()
    for params in ({}, {"limit": 1}, {"limit": 0}):
        ann.get("/v1/me/sessions", **params)
    path = "/v1/me/sessions/" + ann.got("/v1/me/sessions", limit=1)["sessions"][0]["id"]
    assert [ann.delete(path).status_code for _ in range(2)] == [204, 404]
    other.delete("/v1/me/sessions")
    ann.delete("/v1/me/sessions")
    change = {"current_password": ann.password, "password": ann.password}
    for body in ({**change, "current_password": "not this one"}, {**change, "password": "short"}, change):
        ann.post("/v1/me/password", body)


def go_through_rooms(ann, bob, eve):
    name = unique("doc ")
    room = ann.room(bob, name=name, topic="What is written")
    ann.post("/v1/rooms", {"name": name, "kind": "group"})
    ann.post("/v1/rooms", {"name": "x", "kind": "group"})
    ann.post("/v1/rooms", {"name": unique(), "kind": "group", "topic": "x" * 251})
    ann.post("/v1/rooms", {"kind": "dm", "member_ids": ["1"]})
    dm = {"kind": "dm", "member_ids": [bob.id]}
    assert ann.post("/v1/rooms", dm).status_code == 201
    assert bob.post("/v1/rooms", {"kind": "dm", "member_ids": [ann.id]}).status_code == 200
    ann.say(room)
    for params in ({}, {"limit": 1}, {"limit": 0}, {"cursor": "?"}):
        ann.get("/v1/rooms", **params)
        ann.get("/v1/rooms/directory", **params)
        ann.get(f"/v1/rooms/{room}/members", **params)
    ann.get("/v1/rooms/directory", query=name)
    ann.call("GET", "/v1/rooms/1")
    ann.get(f"/v1/rooms/{room}")
    eve.get(f"/v1/rooms/{room}")
    ann.patch(f"/v1/rooms/{room}", {"topic": "Still what is written"})
    ann.patch(f"/v1/rooms/{room}", {"visibility": "secret"})
    bob.patch(f"/v1/rooms/{room}", {"topic": "Mine"})
    bob.delete(f"/v1/rooms/{room}")
    return room


def go_through_media(ann, eve, room):
    path, data = f"/v1/rooms/{room}/media", b"What is written"
    good = {"filename": "a.txt", "content_type": "text/plain", "size": len(data)}
    for bad in ({"size": 0}, {"size": 10**13}, {"content_type": "x/y"}, {"filename": "x" * 256}):
        ann.post(path, {**good, **bad})
    eve.post(path, good)
    picture = {"filename": "a.png", "content_type": "image/png", "size": 99}
    for bad in ({}, {"size": 10**8}, {"size": 0}, {"content_type": "text/plain"}, {"filename": "x" * 256}):
        ann.post("/v1/me/avatar", {**picture, **bad})
    ticket = ann.post(path, good).json()
    one = f"/v1/media/{ticket['media_id']}"
    ann.post(f"{one}/complete")
    ann.get(one)
    ann.get(one, size="huge")
    ann.get("/v1/media/1")
    ann.patch("/v1/me", {"avatar_media_id": ticket["media_id"]})
    ann.post_message(room, "", type="MEDIA", media_id=ticket["media_id"])
    upload = ticket["upload"]
    httpx.put(upload["url"], content=data, headers=upload["headers"], trust_env=False)
    assert ann.post(f"{one}/complete").status_code == 204
    ann.say(room, "", type="MEDIA", media_id=ticket["media_id"])


def go_through_words(server, ann, bob, eve, room):
    path = f"/v1/rooms/{room}/words"
    for body in ({"words": [{"word": "pineapple"}]}, {"words": 1}, {"words": [{"word": ""}]}, {}):
        ann.put(path, body)
    bob.put(path, {})
    eve.get(path)
    ann.get(path)
    for _ in range(2):
        ann.get("/v1/admin/filter")
        ann.post("/v1/admin/filter/reload")
        parley("user", "role", ann.name, "admin", data=server.data)


def go_through_members(ann, bob, eve, room):
    eve.get(f"/v1/rooms/{room}/members")
    eve.join(room)
    eve.post(f"/v1/rooms/{room}/leave")
    eve.post(f"/v1/rooms/{room}/leave")
    eve.post("/v1/rooms/1/join")
    ann.post(f"/v1/rooms/{room}/leave")
    ann.put(f"/v1/rooms/{room}/members/{eve.id}", {"role": "admin"})
    ann.put(f"/v1/rooms/{room}/members/{eve.id}", {"role": "king"})
    ann.put(f"/v1/rooms/{room}/members/1")
    ann.put(f"/v1/rooms/{room}/members/{ann.id}", {"role": "member"})
    bob.put(f"/v1/rooms/{room}/members/{eve.id}", {"role": "member"})
    bob.delete(f"/v1/rooms/{room}/members/{eve.id}")
    ann.delete(f"/v1/rooms/{room}/members/{eve.id}")
    ann.delete(f"/v1/rooms/{room}/members/{ann.id}")


def go_through_messages(ann, bob, eve, room):
    nonce = new_nonce()
    for content in ("hello", "hello", "another text", "x" * 4001, ""):
        ann.post_message(room, content, nonce=nonce)
    ann.post_message(room, media_id="1", type="MEDIA")
    ann.post_message(room, reply_to="1")
    eve.post_message(room)
    message = bob.say(room, "said by bob")["id"]
    ann.say(room, "in answer", reply_to=message)
    one = f"/v1/rooms/{room}/messages/{message}"
    bob.patch(one, {"content": "written by bob"})
    bob.patch(one, {"content": "x" * 4001})
    ann.patch(one, {"content": "written by ann"})
    ann.patch(f"/v1/rooms/{room}/messages/1", {"content": "nowhere"})
    for emoji in ("👍", "x y", "x" * 65):
        ann.put(f"{one}/reactions/{emoji}")
    ann.get(f"/v1/rooms/{room}/messages", limit=1)
    ann.get(f"/v1/rooms/{room}/messages", after=message)
    ann.get(f"/v1/rooms/{room}/messages", before="x")
    eve.get(f"/v1/rooms/{room}/messages")
    ann.delete(f"{one}/reactions/👍")
    bob.put(f"/v1/rooms/{room}/read", {"message_id": message})
    bob.put(f"/v1/rooms/{room}/read", {"message_id": "1"})
    ann.get("/v1/rooms")
    ann.delete(one)
    ann.delete(one)
    ann.get(f"/v1/rooms/{room}/messages")


def test_every_op_answers_as_documented(server, api, asyncapi):
    ann, bob = api.new_user(), api.new_user()
    room = ann.room(bob)
    token = ann.token
    seer = CheckedSocket(server, token, asyncapi)
    seer.expect("welcome")
    doer = CheckedSocket(server, bob.token, asyncapi, how="subprotocol")
    doer.expect("welcome")
    used = set()

    def ask(op, answer, **fields):
        used.add(op)
        return doer.ask(op, answer, skip=set(doer.schemas), **fields)

    seer.subscribe(room)
    ask("hello", "error", token=7)
    doer.send("hello", token=bob.token)
    doer.wait_for("welcome")
    ask("subscribe", "subscribed", room_id=room)
    seer.wait_for("presence")
    nonce = new_nonce()
    send = {"room_id": room, "nonce": nonce, "type": "TEXT", "content": "hello"}
    message = ask("send", "sent", **send)["message"]["id"]
    assert ask("send", "sent", **send)["message"]["id"] == message
    ask("send", "error", **{**send, "content": "another"})
    one = {"room_id": room, "message_id": message}
    ask("edit", "done", **one, content="hello again")
    ask("react", "done", **one, emoji="👍", added=True)
    ask("react", "done", **one, emoji="👍", added=True)
    ask("typing", "error", room_id="1")
    doer.send("typing", room_id=room)
    doer.send("read", **one)
    used |= {"typing", "read"}
    for op in ("message", "edited", "reaction", "typing", "receipt"):
        seer.wait_for(op)
    ask("delete", "done", **one)
    seer.wait_for("deleted")
    ask("ping", "pong")
    ask("dance", "error")
    used.discard("dance")
    # What was missed, in one page: all six events.
    ann.patch(f"/v1/rooms/{room}", {"topic": "documented"})
    bob.post(f"/v1/rooms/{room}/leave")
    seer.wait_for("room")
    seer.wait_for("member")
    seer.ask("subscribe", "subscribed", skip=set(seer.schemas), room_id=room, since="1")
    bob.join(room)
    ask("subscribe", "subscribed", room_id=room)
    ask("unsubscribe", "unsubscribed", room_id=room)
    ann.delete("/v1/sessions/current")
    with pytest.raises(ConnectionClosed):
        while True:
            seer.receive()
    doer.close()

    ops = {message["name"] for message in messages_of(asyncapi, "receive").values()}
    assert used == ops
    assert seer.seen | doer.seen == set(seer.schemas) - {"goaway"}


def test_goaway_is_as_documented(make_server, asyncapi):
    server = make_server()
    user = server.api.new_user()
    socket = CheckedSocket(server, user.token, asyncapi)
    socket.expect("welcome")
    server.stop()
    socket.wait_for("goaway")
    with pytest.raises(ConnectionClosed):
        while True:
            socket.receive()
