#!/usr/bin/env python3
"""Compares what was acknowledged and seen with history, from the logs of a run alone.

    check.py FOLDER

FOLDER has one JSONL file a client (see clients.py) and history.jsonl: every message of every room,
as read over REST after the last restart, a room's messages in the order in which they came.

    lost       acknowledged, or seen by somebody, and not in history (or there with another text)
    doubled    twice in history, twice seen by one observer, or acknowledged under two ids
    reordered  history or an observer's view is not in the order of ids, a prev_id does not name the
               message before it, or the messages of one sender are not in the order it sent them
    invented   in history or seen, but never sent so, or definitely refused
    missed     in history after an observer's start, but never seen by it

Prints one JSON object; the exit status is 0 when all five are 0.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

VERDICTS = ("lost", "doubled", "reordered", "invented", "missed")


class Checker:
    def __init__(self, folder):
        self.found = {verdict: [] for verdict in VERDICTS}
        self.sends = {}  # (room, user, content) -> (sender, nth), content is unique by itself
        self.sent_as = {}  # (room, nonce) -> content
        self.acknowledged = []  # (room, nonce, id, prev_id)
        self.refused = set()  # (room, content)
        self.again = set()  # (room, nonce): was told "not now", and went once more, later
        self.observers = {}  # name -> {"room", "since", "saw": [...]}
        self.history = defaultdict(list)  # room -> [(id, user, content)]
        refusals = []
        for path in sorted(Path(folder).glob("*.jsonl")):
            with path.open() as lines:
                for line in lines:
                    self.read(path.stem, json.loads(line), refusals)
        self.refused = {(room, self.sent_as.get((room, nonce))) for room, nonce in refusals}
        self.again = {(room, self.sent_as.get((room, nonce))) for room, nonce in self.again}
        self.place = {
            room: {row[0]: i for i, row in enumerate(rows)} for room, rows in self.history.items()
        }

    def read(self, name, fact, refusals):
        if name == "history":
            self.history[fact["room"]].append((int(fact["id"]), fact["user"], fact["content"]))
        elif fact["e"] == "send":
            key = (fact["room"], fact["user"], fact["content"])
            self.sends[key] = (name, len(self.sends))
            self.sent_as[fact["room"], fact["nonce"]] = fact["content"]
        elif fact["e"] == "ok":
            prev_id = int(fact["prev_id"]) if fact["prev_id"] else None
            self.acknowledged.append((fact["room"], fact["nonce"], int(fact["id"]), prev_id))
        elif fact["e"] == "refused":
            refusals.append((fact["room"], fact["nonce"]))
        elif fact["e"] == "again":
            self.again.add((fact["room"], fact["nonce"]))
        elif fact["e"] == "start":
            start = {"room": fact["room"], "since": int(fact["since"]), "saw": []}
            self.observers[name] = start
        elif fact["e"] == "saw":
            prev_id = int(fact["prev_id"]) if fact["prev_id"] else None
            row = (int(fact["id"]), prev_id, fact["room"], fact["user"], fact["content"])
            self.observers[name]["saw"].append(row)

    def report(self, verdict, what):
        self.found[verdict].append(what)

    def check(self):
        for room, rows in self.history.items():
            self.check_history(room, rows)
        self.check_acknowledged()
        for name, observer in self.observers.items():
            self.check_observer(name, observer)
        return self.found

    def check_history(self, room, rows):
        contents = Counter((user, content) for _, user, content in rows)
        for (user, content), times in contents.items():
            if times > 1:
                self.report("doubled", f"history of {room}: {times} × {content!r}")
            if (room, user, content) not in self.sends:
                self.report("invented", f"history of {room}: {content!r} by {user}")
            elif (room, content) in self.refused:
                self.report("invented", f"history of {room}: {content!r}, which was refused")
        for before, after in zip(rows, rows[1:]):
            if after[0] <= before[0]:
                self.report("reordered", f"history of {room}: {after[0]} after {before[0]}")
        newest_of = {}
        for _, user, content in rows:
            sender, nth = self.sends.get((room, user, content), (None, None))
            if sender is None or contents[user, content] > 1 or (room, content) in self.again:
                continue
            if nth < newest_of.get(sender, -1):
                self.report(
                    "reordered", f"history of {room}: {content!r} after a later one of its sender"
                )
            newest_of[sender] = max(nth, newest_of.get(sender, -1))

    def check_acknowledged(self):
        ids = {}
        for room, nonce, id, prev_id in self.acknowledged:
            if ids.setdefault((room, nonce), id) != id:
                self.report(
                    "doubled", f"{nonce} in {room} acknowledged as {ids[room, nonce]} and {id}"
                )
                continue
            at = self.place.get(room, {}).get(id)
            if at is None:
                self.report("lost", f"{self.sent_as.get((room, nonce))!r}, acknowledged as {id}")
            elif self.history[room][at][2] != self.sent_as.get((room, nonce)):
                self.report("lost", f"{id} was acknowledged for another text than it has")
            elif prev_id is not None:
                self.check_previous(f"the acknowledgement of {id}", room, at, prev_id)

    def check_previous(self, where, room, at, prev_id):
        """Nothing but messages happens in a run, so the event before a message is a message."""
        if at > 0 and self.history[room][at - 1][0] != prev_id:
            before = self.history[room][at - 1][0]
            self.report("reordered", f"{where}: prev_id {prev_id}, but history has {before}")

    def check_observer(self, name, observer):
        room, saw = observer["room"], observer["saw"]
        seen, last = set(), observer["since"]
        for id, prev_id, of_room, user, content in saw:
            at = self.place.get(room, {}).get(id)
            if id in seen:
                self.report("doubled", f"{name} saw {id} twice")
                continue
            seen.add(id)
            if of_room != room or (room, user, content) not in self.sends:
                self.report("invented", f"{name} saw {content!r} by {user} in {of_room}")
            elif at is None:
                self.report("lost", f"{name} saw {id}, which is not in history")
            elif self.history[room][at][1:] != (user, content):
                self.report("invented", f"{name} saw {content!r} as {id}")
            elif id <= last:
                self.report("reordered", f"{name} saw {id} after {last}")
            elif prev_id is not None:
                self.check_previous(f"{name} at {id}", room, at, prev_id)
            last = max(last, id)
        expected = [id for id, *_ in self.history[room] if id > observer["since"]]
        for id in expected:
            if id not in seen:
                self.report("missed", f"{name} never saw {id}")


def main():
    checker = Checker(sys.argv[1])
    found = checker.check()
    summary = {verdict: len(what) for verdict, what in found.items()}
    summary["sent"] = len(checker.sends)
    summary["acknowledged"] = len({(room, nonce) for room, nonce, *_ in checker.acknowledged})
    summary["in_history"] = sum(len(rows) for rows in checker.history.values())
    summary["seen"] = sum(len(o["saw"]) for o in checker.observers.values())
    summary["examples"] = {verdict: what[:5] for verdict, what in found.items() if what}
    print(json.dumps(summary, indent=1))
    empty = summary["acknowledged"] == 0 or summary["seen"] == 0
    sys.exit(1 if empty or any(found.values()) else 0)


if __name__ == "__main__":
    main()
