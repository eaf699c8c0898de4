"""What v1 promises about rooms, in a hundred lines of plain Python: test_model.py holds the server to it.

Written from the contract, not from the server. Every method answers with the event that the change makes, or
None when there is nothing to change, or raises Refused with the code that the caller must get.
"""

RANK = {"member": 1, "admin": 2, "owner": 3}


class Refused(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


def need(condition, code="forbidden"):
    if not condition:
        raise Refused(code)


def checked_content(content):
    content = content.strip()
    need(content, "invalid_field")
    need(len(content) <= 4000, "too_long")
    return content


class Room:
    def __init__(self, id, name, public, roles):
        self.id, self.name, self.public, self.topic, self.gone = id, name, public, "", False
        self.roles = dict(roles)  # by user id
        self.messages = {}  # by id, oldest first
        self.nonces, self.marks = {}, {}
        self.log = [id]  # ids of its events

    def enter(self, user):
        need(not self.gone, "unknown_room")
        need(user in self.roles, "not_a_member" if self.public else "unknown_room")
        return self.roles[user]

    def found(self, message):
        need(message in self.messages, "unknown_message")
        return self.messages[message]

    def owners(self):
        return sum(role == "owner" for role in self.roles.values())

    def event(self, op, **fields):
        return {"op": op, "room_id": self.id, **fields}

    # --- messages
    def send(self, user, nonce, content, reply_to):
        """The event, or the message that this nonce has made before."""
        content = checked_content(content)
        self.enter(user)
        if (user, nonce) in self.nonces:
            message, body = self.nonces[user, nonce]
            need(body == (content, reply_to), "nonce_conflict")
            return None, message
        need(reply_to is None or reply_to in self.messages, "unknown_message")
        message = {"user_id": user, "content": content, "type": "TEXT", "reply_to": reply_to, "reactions": {}}
        return self.event("message", message=message), None

    def store(self, id, user, nonce, body, message):
        """After send, when the server has said which id it is."""
        self.messages[id] = {**message, "edited": False, "deleted": False}
        self.nonces[user, nonce] = (id, body)

    def edit(self, user, id, content):
        content = checked_content(content)
        self.enter(user)
        message = self.found(id)
        need(not message["deleted"], "unknown_message")
        need(message["user_id"] == user)
        message.update(content=content, edited=True)
        return self.event("edited", message={"id": id, "user_id": user, "content": content})

    def delete(self, user, id):
        role = self.enter(user)
        message = self.found(id)
        need(message["user_id"] == user or RANK[role] >= RANK["admin"])
        if message["deleted"]:
            return None
        message.update(content="", deleted=True, reactions={})
        return self.event("deleted", message_id=id)

    def react(self, user, id, emoji, added):
        self.enter(user)
        message = self.found(id)
        need(not message["deleted"], "unknown_message")
        users = message["reactions"].setdefault(emoji, [])
        if (user in users) == added:
            return None
        (users.append if added else users.remove)(user)
        return self.event("reaction", message_id=id, user_id=user, emoji=emoji, added=added)

    def read(self, user, id):
        self.enter(user)
        self.found(id)
        self.marks[user] = max(self.marks.get(user, "0"), id, key=int)

    def unread(self, user):
        mark = int(self.marks.get(user, "0"))
        return sum(
            int(id) > mark and m["user_id"] != user and not m["deleted"] for id, m in self.messages.items()
        )

    # --- members and the room
    def member(self, user, action):
        role = self.roles[user] if action in {"joined", "role"} else self.roles.pop(user)
        return self.event("member", user_id=user, action=action, role=role)

    def join(self, user):
        need(not self.gone and (self.public or user in self.roles), "unknown_room")
        if user in self.roles:
            return None
        self.roles[user] = "member"
        return self.member(user, "joined")

    def leave(self, user):
        need(self.enter(user) != "owner" or self.owners() > 1, "last_owner")
        return self.member(user, "left")

    def put(self, user, subject, role):
        own, present = RANK[self.enter(user)], self.roles.get(subject)
        need(own >= RANK["admin"])
        need(RANK[role] <= own and (present is None or RANK[present] <= own))
        need(not (present == "owner" != role and self.owners() == 1), "last_owner")
        if present == role:
            return None
        self.roles[subject] = role
        return self.member(subject, "role" if present else "joined")

    def kick(self, user, subject):
        if subject == user:
            return self.leave(user)
        own, present = RANK[self.enter(user)], self.roles.get(subject)
        need(own >= RANK["admin"] and (present is None or RANK[present] <= own))
        return self.member(subject, "removed") if present else None

    def change(self, user, taken, **fields):
        need(RANK[self.enter(user)] >= RANK["admin"])
        need(3 <= len(fields.get("name", self.name)) <= 50, "invalid_field")
        need(fields.get("name", self.name).casefold() not in taken, "room_name_taken")
        before = (self.name, self.topic, self.public)
        self.name, self.topic = fields.get("name", self.name), fields.get("topic", self.topic)
        self.public = fields.get("visibility", "public" if self.public else "private") == "public"
        if before == (self.name, self.topic, self.public):
            return None
        visibility = "public" if self.public else "private"
        return self.event("room", room={"name": self.name, "topic": self.topic, "visibility": visibility})

    def remove(self, user):
        need(self.enter(user) == "owner")
        self.gone = True
        return self.event("room", room={"deleted": True})
