"""The load of a fault run: rooms with paced senders and observers that come back after everything, as the
clients of the crash test do, and beyond these know "not now" from "no".

Their facts (see tests/crash/clients.py) also have `t`, the seconds since the run began; the checker takes no
notice of it.
"""

import asyncio
import json
import time
from collections import defaultdict

import httpx
from clients import Observer, RestSender, Sender
from parley_client import Api

# Answers after which the same message goes again: what a client is told to do.
NOT_NOW = {"unavailable", "overloaded", "shutting_down", "rate_limited"}
PATIENCE = 3  # seconds without an answer after which a client goes elsewhere
WINDOW = 16  # messages in flight


class Timed:
    began = time.monotonic()
    asleep_until = 0.0  # those who sleep, by the same clock: their lids are closed
    sleeps = False
    stopped = False  # the run has failed: a cancelled task may come back from its wait all the same

    def log(self, **fact):
        super().log(**fact, t=round(time.monotonic() - Timed.began, 4))

    async def run(self):
        while not self.stopped and not await self.attempt():
            self.reconnects += 1
            await asyncio.sleep(self.dice.uniform(0.05, 0.25))
            while self.is_asleep() and not self.stopped:
                await asyncio.sleep(0.1)
        self.log_file.close()


    def is_asleep(self):
        return self.sleeps and time.monotonic() < Timed.asleep_until


class NotNow:
    """A node may answer for a message that is in the log all the same, and one after it may be there before it goes
    again: the order of a sender holds for what one connection was told `sent` for, or was lost with a node. So what
    was put off by an answer, or given up on a node that lives, is noted as sent again (see check.py)."""

    def put_off(self, nonces, code):
        for nonce in nonces:
            self.log(e="again", room=self.room, nonce=nonce, code=code)

    def refused(self, nonce, code):
        if code not in NOT_NOW:
            super().refused(nonce, code)
        self.put_off([nonce] if nonce in self.pending else [], code)
        raise TimeoutError(code)


class PacedSender(Timed, NotNow, Sender):
    """Sends each 1/`rate` s, whatever comes back, up to a window in flight."""

    def __init__(self, *args, user, rate):
        super().__init__(*args, user=user)
        self.pause = 1 / rate

    def frame(self, nonce):
        return json.dumps({"op": "send", "room_id": self.room, **self.body(nonce)})

    async def write(self, socket):
        while not self.finishing:
            if len(self.pending) < WINDOW:
                await socket.send(self.frame(self.next_message()))
            await asyncio.sleep(self.pause * self.dice.uniform(0.5, 1.5))

    async def session(self):
        if self.finishing and not self.pending:
            return True
        async with self.connect() as socket:
            for nonce in list(self.pending):
                await socket.send(self.frame(nonce))
            writer, unanswered = asyncio.create_task(self.write(socket)), None
            try:
                while not (self.finishing and not self.pending):
                    frame = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
                    nonce = frame.get("nonce")
                    if frame["op"] == "sent":
                        self.take(nonce, frame["message"], frame["prev_id"])
                    elif frame["op"] == "error" and frame["code"] in NOT_NOW and nonce:
                        # Nothing new until all that is on its way has its answer; then it goes again, in order.
                        writer.cancel()
                        unanswered = set(self.pending) if unanswered is None else unanswered
                        self.put_off([nonce], frame["code"])
                    elif frame["op"] == "error":
                        self.refused(nonce, frame["code"])
                    if unanswered is not None:
                        unanswered.discard(nonce)
                        if not unanswered:
                            raise TimeoutError("not now")
            except TimeoutError:
                if unanswered is None or unanswered:
                    self.put_off(list(self.pending), "silence")
                raise
            finally:
                writer.cancel()
            return True


class PacedRestSender(Timed, NotNow, RestSender):
    def __init__(self, *args, user, rate):
        super().__init__(*args, user=user)
        self.pause = 1 / rate

    async def session(self):
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(
            base_url=self.server.url, headers=headers, timeout=PATIENCE, trust_env=False
        ) as http:
            while self.pending or not self.finishing:
                if not self.pending:
                    await asyncio.sleep(self.pause)
                    if self.finishing:
                        break
                    self.next_message()
                nonce = next(iter(self.pending))
                answer = await http.post(f"/v1/rooms/{self.room}/messages", json=self.body(nonce))
                if answer.status_code not in (200, 201):
                    self.refused(nonce, answer.json().get("code", answer.status_code))
                self.take(nonce, answer.json())
        return True


