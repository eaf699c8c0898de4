"""Messages: their marks, answers, reactions, keys, and where one left off."""

import re

from playwright.sync_api import expect


def many(rest, server, who, room, count, start=0):
    api, token = rest(server), who.session()["access"]
    for i in range(start, start + count):
        body = {"nonce": f"many-{who.name}-{i}", "type": "TEXT", "content": f"line {i:03}"}
        assert api.call("POST", f"/v1/rooms/{room}/messages", token, json=body).status_code == 201


def test_marks_become_elements(ann, bob, room):
    ann.composer.fill(
        "**bold** *slanted* _too_ ~~struck~~ `co*de*` [soup](https://example.org/soup) "
        f"snake_case_name 2*3*4 @{bob.name}!\n"
        "> quoted\n- one\n- two\n\n```js\nlet a = '<b>';\n```"
    )
    ann.composer.press("Enter")
    content = bob.page.locator(".message .content")
    expect(content.locator("strong")).to_have_text("bold")
    expect(content.locator("em")).to_have_text(["slanted", "too"])
    expect(content.locator("s")).to_have_text("struck")
    expect(content.locator("p code")).to_have_text("co*de*")
    expect(content.locator("a")).to_have_attribute("href", "https://example.org/soup")
    expect(content.locator("blockquote")).to_have_text("quoted")
    expect(content.locator("li")).to_have_text(["one", "two"])
    expect(content.locator("pre")).to_have_text("let a = '<b>';")
    expect(content.locator(".mention.is-me")).to_have_text(f"@{bob.name}")
    assert "snake_case_name 2*3*4" in content.inner_text()
    expect(bob.page.locator(".room-preview").first).to_contain_text("bold *slanted*")


def test_an_answer_shows_what_it_answers_and_leads_there(ann, bob, room):
    ann.say("Who brings the soup?")
    bob.sees("Who brings the soup?")
    bob.message("Who brings").hover()
    bob.message("Who brings").get_by_label("Reply").click()
    expect(bob.page.locator(".replying")).to_contain_text(f"Reply to {ann.name}")
    expect(bob.composer).to_be_focused()
    bob.say("I do")
    expect(bob.page.locator(".replying")).to_have_count(0)
    ann.sees("I do")
    quote = ann.message("I do").locator(".quote")
    expect(quote).to_contain_text("Who brings the soup?")
    quote.click()
    expect(ann.page.locator(".is-flashed")).to_contain_text("Who brings the soup?")


def test_an_emoji_is_found_by_its_name_and_used_again(ann, bob, room):
    ann.composer.fill("soup")
    ann.page.get_by_label("Emoji", exact=True).click()
    picker = ann.page.get_by_role("dialog", name="Emoji")
    picker.get_by_label("Search emoji").fill("red apple")
    picker.get_by_label("red apple").click()
    expect(ann.composer).to_have_value("soup🍎")
    ann.composer.press("Enter")
    bob.sees("soup🍎")
    bob.message("soup").hover()
    bob.message("soup").get_by_label("React", exact=True).first.click()
    picker = bob.page.get_by_role("dialog", name="Emoji")
    picker.get_by_label("Search emoji").fill("rocket")
    bob.page.keyboard.press("Enter")
    expect(ann.message("soup").locator(".reaction")).to_have_text("🚀1")
    ann.page.get_by_label("Emoji", exact=True).click()
    expect(ann.page.get_by_role("group", name="Used last").get_by_label("red apple")).to_be_visible()


