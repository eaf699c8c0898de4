"""Presence with its grace, typing and receipts at their pace, and what large rooms spare their members."""

import re
import signal
import socket as sockets
import subprocess
import sys
import textwrap
import time
from datetime import datetime
from pathlib import Path

import pytest

from parley_client import Socket

QUIET = {"presence"}


def drop(socket):
    """The connection is gone without a word of WebSocket."""
    socket.connection.socket.shutdown(sockets.SHUT_RDWR)
    socket.connection.socket.close()


def member(watcher, room, user):
    members = watcher.got(f"/v1/rooms/{room}/members")["members"]
    return next(m for m in members if m["user_id"] == user.id)


def seconds_ago(time_text, now):
    return now - datetime.fromisoformat(time_text.replace("Z", "+00:00")).timestamp()


def metric(server, name):
    text = server.metrics()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(name + r"[ {}]", line))


@pytest.fixture
def graceful(make_server):
    return make_server(environment={"PARLEY_PRESENCE_GRACE_MS": "1500"})


def pair(server):
    ann, bob = server.api.new_user(), server.api.new_user()
    room = ann.room(bob)
    return ann, bob, room


def test_a_drop_has_a_grace(graceful):
    ann, bob, room = pair(graceful)
    watcher, lost = ann.socket(room), bob.socket(room)
    watcher.expect("presence", skip=QUIET, user_id=bob.id, online=True)
    drop(lost)
    dropped_at = time.time()
    watcher.quiet(0.7)
    assert member(ann, room, bob)["online"] is True
    gone = watcher.expect("presence", user_id=bob.id)
    assert gone["online"] is False
    assert -1 < seconds_ago(gone["last_seen_at"], dropped_at) < 1, "when it dropped"
    assert member(ann, room, bob)["online"] is False


def test_who_comes_back_within_the_grace_was_never_gone(graceful):
    ann, bob, room = pair(graceful)
    watcher = ann.socket(room)
    socket = bob.socket(room)
    watcher.expect("presence", skip=QUIET, user_id=bob.id, online=True)
    for _ in range(3):
        drop(socket)
        socket = bob.socket(room)
        watcher.quiet(0.3)
    watcher.quiet(2)
    assert member(ann, room, bob)["online"] is True


def test_a_close_and_a_log_out_have_no_grace(make_server):
    server = make_server()  # ten seconds would be too long for what follows
    ann, bob, room = pair(server)
    watcher, socket = ann.socket(room), bob.socket(room)
    watcher.expect("presence", skip=QUIET, user_id=bob.id, online=True)
    socket.close()
    watcher.expect("presence", timeout=3, user_id=bob.id, online=False)
    other = bob.socket(room)
    watcher.expect("presence", user_id=bob.id, online=True)
    bob.delete("/v1/sessions/current")
    other.expect_close(4501, skip=QUIET)
    watcher.expect("presence", timeout=3, user_id=bob.id, online=False)


def test_who_was_removed_is_not_shown_any_more(ann, bob, room):
    watcher, socket = ann.socket(room), bob.socket(room)
    watcher.expect("presence", skip=QUIET, user_id=bob.id, online=True)
    ann.delete(f"/v1/rooms/{room}/members/{bob.id}")
    watcher.expect("member", action="removed")
    socket.close()
    watcher.quiet(0.7)
    assert "online_count" not in ann.got(f"/v1/rooms/{room}"), "counts are for large rooms"


SLEEPER = textwrap.dedent("""
    import sys, time
    sys.path.insert(0, sys.argv[1])
    from types import SimpleNamespace
    from parley_client import Socket
    socket = Socket(SimpleNamespace(ws_url=sys.argv[2]), sys.argv[3])
    socket.expect("welcome")
    socket.subscribe(sys.argv[4])
    print("ready", flush=True)
    time.sleep(60)
""")