class LiveObserver(Timed, Observer):
    """Asks whether the node still lives when it has said nothing for a second."""

    def __init__(self, *args, since):
        super().__init__(*args, since=since)
        self.asked = None

    def failed(self, frame):
        if frame["code"] not in NOT_NOW:
            super().failed(frame)
        raise TimeoutError(frame["code"])

    def take(self, event):
        if self.stopped:
            raise TimeoutError("stopped")
        if self.is_asleep():
            raise TimeoutError("asleep")
        self.asked = None
        super().take(event)

    async def quiet(self, socket):
        if self.stopped:
            raise TimeoutError("stopped")
        now = time.monotonic()
        if self.asked is None:
            self.asked = now
            await socket.send('{"op":"ping"}')
        elif now - self.asked > PATIENCE:
            self.asked = None
            raise TimeoutError("no pong")

    async def session(self):
        self.asked = None
        return await super().session()


class Load:
    """`rooms` rooms of two people, each with `senders` over sockets and one over REST."""

    def __init__(self, server, folder, seed, *, rooms=4, senders=2, observers=2, clocks=(0,), rate=25):
        self.server, self.logs = server, folder
        self.logs.mkdir(parents=True)
        self.senders, self.observers, self.readers = [], [], {}
        api = Api(server)
        for r in range(rooms):
            users = [api.new_user() for _ in range(2)]
            room = users[0].room(users[1])
            self.readers[room] = users[0]
            probe = users[1].socket()
            since = probe.subscribe(room)["last_id"]
            probe.close()
            for s in range(senders + 1):
                kind = PacedRestSender if s == senders else PacedSender
                name = f"room{r}-{'rest' if s == senders else f'sender{s}'}"
                arguments = (server, folder, name, users[s % 2].token, room, seed)
                self.senders.append(kind(*arguments, user=users[s % 2].id, rate=rate))
                self.senders[-1].ahead_s = clocks[len(self.senders) % len(clocks)]
            for o in range(observers):
                arguments = (server, folder, f"room{r}-observer{o}", users[o % 2].token, room, seed)
                self.observers.append(LiveObserver(*arguments, since=since))
                self.observers[-1].sleeps = o % 2 == 1
        api.close()

    async def run(self, nemesis, **times):
        try:
            return await self.run_through(nemesis, **times)
        finally:
            for client in [*self.senders, *self.observers]:
                client.stopped = True

    async def run_through(self, nemesis, *, warm=2.0, after=3.0, patience=60):
        """Load, and while it runs the nemesis; then everybody comes to the end."""
        Timed.began, Timed.asleep_until = time.monotonic(), 0.0
        senders = [asyncio.create_task(client.run()) for client in self.senders]
        observers = [asyncio.create_task(client.run()) for client in self.observers]
        tasks = [*senders, *observers]

        async def story():
            await asyncio.sleep(warm)
            await asyncio.to_thread(nemesis)
            await asyncio.sleep(after)

        told = asyncio.create_task(story())
        # A client ends early only by an error, which is the run's.
        done, _ = await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        for sender in self.senders:
            sender.finishing = True
        self.ended = time.monotonic() - Timed.began
        await asyncio.wait_for(asyncio.gather(*senders), patience)
        newest = await asyncio.to_thread(self.read_history)
        for observer in self.observers:
            observer.until = newest[observer.room]
        _, late = await asyncio.wait(observers, timeout=patience)
        for task in late:  # the checker says what they missed
            task.cancel()
        for observer in self.observers:
            observer.log_file.close()
        for task in set(observers) - late:
            task.result()
        return len(late)

    def read_history(self):
        """Every message of every room into history.jsonl, through each user node; each room's newest id."""
        nodes = [self.server.node(part.name) for part in self.server.local.find("user")]
        newest = {}
        with (self.logs / "history.jsonl").open("w") as out:
            for room, reader in self.readers.items():
                readings = [history_of(node, room, reader.token) for node in nodes]
                if any(reading != readings[0] for reading in readings):
                    raise AssertionError(f"two nodes show different histories of room {room}")
                for message in readings[0]:
                    row = {"room": room, "id": message["id"]}
                    row |= {"user": message["user_id"], "content": message["content"]}
                    out.write(json.dumps(row) + "\n")
                    newest[room] = message["id"]
        return newest

    def longest_pause(self):
        """The longest time in which somebody saw nothing new while people wrote, in seconds."""
        seen = defaultdict(list)
        for observer in self.observers:
            for line in (self.logs / f"{observer.name}.jsonl").open():
                fact = json.loads(line)
                if fact["e"] == "saw" and fact["t"] <= self.ended:
                    seen[observer.name].append(fact["t"])
        pauses = [
            max(b - a for a, b in zip([0, *times], [*times, self.ended]))
            for times in (seen[observer.name] for observer in self.observers)
        ]
        return max(pauses)


def history_of(node, room, token):
    messages, before = [], None
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=node.url, headers=headers, timeout=20, trust_env=False) as http:
        while True:
            params = {"limit": 100, **({"before": before} if before else {})}
            answer = http.get(f"/v1/rooms/{room}/messages", params=params)
            answer.raise_for_status()
            page = answer.json()
            messages += page["messages"]
            before = page["next"]
            if before is None:
                return messages[::-1]