def test_the_keyboard_goes_from_message_to_message(ann, bob, room):
    ann.say("first")
    bob.say("second")
    ann.sees("second")
    ann.say("third")
    bob.sees("third")
    keyboard = ann.page.keyboard
    ann.page.locator(".timeline").focus()
    keyboard.press("ArrowUp")
    expect(ann.message("third")).to_be_focused()
    keyboard.press("ArrowUp")
    keyboard.press("r")
    expect(ann.page.locator(".replying")).to_contain_text("second")
    keyboard.press("Escape")
    expect(ann.page.locator(".replying")).to_have_count(0)
    ann.page.locator(".timeline").focus()
    keyboard.press("Home")
    expect(ann.message("first")).to_be_focused()
    keyboard.press("e")
    expect(ann.page.get_by_label("Edit message")).to_be_focused()
    keyboard.type(", changed")
    keyboard.press("Enter")
    bob.sees("first, changed")
    keyboard.press("?")
    expect(ann.composer).to_have_value("?")
    ann.composer.fill("")
    ann.page.locator(".timeline").focus()
    keyboard.press("?")
    expect(ann.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_a_draft_stays_with_its_room(ann, room):
    ann.composer.fill("not yet")
    other = f"Other {ann.name}"
    ann.make_room(other)
    expect(ann.composer).to_have_value("")
    expect(ann.room_link(room).locator(".room-preview")).to_contain_text("Draft: not yet")
    ann.page.reload()
    ann.open_room(room)
    expect(ann.composer).to_have_value("not yet")


def test_a_room_opens_where_one_left_off(ann, bob, room, rest, server):
    ann.say("seen before")
    bob.sees("seen before")
    bob.make_room(f"Elsewhere {bob.name}")
    many(rest, server, ann, ann.room_id(), 130)
    expect(bob.badge(room)).to_have_text("130")
    bob.page.reload()
    bob.open_room(room)
    # What is new began further up than what was loaded at first.
    bob.page.get_by_role("button", name="Go to where you left off").click()
    expect(bob.message("line 000")).to_be_in_viewport()
    expect(bob.page.locator(".new-line")).to_have_count(1)
    expect(bob.page.locator(".to-new")).to_have_count(0)
    bob.page.locator(".to-newest").click()
    expect(bob.message("line 129")).to_be_in_viewport()
    expect(bob.badge(room)).to_have_count(0)


def test_only_what_is_near_the_screen_is_in_the_page(ann, rest, server):
    room = ann.make_room(f"Endless {ann.name}")
    many(rest, server, ann, room, 300)
    ann.sees("line 299", timeout=15_000)
    for _ in range(20):
        ann.page.locator(".timeline").evaluate("n => { n.scrollTop = 0 }")
        ann.page.wait_for_timeout(50)
        if ann.message("line 000").count():
            break
    expect(ann.message("line 000")).to_be_visible()
    assert ann.page.locator(".message").count() < 120
    ann.say("down there")
    expect(ann.message("down there")).to_be_in_viewport()


def test_a_drawing_does_not_undo_a_scroll_that_is_not_told_yet(ann, rest, server):
    room = ann.make_room(f"Scrolled {ann.name}")
    many(rest, server, ann, room, 60)
    ann.sees("line 059", timeout=15_000)
    tops = ann.page.locator(".timeline").evaluate(
        """async (timeline) => {
            const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            const tops = [];
            for (let top = 0; top <= 800; top += 200) {
                timeline.scrollTop = top;  // its event comes with the next frame
                await drawn();
                tops.push(timeline.scrollTop);
            }
            return tops;
        }"""
    )
    assert tops == [0, 200, 400, 600, 800]


def test_slow_mode_is_shown_as_what_it_is(person):
    ann, bob = person("ann"), person("bob")
    name = f"Slowly {ann.name}"
    ann.make_room(name)
    bob.join_room(name)
    ann.page.get_by_role("button", name="Room settings").last.click()
    dialog = ann.page.get_by_role("dialog", name="Room settings")
    dialog.get_by_label("Slow mode").select_option("5")
    dialog.get_by_label("Topic").fill("One at a time")
    dialog.get_by_role("button", name="Save").click()
    expect(ann.page.locator(".topic")).to_have_text("One at a time")
    expect(bob.page.locator(".slow")).to_contain_text("one message in 5 seconds")
    bob.say("one")
    ann.sees("one")
    bob.say("two")
    expect(bob.pending()).to_contain_text("Sent in")
    ann.sees("two", timeout=15_000)
    assert ann.shown() == ["one", "two"]


def test_what_came_while_away_is_not_taken_for_read_before_it_is_known(ann, bob, room, rest, server):
    """A room that opens from the copy of the last visit, before the list of rooms says what is new."""
    ann.say("seen before")
    bob.sees("seen before")
    expect(ann.page.locator(".receipt")).to_contain_text("Seen")
    bob.page.wait_for_timeout(1000)  # the copy is written a moment later
    address = bob.page.url
    bob.page.goto("about:blank")
    many(rest, server, ann, ann.room_id(), 40)
    ann.sees("line 039")
    held = []
    bob.page.context.route(re.compile(r"/v1/rooms\?"), lambda route: held.append(route))
    # Its newest messages have come, the list has not.
    with bob.page.expect_response(re.compile(r"/v1/rooms/\d+/messages")):
        bob.page.goto(address)
    bob.sees("seen before")
    bob.page.wait_for_timeout(1000)
    expect(ann.page.locator(".receipt")).to_have_count(0)
    assert held
    for route in held:
        route.continue_()
    bob.page.context.unroute_all(behavior="ignoreErrors")
    expect(bob.page.locator(".new-line")).to_be_visible()
    expect(bob.message("line 000")).to_be_in_viewport()
    expect(bob.badge(room)).to_have_text("40")
    expect(ann.page.locator(".receipt")).to_have_count(0)
    bob.page.locator(".to-newest").click()
    expect(bob.badge(room)).to_have_count(0)
    expect(ann.page.locator(".receipt")).to_contain_text("Seen")