def test_a_peer_that_vanished_is_closed_and_shown_offline(make_server):
    """A stopped process: its kernel still takes bytes, and nobody answers a ping."""
    server = make_server(environment={"PARLEY_HEARTBEAT_MS": "400", "PARLEY_PRESENCE_GRACE_MS": "300"})
    ann, bob, room = pair(server)
    watcher = ann.socket(room)
    folder = str(Path(__file__).parent)
    command = [sys.executable, "-c", SLEEPER, folder, server.ws_url, bob.token, room]
    sleeper = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert sleeper.stdout.readline() == "ready\n"
        watcher.expect("presence", skip=QUIET, user_id=bob.id, online=True)
        watcher.quiet(2)  # five heartbeats that it answers
        sleeper.send_signal(signal.SIGSTOP)
        watcher.expect("presence", timeout=15, user_id=bob.id, online=False)
        assert metric(server, r'parley_ws_closed_total\{code="4000"') == 1
    finally:
        sleeper.kill()
        sleeper.wait()
    watcher.alive()


def test_last_seen_after_kill_9(make_server):
    server = make_server(threads=2)
    ann, bob, room = pair(server)
    eve = server.api.new_user()
    eve.join(room)
    eve_socket, bob_socket = eve.socket(room), bob.socket(room)
    time.sleep(2.5)
    eve_socket.close()
    eve_left = time.time()
    time.sleep(4.5)
    server.kill()
    killed = time.time()
    server.start()
    assert abs(seconds_ago(member(ann, room, bob)["last_seen_at"], killed)) < 10
    assert abs(seconds_ago(member(ann, room, eve)["last_seen_at"], eve_left)) < 2
    assert member(ann, room, bob)["online"] is False
    assert member(ann, room, ann)["last_seen_at"] is None, "never on a socket"
    bob_socket.close()


def test_last_seen_after_an_orderly_stop(make_server):
    server = make_server()
    ann, bob, room = pair(server)
    bob.socket(room)
    assert server.stop() == 0
    stopped = time.time()
    server.start()
    assert abs(seconds_ago(member(ann, room, bob)["last_seen_at"], stopped)) < 5


def test_typing_once_in_three_seconds(ann, bob, room, server):
    mine, also_mine, watcher = ann.socket(room), ann.socket(room), bob.socket(room)
    dropped = metric(server, "parley_typing_dropped_total")
    for socket in (mine, mine, also_mine, mine):
        socket.send("typing", room_id=room)
        socket.alive()
    watcher.expect("typing", skip=QUIET, user_id=ann.id)
    watcher.quiet(1, skip=QUIET)
    assert metric(server, "parley_typing_dropped_total") - dropped == 3
    watcher.send("typing", room_id=room)  # another user has a right of their own
    mine.expect("typing", skip=QUIET | {"typing"}, user_id=bob.id)
    assert ann.history(room) == []


def test_a_flood_of_read_marks_is_folded(ann, bob, room):
    messages = [ann.say(room, f"m{n}")["id"] for n in range(60)]
    reader, watcher, other = bob.socket(room), ann.socket(room), bob.socket(room)
    begin = time.monotonic()
    for message in messages:
        reader.send("read", room_id=room, message_id=message)
        time.sleep(0.02)
    counts = {}
    for socket in (watcher, other):
        seen = []
        while not seen or seen[-1] != messages[-1]:
            seen.append(socket.expect("receipt", skip=QUIET, user_id=bob.id)["message_id"])
        assert seen == sorted(seen, key=int)
        counts[socket] = len(seen)
    most = 4 * (time.monotonic() - begin) + 2
    assert max(counts.values()) <= most < 60, counts
    reader.alive()
    assert bob.got("/v1/rooms")["rooms"][0]["last_read_id"] == messages[-1]


def test_a_room_full_of_readers_costs_four_receipts_a_second(make_server):
    server = make_server(environment={"PARLEY_PRESENCE_ROOM_MAX": "30"})
    ann = server.api.new_user()
    readers = [server.api.new_user() for _ in range(20)]
    room = ann.room(*readers)
    message = ann.say(room)
    watcher = ann.socket(room)
    open_ones = [reader.socket(room) for reader in readers]
    begin = time.monotonic()
    for socket in open_ones:
        socket.send("read", room_id=room, message_id=message["id"])
    seen = []
    while len(seen) < len(readers):
        seen.append(watcher.expect("receipt", timeout=8, skip=QUIET)["user_id"])
    took = time.monotonic() - begin
    assert sorted(seen) == sorted(reader.id for reader in readers), "everybody's mark comes, once"
    assert len(seen) <= 4 * took + 2, "at most four a second"


# --- large rooms: the setting makes any room one


