"""Stateful fuzz: seeded random commands of three people, legal and not, over REST and sockets, against the
reference model. Every answer and every event is compared. PARLEY_MODEL_SEEDS=N runs N seeds instead of three."""

import os
import random
import time

import pytest

from parley_client import TRANSIENT, new_nonce, unique
from reference_model import Refused, Room

STEPS = 300
NOWHERE = "1"  # the id of no room and no message
STATUS = {
    "unknown_room": 404, "unknown_message": 404, "not_a_member": 403, "forbidden": 403, "last_owner": 409,
    "nonce_conflict": 409, "room_name_taken": 409, "invalid_field": 422, "too_long": 422,
}  # fmt: skip
CONTENTS = ["soup", "  soup ", "süß 🍲", "x" * 4000, "x" * 4001, " ", "", "'; DROP TABLE events; --", "\\N"]


def includes(frame, wanted):
    """Whether `frame` has all that `wanted` has."""
    if not isinstance(wanted, dict):
        return frame == wanted
    return all(includes(frame.get(key), value) for key, value in wanted.items())


class Person:
    def __init__(self, user):
        self.user, self.id, self.socket = user, user.id, user.socket()
        self.inbox, self.listens, self.refs = [], set(), 0

    def receive(self, deadline):
        while (frame := self.socket.receive(max(0.01, deadline - time.monotonic())))["op"] in TRANSIENT:
            pass
        return frame

    def next_event(self):
        return self.inbox.pop(0) if self.inbox else self.receive(time.monotonic() + 10)

    def ask(self, op, **fields):
        """The answer to an op; events that come before it are kept."""
        self.refs += 1
        self.socket.send(op, ref=f"m{self.refs}", **fields)
        deadline = time.monotonic() + 10
        while (frame := self.receive(deadline)).get("ref") != f"m{self.refs}":
            self.inbox.append(frame)
        return frame


