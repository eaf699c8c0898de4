"""Several tabs of one person: one connection, and the same in each."""

import re

from playwright.sync_api import expect

from person import Person


def connections(rest, server):
    text = rest(server).http.get("/metrics").text
    return int(re.search(r'^parley_connections\{kind="websocket"\} (\d+)', text, re.M)[1])


def another_tab(who):
    page = who.page.context.new_page()
    page.goto(who.page.url)
    tab = Person(who.name, page, who.watch)
    expect(page.locator(".chat-title h2")).to_be_visible()
    return tab


def test_tabs_share_a_connection_and_see_the_same(person, own_server, rest):
    server = own_server()
    ann, bob = person("ann", at=server), person("bob", at=server)
    ann.make_room("Tabs")
    bob.join_room("Tabs")
    tab = another_tab(ann)
    third = another_tab(ann)
    for i, who in enumerate((ann, tab, bob, third, ann)):
        who.say(f"number {i}")
        ann.sees(f"number {i}")
    for who in (tab, third, bob):
        who.sees("number 4")
        assert who.shown() == [f"number {i}" for i in range(5)]
    assert connections(rest, server) == 2
    # What one of them changes is changed in all.
    tab.edit("number 1", "number one")
    for who in (ann, third, bob):
        who.sees("number one (edited)")
    # A tab that goes takes nothing with it.
    ann.page.close()
    bob.say("after the first is gone")
    for who in (tab, third):
        who.sees("after the first is gone")
    third.page.close()
    tab.say("the last one")
    bob.sees("the last one")
    assert connections(rest, server) == 2
    tab.page.close()
    expect(bob.member(ann.name)).to_contain_text("Last seen", timeout=30_000)
    assert connections(rest, server) == 1


def test_what_is_read_in_one_tab_is_read_in_all(person, rest, server):
    ann, bob = person("ann"), person("bob")
    name = f"Marks {ann.name}"
    ann.make_room(name)
    bob.join_room(name)
    tab = another_tab(ann)
    tab.make_room(f"Aside {ann.name}")
    ann.make_room(f"Aside too {ann.name}")
    bob.say("news")
    for who in (ann, tab):
        expect(who.badge(name)).to_have_text("1")
    tab.page.bring_to_front()
    tab.open_room(name)
    tab.sees("news")
    for who in (tab, ann):
        expect(who.badge(name)).to_have_count(0)


def test_tabs_come_back_together_after_a_restart(person, own_server, rest):
    server = own_server()
    gone = [r"ERR_", r"WebSocket connection .* failed"]
    ann, bob = person("ann", at=server, allow=gone), person("bob", at=server, allow=gone)
    ann.make_room("Storm")
    bob.join_room("Storm")
    tab = another_tab(ann)
    server.kill()
    tab.say("written in the storm")
    server.start()
    for who in (tab, ann, bob):
        who.sees("written in the storm", timeout=40_000)
    bob.say("heard")
    for who in (tab, ann):
        who.sees("heard", timeout=20_000)
    assert connections(rest, server) == 2
