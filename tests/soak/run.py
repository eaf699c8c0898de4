"""A mixed soak: people chat on both surfaces, type, read, react, edit, come and go, sign up and out, stall and drop.

    python tests/soak/run.py --seconds 180        (PARLEY_SOAK_SECONDS; hours are fine)

Each chatter follows the chain of prev_id through every drop and resume, so an event that is missing, doubled or
out of order is noticed when it comes; at the end every acknowledged message must be in history once. No answer may
be a 5xx. After a warm-up of a third, memory, descriptors and threads of the server must be flat: threads do not
change, descriptors return to where they began, and memory grows by no more than MEMORY_GROWTH a minute.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from parley_client import new_nonce, unique  # noqa: E402
from parley_server import Server  # noqa: E402

CHATTERS, CHURNERS, STALLED, CLASSIC = 20, 4, 2, 4
ROOMS = 4  # of which room 0 has everybody, and is large for this server
LARGE = 12
PASSWORD = "correct horse battery"
# What SQLite's caches and the allocator may still fill after the warm-up of a short run, in bytes a minute; of
# a long one nothing may be left of it.
MEMORY_GROWTH, MEMORY_SLACK = 1024 * 1024, 12 * 1024 * 1024
EVENTS = {"message", "edited", "deleted", "reaction", "member", "room"}


class Broken(Exception):
    pass


class Soak:
    def __init__(self, server, seconds, seed):
        self.server, self.seconds, self.random = server, seconds, random.Random(seed)
        self.end = time.monotonic() + seconds
        self.http = httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False)
        self.troubles, self.counts = [], {}
        self.acknowledged = {}  # room -> {message id: content}
        self.rooms = []
        self.refused_5xx = 0

    def over(self):
        return time.monotonic() > self.end or bool(self.troubles)

    def count(self, what, n=1):
        self.counts[what] = self.counts.get(what, 0) + n

    def trouble(self, text):
        self.troubles.append(text)

    async def call(self, method, path, token=None, **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self.http.request(method, path, headers=headers, **options)
        self.count("REST calls")
        if answer.status_code >= 500:
            self.trouble(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    async def sign_up(self):
        name = unique("s")
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        answer = await self.call("POST", "/v1/users", json=body)
        if answer.status_code != 201:
            raise Broken(f"sign-up: {answer.text[:200]}")
        return {"name": name, **answer.json()}

    # --- who does what

    async def prepare(self):
        self.people = [await self.sign_up() for _ in range(CHATTERS + CHURNERS)]
        chatters = self.people[:CHATTERS]
        for number in range(ROOMS):
            members = chatters if number == 0 else chatters[number::ROOMS]
            body = {"name": unique("soak "), "kind": "group", "visibility": "public",
                    "member_ids": [person["user"]["id"] for person in members[1:]]}
            answer = await self.call("POST", "/v1/rooms", members[0]["access_token"], json=body)
            room = answer.json()["id"]
            self.rooms.append((room, members))
            self.acknowledged[room] = {}

    async def churner(self, person):
        """Joins and leaves; an event each time, which every chatter must see in its place."""
        token = person["access_token"]
        while not self.over():
            room, _ = self.random.choice(self.rooms)
            for what in ("join", "leave"):
                await self.call("POST", f"/v1/rooms/{room}/{what}", token)
                self.count("joins and leaves")
                await asyncio.sleep(self.random.uniform(0.05, 0.5))

    async def accounts(self):
        while not self.over():
            person = await self.sign_up()
            login = await self.call("POST", "/v1/sessions", json={"username": person["name"], "password": PASSWORD})
            fresh = await self.call("POST", "/v1/sessions/refresh",
                                    json={"refresh_token": login.json()["refresh_token"]})
            await self.call("DELETE", "/v1/sessions/current", fresh.json()["access_token"])
            self.count("sign-ups with log-in, refresh and log-out")
            await asyncio.sleep(0.3)

    async def reader(self, person, rooms):
        token = person["access_token"]
        while not self.over():
            room = self.random.choice(rooms)
            for path in ("/v1/rooms", f"/v1/rooms/{room}/messages?limit=100", f"/v1/rooms/{room}/members",
                         f"/v1/rooms/{room}", "/v1/rooms/directory?query=soak", "/v1/me"):
                answer = await self.call("GET", path, token)
                if answer.status_code != 200:
                    self.trouble(f"{path}: {answer.status_code} {answer.text[:200]}")
            body = {"nonce": new_nonce(), "type": "TEXT", "content": f"over REST {self.random.random()}"}
            answer = await self.call("POST", f"/v1/rooms/{room}/messages", token, json=body)
            if answer.status_code == 201:
                self.acknowledged[room][answer.json()["id"]] = body["content"]
            await asyncio.sleep(0.2)

    async def stalled(self, person, room):
        """Subscribes and then reads nothing; the others must not care."""
        while not self.over():
            async with connect(self.server.ws_url, max_queue=1, close_timeout=1,
                               **self.socket_options(person)) as socket:
                await socket.send(json.dumps({"op": "subscribe", "room_id": room}))
                await asyncio.sleep(min(15, max(1, self.end - time.monotonic())))
                socket.transport.abort()
                self.count("stalled readers")

    def socket_options(self, person):
        headers = {"Authorization": f"Bearer {person['access_token']}"}
        return {"additional_headers": headers, "subprotocols": ["parley.v1"], "compression": None, "proxy": None,
                "ping_interval": None, "max_size": None}

    async def classic(self, person, room):
        """A client of the Go application: one socket for the room, no resume; what it says it hears, once."""
        path = f"/ws/user/joinRoom?roomid={room}&roomname=soak"
        options = {"additional_headers": {"token": person["access_token"]}, "compression": None, "proxy": None,
                   "ping_interval": None, "close_timeout": 2}
        url = self.server.ws_url.removesuffix("/v1/ws") + path
        last, said = 0, set()
        while not self.over():
            leave_at, act_at = time.monotonic() + self.random.uniform(2, 12), time.monotonic()
            async with connect(url, **options) as socket:
                self.count("classic connections")
                while time.monotonic() < leave_at and not self.over():
                    try:
                        frame = json.loads(await asyncio.wait_for(socket.recv(), 0.1))
                    except asyncio.TimeoutError:
                        frame = {}
                    if frame.get("event_type") == "chat":
                        if frame["id"] <= last:
                            self.trouble(f"classic: {frame['id']} came after {last}")
                        last = frame["id"]
                        self.count("classic messages checked")
                        if frame["content"] in said:
                            said.remove(frame["content"])
                            self.acknowledged[room][str(frame["id"])] = frame["content"]
                    elif frame.get("event_type") == "error":
                        self.trouble(f"classic: {frame}")
                    if time.monotonic() >= act_at:
                        act_at = time.monotonic() + self.random.uniform(0.1, 0.8)
                        content = f"classic {self.random.random()}"
                        said.add(content)
                        chat = {"event_type": "chat", "message_type": "TEXT", "content": content, "media_id": ""}
                        beat = {"event_type": "heartbeat"}
                        await socket.send(json.dumps(self.random.choice([chat, chat, beat])))
                if self.random.random() < 0.5:
                    socket.transport.abort()

    async def finish(self):
        """Every acknowledged message once in history, and nothing that nobody sent."""
        for room, members in self.rooms:
            seen, path = {}, f"/v1/rooms/{room}/messages?limit=100"
            before = ""
            while True:
                page = (await self.call("GET", path + before, members[0]["access_token"])).json()
                for message in page["messages"]:
                    if message["id"] in seen:
                        self.trouble(f"message {message['id']} is in history twice")
                    seen[message["id"]] = message
                if page["next"] is None:
                    break
                before = f"&before={page['next']}"
            lost = [i for i in self.acknowledged[room] if i not in seen]
            if lost:
                self.trouble(f"{len(lost)} acknowledged messages are not in history, the first {lost[0]}")
            self.count("messages in history", len(seen))


class Chatter:
    def __init__(self, soak, person, rooms):
        self.soak, self.person, self.rooms = soak, person, rooms
        self.random = random.Random(soak.random.random())
        self.last = {}  # room -> last event id
        self.mine = {room: [] for room in rooms}
        self.newest = {}
        self.pending = {}  # nonce -> (room, content)

    async def run(self):
        while not self.soak.over():
            options = {"max_queue": None, "close_timeout": 2, **self.soak.socket_options(self.person)}
            try:
                async with connect(self.soak.server.ws_url, **options) as socket:
                    await self.converse(socket)
            except ConnectionClosed:
                self.soak.count("connections that the server closed")
            self.soak.count("connections")

    async def converse(self, socket):
        leave_at = time.monotonic() + self.random.uniform(2, 12)
        self.live = set()
        for room in self.rooms:
            await self.subscribe(socket, room)
        act_at = time.monotonic()
        while time.monotonic() < leave_at and not self.soak.over():
            try:
                wait = max(0.001, act_at - time.monotonic())
                self.take(json.loads(await asyncio.wait_for(socket.recv(), wait)), socket)
                while self.again:
                    await self.subscribe(socket, self.again.pop())
            except asyncio.TimeoutError:
                pass
            if time.monotonic() >= act_at:
                act_at = time.monotonic() + self.random.uniform(0.05, 0.6)
                await self.act(socket)
        if self.random.random() < 0.5:
            socket.transport.abort()  # a network that is gone
            self.soak.count("drops")

    again = []

    async def subscribe(self, socket, room):
        ask = {"op": "subscribe", "room_id": room}
        if room in self.last:
            ask["since"] = self.last[room]
        await socket.send(json.dumps(ask))

    async def act(self, socket):
        room = self.random.choice(self.rooms)
        newest = self.newest.get(room)
        what = self.random.random()
        if what < 0.5:
            nonce, content = new_nonce(), f"{self.person['name']} says {self.random.random()}"
            self.pending[nonce] = (room, content)
            body = {"op": "send", "room_id": room, "nonce": nonce, "type": "TEXT", "content": content}
        elif what < 0.65:
            body = {"op": "typing", "room_id": room}
            if room not in self.live:
                return
        elif what < 0.85 and newest:
            body = {"op": "read", "room_id": room, "message_id": newest}
        elif what < 0.95 and newest:
            body = {"op": "react", "room_id": room, "message_id": newest, "emoji": "👍",
                    "added": self.random.random() < 0.5}
        elif self.mine[room]:
            body = {"op": "edit", "room_id": room, "message_id": self.random.choice(self.mine[room][-20:]),
                    "content": f"better {self.random.random()}"}
        else:
            return
        await socket.send(json.dumps(body))
        self.soak.count("ops " + body["op"])

    def take(self, frame, socket):
        op = frame["op"]
        if op == "subscribed":
            self.take_subscribed(frame)
        elif op in EVENTS or op == "sent":
            event_id = frame["message"]["id"] if op == "sent" else frame["id"]
            # The answer to a send comes also when the message was in a `subscribed` already; it is not a second one.
            known = op == "sent" and int(event_id) <= int(self.last.get(frame["room_id"], 0))
            if frame["room_id"] in self.live and not known:
                self.take_event(frame, event_id)
            if op == "sent":
                room, content = self.pending.pop(frame["nonce"])
                self.soak.acknowledged[room][frame["message"]["id"]] = content
                self.mine[room].append(frame["message"]["id"])
        elif op == "error":
            self.soak.trouble(f"{self.person['name']} got {frame}")

    def take_subscribed(self, frame):
        room = frame["room_id"]
        self.soak.count("resumes" if room in self.last else "first subscriptions")
        if room in self.last:
            for event in frame["events"]:
                self.take_event({**event, "room_id": room}, event["id"])
            self.soak.count("events in resumes", len(frame["events"]))
            if frame["more"]:
                return self.again.append(room)
        self.last[room] = frame["last_id"]
        self.live.add(room)

    def take_event(self, frame, event_id):
        room = frame["room_id"]
        if frame["prev_id"] != self.last[room] or int(event_id) <= int(self.last[room]):
            self.soak.trouble(f"{self.person['name']}: after {self.last[room]} came {json.dumps(frame)[:300]}")
        self.last[room] = event_id
        self.soak.count("events checked")
        if frame["op"] in ("message", "sent"):
            self.newest[room] = event_id


# --- the server's resources


def resources(pid):
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    return {"memory": pages * os.sysconf("SC_PAGESIZE"), "descriptors": len(list((process / "fd").iterdir())),
            "threads": len(list((process / "task").iterdir()))}


def slope(samples, what):
    """Least squares, a minute."""
    n = len(samples)
    mean_t = sum(t for t, _ in samples) / n
    mean_v = sum(s[what] for _, s in samples) / n
    over = sum((t - mean_t) * (s[what] - mean_v) for t, s in samples)
    under = sum((t - mean_t) ** 2 for t, _ in samples) or 1
    return 60 * over / under


def judge(samples, seconds, troubles):
    warm = [(t, s) for t, s in samples if t > seconds / 3]
    if len(warm) < 3:
        return
    threads = {s["threads"] for _, s in warm}
    if len(threads) > 1:
        troubles.append(f"threads came or went: {sorted(threads)}")
    rise = slope(warm, "memory")
    allowed = MEMORY_GROWTH + MEMORY_SLACK * 60 / seconds
    print(f"memory: {warm[0][1]['memory'] / 1e6:.1f} MB to {warm[-1][1]['memory'] / 1e6:.1f} MB, "
          f"{rise / 1024:+.0f} KiB a minute (at most {allowed / 1024:.0f})")
    if rise > allowed:
        troubles.append(f"memory grows by {rise / 1024:.0f} KiB a minute")
    drift = slope(warm, "descriptors")
    print(f"descriptors: {min(s['descriptors'] for _, s in warm)} to {max(s['descriptors'] for _, s in warm)}, "
          f"{drift:+.1f} a minute; threads: {threads}")
    if drift > 10:
        troubles.append(f"descriptors grow by {drift:.1f} a minute")


async def soak(server, seconds, seed):
    before = resources(server.pid)
    run = Soak(server, seconds, seed)
    await run.prepare()
    chatters = [Chatter(run, person, [room for room, members in run.rooms if person in members])
                for person in run.people[:CHATTERS]]
    tasks = [chatter.run() for chatter in chatters]
    tasks += [run.churner(person) for person in run.people[CHATTERS:]]
    tasks += [run.stalled(person, run.rooms[0][0]) for person in run.people[:STALLED]]
    tasks += [run.classic(person, run.rooms[1][0]) for person in run.rooms[1][1][:CLASSIC]]
    tasks += [run.accounts(), run.reader(run.people[0], [run.rooms[0][0]])]
    samples, started = [], time.monotonic()

    async def watch():
        while not run.over():
            samples.append((time.monotonic() - started, resources(server.pid)))
            await asyncio.sleep(min(2, seconds / 20))

    done = await asyncio.gather(*tasks, watch(), return_exceptions=True)
    run.troubles += [f"{type(failure).__name__}: {failure}" for failure in done if isinstance(failure, BaseException)]
    await run.finish()
    await run.http.aclose()
    judge(samples, time.monotonic() - started, run.troubles)
    end = time.monotonic() + 15
    while resources(server.pid)["descriptors"] > before["descriptors"] + 2 and time.monotonic() < end:
        await asyncio.sleep(0.2)
    after = resources(server.pid)
    if after["descriptors"] > before["descriptors"] + 2:
        run.troubles.append(f"{after['descriptors']} descriptors at the end, {before['descriptors']} at the start")
    for what, count in sorted(run.counts.items()):
        print(f"{what}: {count}")
    worked = ("events in resumes", "events checked", "classic messages checked")
    if not all(run.counts.get(what) for what in worked):
        run.troubles.append("the soak did not do its work: no event was checked, or none resumed")
    return run.troubles


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("PARLEY_SOAK_SECONDS", "180")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PARLEY_SOAK_SEED", time.time_ns() % 2**32)))
    arguments = parser.parse_args()
    print(f"soak of {arguments.seconds:.0f} s, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="parley-soak-") as folder:
        environment = {"PARLEY_PRESENCE_ROOM_MAX": str(LARGE), "PARLEY_PRESENCE_GRACE_MS": "1000"}
        server = Server(Path(folder), environment=environment).start()
        try:
            troubles = asyncio.run(soak(server, arguments.seconds, arguments.seed))
            status = server.stop()
        finally:
            server.kill()
        if status != 0:
            troubles.append(f"the server ended with {status}")
        if errors := [line for line in server.log().splitlines() if '"level":"error"' in line]:
            troubles.append(f"the server's log has an error: {errors[0][:300]}")
    for trouble in troubles[:20]:
        print(f"FAILED: {trouble}")
    print("sound" if not troubles else f"{len(troubles)} troubles")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
