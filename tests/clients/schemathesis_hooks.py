"""What schemathesis cannot guess: a signed-in user, and ids of things that are there.

Loaded by schemathesis (SCHEMATHESIS_HOOKS). PARLEY_URL names the server.
"""

import itertools
import os
import re
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import schemathesis
from schemathesis import GenerationMode

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from parley_client import Api  # noqa: E402

ID = re.compile(r"[1-9][0-9]{0,18}")
NUMBERS = itertools.count(1)


class World:
    """Ann with a room, in which Bob is too, and a message; mended where a call has taken a part of it away."""

    def __init__(self, url):
        self.api = Api(SimpleNamespace(url=url))
        self.lock = threading.Lock()
        self.ann, self.bob = self.api.new_user(), self.api.new_user()
        self.make()

    def make(self):
        room = self.ann.room(self.bob)
        self.ids = {"room_id": room, "user_id": self.bob.id, "message_id": self.ann.say(room)["id"]}

    def mend(self, lost_session):
        with self.lock:
            if lost_session:
                self.ann = self.ann.sign_in_again()
            self.make()


WORLD = World(os.environ["PARLEY_URL"])


@schemathesis.auth(refresh_interval=None)
class Bearer:
    def get(self, case, context):
        return WORLD.ann.token

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}", "token": data}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Half of the ids that could be there are."""
    for name, value in (path_parameters or {}).items():
        if name in WORLD.ids and isinstance(value, str) and ID.fullmatch(value) and int(value) % 2:
            path_parameters[name] = WORLD.ids[name]
    return path_parameters


TAKES_AWAY = {"deleteCurrentSession", "deleteRoom", "deleteMessage", "leaveRoom", "removeMember", "putMember"}


@schemathesis.hook
def after_call(context, case, response):
    name = case.operation.definition.raw.get("operationId")
    if name in TAKES_AWAY and response.status_code < 300:
        WORLD.mend(lost_session=name == "deleteCurrentSession")


# What a schema cannot say and the document says in words. Only requests that are meant to be good are mended; those
# that are meant to be bad go out as they are.
LINES = {"name", "topic", "display_name", "content"}


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if "classic" in case.operation.definition.raw["tags"]:
        mend_classic(case)
    if case.query:
        case.query.pop("cursor", None)  # opaque: only what a page has answered is one
        if "before" in case.query:
            case.query.pop("after", None)  # one of the two
    if "emoji" in (case.path_parameters or {}):
        case.path_parameters["emoji"] = shown(case.path_parameters["emoji"], 1)[:16]
    if isinstance(case.body, dict):
        case.body = mended(case.body)


CLASSIC_IDS = {"/user/joinroom": "roomid", "/user/members": "room_id", "/user/history": "channel_id"}


def mend_classic(case):
    """One room that is there, named once: in the body or, without one, in the query."""
    name = CLASSIC_IDS.get(case.operation.path)
    in_body = isinstance(case.body, dict)
    if name:
        room = int(WORLD.ids["room_id"])
        if in_body:
            case.query, case.body = {}, {name: room}
        else:
            case.query = {name: room}
    if in_body and "roomname" in case.body:
        case.body["roomname"] = f"room {next(NUMBERS)}"


def mended(body):
    body = {key: value for key, value in body.items() if key not in ("media_id", "avatar_media_id")}  # not served yet
    for name in LINES & body.keys():
        if isinstance(body[name], str):
            body[name] = shown(body[name])[-50:]
    if isinstance(body.get("username"), str):
        body["username"] = f"name{next(NUMBERS)}"
    if body.get("member_ids"):
        body["member_ids"] = [WORLD.bob.id]
    if body.get("reply_to"):
        body["reply_to"] = WORLD.ids["message_id"]
    if body.get("type") == "MEDIA":
        body["type"] = "TEXT"
    return body


def shown(text, least=3):
    """Without what may not stand in a line of text: control and invisible characters, white space alone."""
    plain = "".join(c for c in text if c.isalnum())
    return plain if len(plain) >= least else f"{plain}x{next(NUMBERS)}"
