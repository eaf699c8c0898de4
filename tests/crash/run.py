#!/usr/bin/env python3
"""Crash test: senders at full speed, kill -9 of the server at random moments, start it again, and
a checker of its own that reads the clients' logs and history.

    run.py [--rounds 20] [--seed N] [--rooms 4] [--senders 2] [--observers 2] [--keep FOLDER]
"""

import argparse
import asyncio
import json
import random
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from clients import Observer, RestSender, Sender  # noqa: E402
from parley_client import Api  # noqa: E402
from parley_server import Server  # noqa: E402


class Crash:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.dice = random.Random(arguments.seed)
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        self.server = Server(folder / "server").start()
        self.senders, self.observers, self.readers = [], [], {}

    def make_clients(self):
        api, seed = Api(self.server), self.arguments.seed
        for r in range(self.arguments.rooms):
            users = [api.new_user() for _ in range(2)]
            room = users[0].room(users[1])
            self.readers[room] = users[0]
            probe = users[1].socket()
            since = probe.subscribe(room)["last_id"]
            probe.close()
            common = (self.server, self.logs)
            for s in range(self.arguments.senders + 1):
                kind = RestSender if s == self.arguments.senders else Sender
                user = users[s % 2]
                name = f"room{r}-{'rest' if kind is RestSender else f'sender{s}'}"
                self.senders.append(kind(*common, name, user.token, room, seed, user=user.id))
            for o in range(self.arguments.observers):
                user = users[o % 2]
                name = f"room{r}-observer{o}"
                self.observers.append(Observer(*common, name, user.token, room, seed, since=since))

    async def nemesis(self):
        for number in range(1, self.arguments.rounds + 1):
            # Most crashes come under full load, some while clients are still coming back.
            delay = self.dice.choice([self.dice.uniform(0, 0.2), self.dice.uniform(0.3, 2.2)])
            await asyncio.sleep(delay)
            if self.server.process.poll() is not None:
                raise RuntimeError(f"the server died by itself:\n{self.server.log()[-4000:]}")
            await asyncio.to_thread(self.server.kill)
            begin = time.monotonic()
            await asyncio.to_thread(self.server.start)
            acknowledged = sum(sender.acknowledged for sender in self.senders)
            print(
                f"round {number:2}: killed after {delay:.2f} s, back in"
                f" {time.monotonic() - begin:.2f} s, {acknowledged} acknowledged",
                flush=True,
            )

    async def drive(self):
        tasks = [asyncio.create_task(c.run()) for c in self.senders + self.observers]
        nemesis = asyncio.create_task(self.nemesis())
        # A client ends early only by an error, which is the run's.
        done, _ = await asyncio.wait([nemesis, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if not nemesis.done():
            raise RuntimeError("a client ended before the crashes did")
        await asyncio.sleep(0.5)
        for sender in self.senders:
            sender.finishing = True
        await asyncio.wait_for(asyncio.gather(*tasks[: len(self.senders)]), 30)
        newest = await asyncio.to_thread(self.read_history)
        for observer in self.observers:
            observer.until = newest[observer.room]
        try:
            await asyncio.wait_for(asyncio.gather(*tasks[len(self.senders) :]), 30)
        except TimeoutError:
            print("an observer never got to the end", flush=True)  # the checker says what it missed
            for observer in self.observers:
                observer.log_file.flush()

    def read_history(self):
        """Every message of every room; and each room's newest id."""
        newest = {}
        with (self.logs / "history.jsonl").open("w") as out:
            for room, reader in self.readers.items():
                path = f"/v1/rooms/{room}/messages"
                for m in reader.all_pages(path, "messages", "before")[::-1]:
                    row = {
                        "room": room,
                        "id": m["id"],
                        "user": m["user_id"],
                        "content": m["content"],
                    }
                    out.write(json.dumps(row) + "\n")
                    newest[room] = m["id"]
        return newest

    def run(self):
        try:
            self.make_clients()
            asyncio.run(self.drive())
            return self.server.stop()
        finally:
            self.server.kill()


def main():
    parser = argparse.ArgumentParser(description="Crash test of the server")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--rooms", type=int, default=4)
    parser.add_argument("--senders", type=int, default=2, help="per room, beside one over REST")
    parser.add_argument("--observers", type=int, default=2, help="per room")
    parser.add_argument("--keep", type=Path, help="leave logs and data in this new folder")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="parley-crash-") as temporary:
        crash = Crash(arguments, arguments.keep or Path(temporary))
        status = crash.run()
        if status != 0:
            sys.exit(f"the server ended with {status}")
        returned = subprocess.run([sys.executable, str(HERE / "check.py"), str(crash.logs)])
        back = sum(client.reconnects for client in crash.senders + crash.observers)
        print(f"{arguments.rounds} crashes, {back} reconnects, seed {arguments.seed}")
        sys.exit(returned.returncode)


if __name__ == "__main__":
    main()
