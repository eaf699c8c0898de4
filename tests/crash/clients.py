"""The clients of the crash test. Each writes down what it did and what it saw, one JSON line a fact:

sender    {"e": "send", "room", "user", "nonce", "content"}     before the first try
          {"e": "ok", "room", "nonce", "id", "prev_id"}         each acknowledgement
          {"e": "refused", "room", "nonce", "code"}             a definite no
          {"e": "again", "room", "nonce", "code"}               "not now": its place is free to change
observer  {"e": "start", "room", "since"}                       what it has before its first event
          {"e": "saw", "room", "id", "prev_id", "user", "content"}

A send with neither `ok` nor `refused` is unknown: it may be in history, once, or not.
"""

import asyncio
import itertools
import json
import random
import time

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

GONE = (OSError, EOFError, TimeoutError, WebSocketException, httpx.TransportError)
WINDOW = 32


def uuid7(dice, ahead_s=0):
    ms = time.time_ns() // 1_000_000 + ahead_s * 1000
    tail = f"{dice.getrandbits(72):018x}"
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{tail[:3]}-8{tail[3:6]}-{tail[6:]}"


class Client:
    def __init__(self, server, folder, name, token, room, seed):
        self.server, self.name, self.token, self.room = server, name, token, room
        self.dice = random.Random(f"{seed} {name}")
        self.log_file = (folder / f"{name}.jsonl").open("w")
        self.reconnects = 0

    def log(self, **fact):
        self.log_file.write(json.dumps(fact) + "\n")

    async def run(self):
        """Comes back after every loss until it is done."""
        while not await self.attempt():
            self.reconnects += 1
            await asyncio.sleep(self.dice.uniform(0.01, 0.05))
        self.log_file.close()

    async def attempt(self):
        try:
            return await self.session()
        except GONE:
            return False

    def connect(self):
        return connect(
            self.server.ws_url,
            subprotocols=["parley.v1"],
            additional_headers={"Authorization": f"Bearer {self.token}"},
            compression=None,
            ping_interval=None,
            open_timeout=3,
            close_timeout=1,
            max_size=None,
            max_queue=None,
            proxy=None,
        )


class Sender(Client):
    """Keeps a window of messages in flight; what is unknown after a loss goes again, in order."""

    def __init__(self, *args, user):
        super().__init__(*args)
        self.user = user
        self.numbers = itertools.count()
        self.pending = {}  # nonce -> content, oldest first
        self.ahead_s = 0  # of its clock
        self.finishing = False
        self.acknowledged = 0

    def next_message(self):
        nonce = uuid7(self.dice, self.ahead_s)
        content = f"{self.name} {next(self.numbers):07d} {nonce[-6:]}"
        self.log(e="send", room=self.room, user=self.user, nonce=nonce, content=content)
        self.pending[nonce] = content
        return nonce

    def body(self, nonce):
        return {"nonce": nonce, "type": "TEXT", "content": self.pending[nonce]}

    def take(self, nonce, message, prev_id=None):
        self.log(e="ok", room=self.room, nonce=nonce, id=message["id"], prev_id=prev_id)
        if self.pending.pop(nonce, None) is not None:
            self.acknowledged += 1

    def refused(self, nonce, code):
        self.log(e="refused", room=self.room, nonce=nonce, code=code)
        raise RuntimeError(f"{self.name}: {code}")

    async def session(self):
        if self.finishing and not self.pending:
            return True
        async with self.connect() as socket:

            async def send(nonce):
                frame = {"op": "send", "room_id": self.room, **self.body(nonce)}
                await socket.send(json.dumps(frame))

            for nonce in list(self.pending):
                await send(nonce)
            while not (self.finishing and not self.pending):
                while len(self.pending) < WINDOW and not self.finishing:
                    await send(self.next_message())
                frame = json.loads(await asyncio.wait_for(socket.recv(), 5))
                if frame["op"] == "sent":
                    self.take(frame["nonce"], frame["message"], frame["prev_id"])
                elif frame["op"] == "error":
                    self.refused(frame.get("nonce"), frame["code"])
            return True


class RestSender(Sender):
    """The same over REST, one at a time."""

    async def session(self):
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(
            base_url=self.server.url, headers=headers, timeout=5, trust_env=False
        ) as http:
            while True:
                if not self.pending:
                    if self.finishing:
                        return True
                    self.next_message()
                nonce = next(iter(self.pending))
                answer = await http.post(f"/v1/rooms/{self.room}/messages", json=self.body(nonce))
                if answer.status_code not in (200, 201):
                    self.refused(nonce, answer.json().get("code", answer.status_code))
                self.take(nonce, answer.json())


class Observer(Client):
    """Follows its room by `since` over every loss, and cuts its own connection now and then."""

    def __init__(self, *args, since):
        super().__init__(*args)
        self.last_id = since
        self.until = None  # done once it has this id
        self.log(e="start", room=self.room, since=since)

    def take(self, event):
        if event["op"] != "message":
            return
        message = event["message"]
        self.log(
            e="saw",
            room=event["room_id"],
            id=event["id"],
            prev_id=event["prev_id"],
            user=message["user_id"],
            content=message["content"],
        )
        self.last_id = event["id"]

    def failed(self, frame):
        raise RuntimeError(f"{self.name}: {frame}")

    async def quiet(self, socket):
        """Nothing has come for a while."""

    async def session(self):
        async with self.connect() as socket:
            subscribe = {"op": "subscribe", "room_id": self.room}
            await socket.send(json.dumps({**subscribe, "since": self.last_id}))
            events_left = self.dice.randrange(200, 4000)
            while self.last_id != self.until:
                try:
                    frame = json.loads(await asyncio.wait_for(socket.recv(), 0.25))
                except TimeoutError:
                    await self.quiet(socket)
                    continue
                if frame["op"] == "subscribed":
                    for event in frame["events"]:
                        self.take(event)
                    if frame["more"]:
                        await socket.send(json.dumps({**subscribe, "since": self.last_id}))
                elif frame["op"] == "error":
                    self.failed(frame)
                else:
                    self.take(frame)
                events_left -= 1
                if events_left == 0:
                    socket.transport.abort()
            return True
