"""Coming back with `since`: exactly what was missed, once, in order, before anything live."""

import random
import threading

import pytest

from parley_client import new_nonce


def catch_up(socket, room, since):
    """Subscribes until there is no more; all events."""
    events = []
    while True:
        answer = socket.subscribe(room, since=since)
        assert answer["recovered"] is True and len(answer["events"]) <= 500
        events += answer["events"]
        if not answer["more"]:
            if events:
                assert events[-1]["id"] == answer["last_id"]
            return events
        assert len(answer["events"]) == 500
        since = events[-1]["id"]


def assert_chain(events, since):
    for event in events:
        assert event["prev_id"] == since, event
        assert int(event["id"]) > int(since)
        since = event["id"]


def test_nothing_was_missed(ann, bob, room):
    message = ann.say(room)
    answer = bob.socket().subscribe(room, since=message["id"])
    assert answer["recovered"] is True and answer["events"] == [] and answer["more"] is False
    assert answer["last_id"] == message["id"]


def test_every_kind_of_event_is_resumed(ann, bob, eve, room):
    watcher = bob.socket()
    since = watcher.subscribe(room)["last_id"]
    message = ann.say(room, "first")
    path = f"/v1/rooms/{room}/messages/{message['id']}"
    ann.patch(path, {"content": "edited"})
    ann.put(f"{path}/reactions/👍")
    ann.delete(f"{path}/reactions/👍")
    gone = ann.say(room, "gone soon")
    ann.delete(f"/v1/rooms/{room}/messages/{gone['id']}")
    eve.join(room)
    ann.put(f"/v1/rooms/{room}/members/{eve.id}", {"role": "admin"})
    eve.post(f"/v1/rooms/{room}/leave")
    ann.patch(f"/v1/rooms/{room}", {"topic": "changed"})
    live = [
        watcher.expect(op)
        for op in (
            "message",
            "edited",
            "reaction",
            "reaction",
            "message",
            "deleted",
            "member",
            "member",
            "member",
            "room",
        )
    ]
    assert_chain(live, since)
    resumed = catch_up(bob.socket(), room, since)
    assert [(e["op"], e["id"], e["prev_id"]) for e in resumed] == [
        (e["op"], e["id"], e["prev_id"]) for e in live
    ]
    # Messages show their present state, all else is as it was live.
    assert resumed[0]["message"]["content"] == "edited"
    assert resumed[4]["message"]["deleted"] is True and resumed[4]["message"]["content"] == ""
    for before, after in zip(live, resumed):
        if before["op"] not in {"message"}:
            assert before == after


def test_since_from_the_very_beginning(ann, bob, room):
    sent = [ann.say(room, f"number {i}") for i in range(3)]
    events = catch_up(bob.socket(), room, "1")
    assert [e["message"] for e in events if e["op"] == "message"] == sent
    assert events[0]["op"] == "room" and events[0]["prev_id"] is None


def test_since_between_two_events(ann, bob, room):
    first, second = ann.say(room, "first"), ann.say(room, "second")
    events = catch_up(bob.socket(), room, str(int(first["id"]) + 1))
    if int(first["id"]) + 1 < int(second["id"]):
        assert [e["message"] for e in events] == [second]


def test_a_since_of_the_future_is_not_recovered(ann, bob, room):
    message = ann.say(room)
    answer = bob.socket().subscribe(room, since=str(int(message["id"]) + 10**15))
    assert answer["recovered"] is False and answer["last_id"] == message["id"]


@pytest.mark.parametrize("since", ["x", "-1", 5, "1.0", "9" * 20, ["1"]])
def test_a_bad_since(ann, room, since):
    socket = ann.socket()
    socket.refused("subscribe", "invalid_field", room_id=room, since=since)
    socket.alive()


def test_without_since_nothing_old_comes(ann, bob, room):
    ann.say(room, "old")
    for fields in ({}, {"since": None}):
        answer = bob.socket().subscribe(room, **fields)
        assert answer["events"] == [] and answer["recovered"] is False


def test_more_than_one_page(ann, bob, room):
    since = bob.socket().subscribe(room)["last_id"]
    sender = ann.socket()
    for i in range(1203):
        sender.send("send", room_id=room, nonce=new_nonce(), type="TEXT", content=f"number {i}")
    for _ in range(1203):
        sender.expect("sent")
    events = catch_up(bob.socket(), room, since)
    assert_chain(events, since)
    assert [e["message"]["content"] for e in events] == [f"number {i}" for i in range(1203)]


def test_exactly_one_full_page(ann, bob, room):
    since = bob.socket().subscribe(room)["last_id"]
    sender = ann.socket()
    for i in range(500):
        sender.send("send", room_id=room, nonce=new_nonce(), type="TEXT", content="x")
    for _ in range(500):
        sender.expect("sent")
    answer = bob.socket().subscribe(room, since=since)
    assert len(answer["events"]) == 500 and answer["more"] is False


def test_resume_in_the_middle_of_live_traffic(ann, bob, room):
    """Senders never pause; a reader comes and goes at random and must see an unbroken chain."""
    since = bob.socket().subscribe(room)["last_id"]
    stop = threading.Event()

    def talk():
        socket = ann.socket()
        while not stop.is_set():
            for _ in range(20):
                socket.send("send", room_id=room, nonce=new_nonce(), type="TEXT", content="x" * 50)
            for _ in range(20):
                socket.expect("sent")

    talkers = [threading.Thread(target=talk) for _ in range(2)]
    for talker in talkers:
        talker.start()
    dice, seen, resumed = random.Random(1), [], 0
    try:
        for _ in range(25):
            reader = bob.socket()
            events = catch_up(reader, room, since)
            resumed += len(events)
            for _ in range(dice.randrange(60)):
                events.append(reader.expect("message"))
            reader.close()
            assert_chain(events, since)
            seen += [e["id"] for e in events]
            since = seen[-1] if seen else since
    finally:
        stop.set()
        for talker in talkers:
            talker.join()
    seen += [e["id"] for e in catch_up(bob.socket(), room, since)]
    assert seen == [m["id"] for m in ann.whole_history(room)]
    assert resumed > 0


def test_subscribing_again_fills_a_gap(ann, bob, room):
    """On one connection: the second subscribe starts over from its since."""
    watcher = bob.socket(room)
    sent = [ann.say(room, f"number {i}") for i in range(5)]
    for _ in sent:
        watcher.expect("message")
    events = catch_up(watcher, room, sent[1]["id"])
    assert [e["message"] for e in events] == sent[2:]
    later = ann.say(room, "later")
    event = watcher.expect("message")
    assert event["message"] == later and event["prev_id"] == sent[4]["id"]
    watcher.quiet(skip={"presence"})


def test_own_messages_are_resumed_too(ann, room):
    """The answer to a send got lost: the message comes as an event."""
    socket = ann.socket()
    since = socket.subscribe(room)["last_id"]
    message = ann.socket().say(room, "answer lost")["message"]
    assert [e["message"] for e in catch_up(ann.socket(), room, since)] == [message]


def test_after_coming_back_to_a_room_the_history_rule_is_one(ann, eve, room):
    """Who joins (again) may read all of the room, in history and by since alike."""
    before = ann.say(room, "before eve")
    eve.join(room)
    assert eve.history(room)[0] == before
    events = catch_up(eve.socket(), room, "1")
    assert before in [e.get("message") for e in events]
    eve.post(f"/v1/rooms/{room}/leave")
    eve.socket().refused("subscribe", "not_a_member", room_id=room, since="1")