class Run:
    def __init__(self, seed, new_user):
        self.random = random.Random(seed)
        owner, *others = users = [new_user() for _ in range(4)]
        self.rooms = []
        for visibility in ("public", "private", "public"):
            name = unique("model ")
            id = owner.room(others[0], others[2], name=name, visibility=visibility)
            for admin in (others[0], others[2]):
                answer = owner.put(f"/v1/rooms/{id}/members/{admin.id}", {"role": "admin"})
                assert answer.status_code == 204
            roles = {owner.id: "owner", others[0].id: "admin", others[2].id: "admin"}
            self.rooms.append(Room(id, name, visibility == "public", roles))
        # The watcher knows the id of every event: in each room for ever, and nobody's subject.
        *self.people, self.watcher = [Person(user) for user in users]
        for room in self.rooms:
            answer = self.watcher.ask("subscribe", room_id=room.id, since=room.id)
            room.log += [event["id"] for event in answer["events"]]
            self.watcher.listens.add(room.id)
        self.nonces = []

    def step(self):
        person, room = self.random.choice(self.people), self.random.choice(self.rooms)
        names = ["send"] * 8 + ["edit", "delete"] * 2 + ["react"] * 5 + ["put", "kick"] * 3
        names += ["subscribe", "look", "remove"] * 2
        name = self.random.choice(names + ["join", "leave", "change", "read", "list"])
        if person.id not in room.roles and self.random.random() < 0.4:
            name = "join"  # else most of it would be refused
        if name == "remove" and room.roles.get(person.id) == "owner":
            if room is not self.rooms[-1] or self.random.random() < 0.8:
                name = "join"  # or all rooms would soon be gone
        getattr(self, name)(person, room)

    def any_message(self, room):
        other = self.random.choice(self.rooms)
        ids = list((other if self.random.random() < 0.1 else room).messages)
        return self.random.choice(ids[-5:]) if ids and self.random.random() < 0.95 else NOWHERE

    def try_model(self, method, *arguments, **fields):
        try:
            return method(*arguments, **fields), None
        except Refused as refused:
            return None, refused.code

    def refused_or(self, answer, code, *statuses):
        """Compares a REST answer with the model's verdict."""
        if code:
            assert (answer.status_code, answer.json()["code"]) == (STATUS[code], code), answer.text
        else:
            assert answer.status_code in statuses, answer.text

    def answered(self, frame, code, op):
        assert (frame["op"], frame.get("code")) == (("error", code) if code else (op, None)), frame

    def happens(self, room, event, but=None):
        """Everybody who must hear of an event does, alike. Who else does has a wrong one next time."""
        if event is None:
            return None
        seen = self.watcher.next_event()
        assert includes(seen, event), f"{seen} is not {event}"
        assert seen["prev_id"] == room.log[-1] and int(seen["id"]) > int(room.log[-1])
        room.log.append(seen["id"])
        about = event.get("user_id") if event["op"] == "member" else None
        for person in self.people:
            if (room.id in person.listens and person is not but) or person.id == about:
                assert person.next_event() == seen
        if event["op"] == "member" and event["action"] in {"left", "removed"}:
            self.find(about).listens.discard(room.id)
        if event["op"] == "room" and room.gone:
            for person in self.people:
                person.listens.discard(room.id)
        return seen

    def find(self, id):
        return next(person for person in self.people if person.id == id)

    # --- messages
    def send(self, person, room):
        nonce, content = new_nonce(), self.random.choice(CONTENTS[:4] if self.random.random() < 0.8 else CONTENTS)
        reply_to = self.any_message(room) if self.random.random() < 0.2 else None
        if self.nonces and self.random.random() < 0.15:  # again, alike or with another body
            person, room, nonce, old = self.random.choice(self.nonces[-20:])
            content, reply_to = old if self.random.random() < 0.6 else (content, reply_to)
        body = (content.strip(), reply_to)
        made, code = self.try_model(room.send, person.id, nonce, content, reply_to)
        event, repeated = made or (None, None)
        fields = {"nonce": nonce, "type": "TEXT", "content": content}
        if reply_to:
            fields["reply_to"] = reply_to
        if over_socket := self.random.random() < 0.6:
            answer = person.ask("send", room_id=room.id, **fields)
            self.answered(answer, code, "sent")
            message = answer.get("message")
        else:
            answer = person.user.post(f"/v1/rooms/{room.id}/messages", fields)
            self.refused_or(answer, code, 200 if repeated else 201)
            message = answer.json()
        if repeated:
            assert message["id"] == repeated and message["content"] == room.messages[repeated]["content"]
        if event is None:
            return
        kept = event["message"]
        wanted = {**event, "message": {k: v for k, v in kept.items() if k not in {"reactions"}}}
        seen = self.happens(room, wanted, but=person if over_socket else None)
        assert seen["message"] == message and seen["id"] == message["id"]
        room.store(message["id"], person.id, nonce, body, kept)
        self.nonces.append((person, room, nonce, body))

    def change_message(self, person, room, model, op, method, path, status, fields, **body):
        message = fields["message_id"]
        event, code = self.try_model(model, person.id, message, *body.values())
        if self.random.random() < 0.5:
            self.answered(person.ask(op, room_id=room.id, **fields, **body), code, "done")
        else:
            path = f"/v1/rooms/{room.id}/messages/{message}{path}"
            options = {"json": body} if method == "PATCH" else {}
            self.refused_or(person.user.call(method, path, **options), code, status)
        self.happens(room, event)

    def edit(self, person, room):
        fields = {"message_id": self.any_message(room)}
        content = self.random.choice(CONTENTS)
        self.change_message(person, room, room.edit, "edit", "PATCH", "", 200, fields, content=content)

    def delete(self, person, room):
        fields = {"message_id": self.any_message(room)}
        self.change_message(person, room, room.delete, "delete", "DELETE", "", 204, fields)

    def react(self, person, room):
        fields = {"message_id": self.any_message(room)}
        emoji, added = self.random.choice("👍🍲"), self.random.random() < 0.5
        method, path = ("PUT" if added else "DELETE"), f"/reactions/{emoji}"
        self.change_message(
            person, room, room.react, "react", method, path, 204, fields, emoji=emoji, added=added
        )

    def read(self, person, room):
        message = self.any_message(room)
        _, code = self.try_model(room.read, person.id, message)
        answer = person.user.put(f"/v1/rooms/{room.id}/read", {"message_id": message})
        self.refused_or(answer, code, 204)

    # --- members and rooms
    def over_rest(self, person, room, method, path, status, model, *arguments, body=None, **fields):
        event, code = self.try_model(model, person.id, *arguments, **fields)
        answer = person.user.call(method, f"/v1/rooms/{room.id}{path}", json=body if body is not None else {})
        self.refused_or(answer, code, status)
        self.happens(room, event)

    def join(self, person, room):
        self.over_rest(person, room, "POST", "/join", 200, room.join)

    def leave(self, person, room):
        self.over_rest(person, room, "POST", "/leave", 200, room.leave)

    def put(self, person, room):
        subject, role = self.random.choice(self.people).id, self.random.choice(["member", "admin", "admin", "owner"])
        path = f"/members/{subject}"
        self.over_rest(person, room, "PUT", path, 204, room.put, subject, role, body={"role": role})

    def kick(self, person, room):
        subject = self.random.choice(self.people).id
        self.over_rest(person, room, "DELETE", f"/members/{subject}", 204, room.kick, subject)

    def change(self, person, room):
        others = [other for other in self.rooms if other is not room and not other.gone]
        name = self.random.choice([unique("model "), self.random.choice(others).name.upper(), "ab", room.name])
        choices = {"name": name, "topic": self.random.choice(["", "of today"]),
                   "visibility": self.random.choice(["public", "private"])}  # fmt: skip
        fields = {key: choices[key] for key in self.random.sample(list(choices), self.random.randint(1, 3))}
        taken = {other.name.casefold() for other in others}
        self.over_rest(person, room, "PATCH", "", 200, room.change, taken, body=fields, **fields)

    def remove(self, person, room):
        self.over_rest(person, room, "DELETE", "", 204, room.remove)

    # --- what is read
    def subscribe(self, person, room):
        _, code = self.try_model(room.enter, person.id)
        person.listens.discard(room.id)
        since = self.random.choice([None, self.random.choice(room.log)])
        answer = person.ask("subscribe", room_id=room.id, **({"since": since} if since else {}))
        self.answered(answer, code, "subscribed")
        if code:
            return
        person.listens.add(room.id)
        missed = room.log[room.log.index(since) + 1 :] if since else []
        assert [event["id"] for event in answer["events"]] == missed and answer["last_id"] == room.log[-1]
        assert not answer["more"] and not any(
            event["op"] == "message" and room.messages[event["id"]]["content"] != event["message"]["content"]
            for event in answer["events"]
        ), "a resume shows what a message is now"

    def look(self, person, room):
        _, code = self.try_model(room.enter, person.id)
        answer = person.user.get(f"/v1/rooms/{room.id}/messages", limit=100)
        self.refused_or(answer, code, 200)
        if code:
            return
        wanted = {}
        for id, message in room.messages.items():
            reactions = {emoji: users for emoji, users in message["reactions"].items() if users}
            edited = message["edited"] and not message["deleted"]
            wanted[id] = (message["user_id"], message["content"], message["deleted"], edited, reactions)
        found = {}
        for message in person.user.whole_history(room.id):
            deleted = message.get("deleted", False)
            edited = message.get("edited_at") is not None and not deleted
            reactions = {each["emoji"]: each["user_ids"] for each in message.get("reactions", [])}
            found[message["id"]] = (message["user_id"], message["content"], deleted, edited, reactions)
        assert list(found.items()) == list(wanted.items())
        members = person.user.all_pages(f"/v1/rooms/{room.id}/members", "members")
        assert {member["user_id"]: member["role"] for member in members} == room.roles

    def list(self, person, _room):
        found = {room["id"]: room for room in person.user.all_pages("/v1/rooms", "rooms")}
        mine = [room for room in self.rooms if not room.gone and person.id in room.roles]
        assert set(found) == {room.id for room in mine}
        for room in mine:
            item = found[room.id]
            shown = [id for id, message in room.messages.items() if not message["deleted"]]
            assert item["my_role"] == room.roles[person.id] and item["member_count"] == len(room.roles)
            assert (item["last_message"] or {}).get("id") == (shown[-1] if shown else None)
            assert item["last_read_id"] == room.marks.get(person.id) and item["name"] == room.name
            assert item["unread_count"] == room.unread(person.id)


@pytest.mark.parametrize("seed", range(1, int(os.environ.get("PARLEY_MODEL_SEEDS", "3")) + 1))
def test_the_server_does_what_the_model_does(new_user, seed):
    run = Run(seed, new_user)
    for number in range(STEPS):
        try:
            run.step()
        except AssertionError as wrong:
            raise AssertionError(f"seed {seed}, step {number}: {wrong}") from wrong
    for person in [*run.people, run.watcher]:
        assert not person.inbox
        person.socket.quiet(0.2, skip=TRANSIENT)
