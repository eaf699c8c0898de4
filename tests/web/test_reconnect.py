"""The server dies and comes back; the pages stay open and go on by themselves."""

import re

from playwright.sync_api import expect

# What Chromium itself writes for a server that is not there.
GONE = [r"ERR_CONNECTION_(REFUSED|RESET|CLOSED)", r"ERR_EMPTY_RESPONSE", r"WebSocket connection .* failed"]


def stay(*people):
    for who in people:
        who.page.evaluate("window.stillTheSamePage = true")


def assert_stayed(*people):
    for who in people:
        assert who.page.evaluate("window.stillTheSamePage") is True


def meet(person, server, **options):
    ann = person("ann", at=server, allow=GONE)
    bob = person("bob", at=server, allow=GONE, **options)
    room = f"Room of {ann.name}"
    ann.make_room(room)
    bob.join_room(room)
    return ann, bob


def test_kill_9_in_mid_conversation_loses_and_doubles_nothing(person, own_server, rest):
    server = own_server()
    ann, bob = meet(person, server)
    stay(ann, bob)
    for i in range(10):
        ann.say(f"ann before {i}")
        bob.say(f"bob before {i}")
    ann.sees("bob before 0")
    # No waiting: the last of them are on their way when it happens.
    server.kill()
    acknowledged = [set(ann.shown()), set(bob.shown())]
    ann.say("ann while down")
    bob.say("bob while down")
    for who in (ann, bob):
        expect(who.pending().last).to_contain_text("while down")
        expect(who.pending().last).to_contain_text("Waiting for the connection")
        expect(who.page.locator(".banner")).to_contain_text("What you write is kept and sent later")
    server.start()
    for who in (ann, bob):
        who.sees("ann while down", timeout=30_000)
        who.sees("bob while down", timeout=30_000)
        expect(who.pending()).to_have_count(0)
        expect(who.page.locator(".banner")).to_be_hidden()
    # Both are live again.
    ann.say("ann after")
    bob.sees("ann after")
    bob.say("bob after")
    ann.sees("bob after")
    assert_stayed(ann, bob)

    assert ann.shown() == bob.shown()
    answer = rest(server).call(
        "GET", f"/v1/rooms/{ann.room_id()}/messages?limit=100", ann.session()["access"]
    )
    stored = [message["content"] for message in reversed(answer.json()["messages"])]
    assert stored == ann.shown()
    said = {f"{who} before {i}" for who in ("ann", "bob") for i in range(10)}
    said |= {f"{who} {when}" for who in ("ann", "bob") for when in ("while down", "after")}
    assert sorted(stored) == sorted(said)
    for before in acknowledged:
        assert before <= set(stored)
    for name in ("ann", "bob"):
        numbers = [text for text in stored if text.startswith(f"{name} before")]
        assert numbers == sorted(numbers)


def test_a_message_that_waits_outlives_the_page(person, own_server):
    server = own_server()
    ann, bob = meet(person, server)
    server.kill()
    ann.say("written without a server")
    expect(ann.pending()).to_contain_text("written without a server")
    blank = ann.page
    blank.goto("about:blank")
    server.start()
    blank.goto(server.url + f"/#/r/{bob.room_id()}")
    ann.sees("written without a server", timeout=30_000)
    bob.sees("written without a server", timeout=30_000)
    expect(ann.pending()).to_have_count(0)


def test_a_room_that_could_not_be_loaded_is_loaded_when_it_can_be(person):
    ann = person("ann")
    bob = person("bob", allow=[*GONE, "ERR_FAILED"], own_socket=True)
    ann.make_room(f"Room of {ann.name}")
    ann.say("it was there before")
    ann.sees("it was there before")
    history = re.compile(r"/v1/rooms/\d+/messages")
    bob.page.context.route(history, lambda call: call.abort())
    bob.join_room(f"Room of {ann.name}")
    expect(bob.page.locator(".timeline")).to_contain_text("could not be loaded")
    bob.page.context.unroute(history)
    bob.sees("it was there before")
    expect(bob.page.locator(".timeline")).not_to_contain_text("could not be loaded")


def test_who_was_away_gets_what_was_said_meanwhile_in_order(person, own_server):
    server = own_server()
    # The emulated cut reaches no shared worker.
    ann, bob = meet(person, server, own_socket=True)
    ann.say("first")
    bob.sees("first")
    stay(bob)
    bob.watch.allowed.append("ERR_INTERNET_DISCONNECTED")
    bob.page.context.set_offline(True)
    # An open socket outlives the emulated cut; a new one does not get through.
    bob.page.evaluate("dispatchEvent(new Event('offline'))")
    server.stop()
    server.start()
    expect(bob.page.locator(".banner")).to_contain_text("You are offline", timeout=30_000)
    for i in range(30):
        ann.say(f"missed {i:02}")
    ann.sees("missed 29", timeout=30_000)
    ann.edit("first", "first, edited")
    ann.menu("missed 03").get_by_role("menuitem", name="React with 👍").click()
    expect(ann.message("missed 03").locator(".reaction")).to_have_text("👍1")
    bob.page.context.set_offline(False)
    bob.sees("missed 29", timeout=30_000)
    expect(bob.message("missed 03").locator(".reaction")).to_have_text("👍1")
    assert bob.shown() == ann.shown()
    assert bob.shown()[0] == "first, edited (edited)"
    assert_stayed(bob)


def test_a_planned_restart_is_hardly_seen(person, own_server):
    server = own_server()
    ann, bob = meet(person, server)
    stay(ann, bob)
    assert server.stop() == 0
    server.start()
    ann.say("after the restart")
    bob.sees("after the restart", timeout=30_000)
    ann.sees("after the restart")
    assert_stayed(ann, bob)