@pytest.fixture
def crowd(make_server):
    server = make_server(environment={"PARLEY_PRESENCE_ROOM_MAX": "4"})
    users = [server.api.new_user() for _ in range(6)]
    room = users[0].room(*users[1:])
    return server, users, room


def test_a_large_room_has_counts_in_place_of_lists(crowd):
    server, users, room = crowd
    sockets_of = [user.socket(room) for user in users[:5]]
    assert users[0].got(f"/v1/rooms/{room}")["online_count"] == 5
    sockets_of[0].send("typing", room_id=room)
    message = users[1].say(room)
    for socket in sockets_of:
        socket.expect("message", skip=set())
    other = users[2].socket()
    sockets_of[2].send("read", room_id=room, message_id=message["id"])
    other.expect("receipt", skip=set(), user_id=users[2].id, message_id=message["id"])
    sockets_of[4].close()
    sockets_of[0].alive()
    for socket in sockets_of[:4]:
        socket.quiet(0.5)
    assert users[0].got(f"/v1/rooms/{room}")["online_count"] == 4
    assert metric(server, r'parley_typing_dropped_total\{reason="large_room"') == 1


def test_joins_of_a_large_room_cost_its_members_nothing_of_their_own(crowd):
    server, users, room = crowd
    watchers = [user.socket() for user in users[:3]]
    last = [watcher.subscribe(room)["last_id"] for watcher in watchers][0]
    newcomers = [server.api.new_user() for _ in range(30)]
    for newcomer in newcomers:
        newcomer.join(room)
    assert newcomers[0].post(f"/v1/rooms/{room}/leave").status_code == 200
    late = users[3].socket()
    caught_up = late.subscribe(room, since=last)
    assert len(caught_up["events"]) == 31, "a resume has them at once"
    # Nothing yet for those who watch; with the next message all of it, in order and chained.
    message = newcomers[1].say(room, "here we are")
    for watcher in watchers:
        chain = last
        for action in ["joined"] * 30 + ["left"]:
            event = watcher.expect("member", skip=set(), action=action)
            assert event["prev_id"] == chain
            chain = event["id"]
        assert watcher.expect("message", skip=set(), id=message["id"])["prev_id"] == chain
    assert late.expect("message", skip=set())["prev_id"] == caught_up["events"][-1]["id"]
    # And by themselves after a few seconds, also for a sender of its own.
    newcomers[0].join(room)
    watchers[0].quiet(1)
    for watcher in (*watchers, late):
        watcher.expect("member", timeout=8, skip=set(), action="joined", user_id=newcomers[0].id)
    newcomers[2].post(f"/v1/rooms/{room}/leave")
    ref = "mine"
    watchers[0].send("send", ref=ref, room_id=room, nonce="n-after-leave", type="TEXT", content="x")
    left = watchers[0].expect("member", skip=set(), action="left")
    assert watchers[0].expect("sent", skip=set(), ref=ref)["prev_id"] == left["id"]


def test_a_kick_acts_at_once_in_a_large_room(crowd):
    server, users, room = crowd
    watcher, victim = users[1].socket(room), users[5].socket()
    last = victim.subscribe(room)["last_id"]
    newcomer = server.api.new_user()
    newcomer.join(room)
    assert users[0].delete(f"/v1/rooms/{room}/members/{users[5].id}").status_code == 204
    for socket in (watcher, victim):
        assert socket.expect("member", timeout=3, action="joined")["prev_id"] == last
        socket.expect("member", timeout=3, action="removed", user_id=users[5].id)
    users[0].say(room, "not for them")
    watcher.expect("message")
    victim.quiet(0.5)
    # Who leaves hears at once, and the others later.
    leaver = users[4].socket(room)
    another = server.api.new_user()
    another.join(room)
    users[4].post(f"/v1/rooms/{room}/leave")
    leaver.expect("member", timeout=3, action="joined", user_id=another.id)
    leaver.expect("member", timeout=3, action="left", user_id=users[4].id)
    watcher.quiet(0.5)


def test_a_bystander_of_a_large_room_gets_nothing(crowd):
    """Frames of a bystander while others join, go online and offline in a large room."""
    server, users, room = crowd
    bystander: Socket = users[0].socket(room)
    for _ in range(3):
        newcomer = server.api.new_user()
        newcomer.join(room)
        newcomer.socket(room).close()
    bystander.quiet(0.5)
    assert metric(server, "parley_member_events_waited_total") > 0
