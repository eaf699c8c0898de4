"""Two people, two browsers, one server: everything a chat is for."""

import re

from playwright.sync_api import expect

from person import PASSWORD


def test_a_first_look_asks_to_sign_up_and_says_what_is_wrong(visitor, ann):
    new = visitor("new", allow=[r"status of (409|422) .*/v1/users"])
    new.page.goto(new.watch.origin + "/")
    expect(new.page.get_by_label("Name", exact=True)).to_be_focused()
    new.page.get_by_label("Name", exact=True).fill(ann.name)
    new.page.get_by_label("E-mail").fill("someone@example.org")
    new.page.get_by_label("Password").fill(PASSWORD)
    new.page.get_by_role("button", name="Create account").click()
    expect(new.page.get_by_role("alert")).to_contain_text("This name is taken")
    expect(new.page.get_by_label("Name", exact=True)).to_be_focused()
    # Each fault stands at its field, in the words of the page, before the server is asked.
    new.page.get_by_label("Name", exact=True).fill("an")
    new.page.get_by_role("button", name="Create account").click()
    expect(new.page.locator("#hint-username")).to_contain_text("3 to 20 letters or digits")
    new.page.get_by_label("Name", exact=True).fill(new.name)
    new.page.get_by_label("E-mail").fill("someone")
    new.page.get_by_label("Password").fill("")
    new.page.get_by_role("button", name="Create account").click()
    expect(new.page.locator("#hint-email")).to_contain_text("does not look like an e-mail address")
    expect(new.page.get_by_label("E-mail")).to_be_focused()
    new.page.get_by_label("E-mail").fill("someone@example.org")
    new.page.get_by_role("button", name="Create account").click()
    expect(new.page.get_by_role("alert")).to_have_text("Please fill this in.")
    expect(new.page.get_by_label("Password")).to_be_focused()
    new.page.get_by_label("Password").fill(PASSWORD)
    new.page.get_by_label("Name", exact=True).fill("ann!?")
    new.page.get_by_role("button", name="Create account").click()
    expect(new.page.get_by_role("alert")).to_contain_text("3 to 20 letters or digits")
    new.page.get_by_label("Name", exact=True).fill(new.name)
    new.page.get_by_role("button", name="Create account").click()
    expect(new.page.get_by_text("You are in no room yet.")).to_be_visible()


def test_a_wrong_password_is_refused_and_the_right_one_gets_in(visitor, ann):
    again = visitor("again", allow=[r"status of 401 .*/v1/sessions"])
    again.page.goto(again.watch.origin + "/")
    again.page.get_by_role("button", name="Log in", exact=True).click()
    again.page.get_by_label("E-mail or name").fill(ann.name)
    again.page.get_by_label("Password").fill("not this one")
    again.page.locator("form button[type=submit]").click()
    expect(again.page.get_by_role("alert")).to_contain_text("do not fit")
    again.page.get_by_label("E-mail or name").fill(f"{ann.name}@example.org")
    again.page.get_by_label("Password").fill(PASSWORD)
    again.page.locator("form button[type=submit]").click()
    expect(again.page.locator(".me strong")).to_have_text(ann.name)


def test_both_see_every_message_once_and_in_one_order(ann, bob, room):
    for i in range(5):
        ann.say(f"ann says {i}")
        bob.say(f"bob says {i}")
    for who in (ann, bob):
        expect(who.page.locator(".message:not(.pending)")).to_have_count(10)
    assert ann.shown() == bob.shown()
    assert len(set(ann.shown())) == 10
    for name in ("ann", "bob"):
        of_one = [text for text in ann.shown() if text.startswith(name)]
        assert of_one == [f"{name} says {i}" for i in range(5)]
    ann.page.reload()
    expect(ann.page.locator(".message")).to_have_count(10)
    assert ann.shown() == bob.shown()


def test_a_message_keeps_its_lines_and_links(ann, bob, room):
    ann.composer.fill("one")
    ann.composer.press("Shift+Enter")
    ann.composer.type("two https://example.org/a?b=c.")
    ann.composer.press("Enter")
    bob.sees("two")
    link = bob.page.locator(".content a")
    assert link.get_attribute("href") == "https://example.org/a?b=c"
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert bob.shown() == ["one\ntwo https://example.org/a?b=c."]


def test_an_edit_changes_it_for_both(ann, bob, room):
    ann.say("helo wrold")
    bob.sees("helo wrold")
    ann.edit("helo wrold", "hello world")
    for who in (ann, bob):
        who.sees("hello world (edited)")
    assert ann.shown() == bob.shown() == ["hello world (edited)"]
    expect(ann.composer).to_be_focused()
    assert bob.menu("hello world").get_by_role("menuitem", name="Edit").count() == 0


def test_a_deleted_message_leaves_its_place(ann, bob, room):
    bob.say("a slip")
    ann.sees("a slip")
    bob.delete("a slip")
    for who in (ann, bob):
        expect(who.page.locator(".message .deleted")).to_have_text("Message deleted")
        expect(who.page.get_by_text("a slip")).to_have_count(0)
    ann.page.reload()
    ann.sees("Message deleted")


def test_a_deletion_can_be_taken_back(ann, bob, room):
    bob.say("not a slip")
    ann.sees("not a slip")
    bob.menu("not a slip").get_by_role("menuitem", name="Delete").click()
    expect(bob.page.locator(".message .deleted")).to_have_count(1)
    bob.page.locator(".toast").get_by_role("button", name="Undo").click()
    bob.sees("not a slip")
    ann.say("still there?")
    bob.sees("still there?")
    assert ann.shown() == ["not a slip", "still there?"]


def test_reactions_come_count_and_go(ann, bob, room):
    ann.say("shall we?")
    bob.sees("shall we?")
    bob.menu("shall we?").get_by_role("menuitem", name="React with 🎉").click()
    seen_by_ann = ann.message("shall we?").locator(".reaction")
    expect(seen_by_ann).to_have_text("🎉1")
    expect(seen_by_ann).to_have_attribute("aria-pressed", "false")
    seen_by_ann.click()
    for who in (ann, bob):
        expect(who.message("shall we?").locator(".reaction")).to_have_text("🎉2")
    bob.message("shall we?").locator(".reaction").click()
    expect(ann.message("shall we?").locator(".reaction")).to_have_text("🎉1")
    ann.message("shall we?").locator(".reaction").click()
    for who in (ann, bob):
        expect(who.page.locator(".reaction")).to_have_count(0)


def test_typing_is_shown_and_ends_with_the_message(ann, bob, room):
    bob.composer.press_sequentially("I think")
    expect(ann.page.locator(".typing")).to_have_text(f"{bob.name} is typing…")
    expect(bob.page.locator(".typing")).to_have_text("")
    bob.composer.press("Enter")
    ann.sees("I think")
    expect(ann.page.locator(".typing")).to_have_text("")


def test_presence_follows_who_comes_and_goes(ann, bob, room):
    expect(ann.member(bob.name)).to_contain_text("Online")
    bob.close()
    expect(ann.member(bob.name)).to_contain_text("Last seen")
    expect(ann.page.locator(".members h2")).to_have_text("Members · 2")


def test_an_unread_badge_counts_and_goes_when_the_room_is_opened(ann, bob, room):
    ann.make_room(f"Aside of {ann.name}")
    for i in range(3):
        bob.say(f"news {i}")
    expect(ann.badge(room)).to_have_text("3")
    expect(ann.page).to_have_title(re.compile(r"^\(3\) "))
    ann.open_room(room)
    ann.sees("news 2")
    expect(ann.page.locator(".new-line")).to_have_count(1)
    expect(ann.badge(room)).to_have_count(0)
    expect(bob.page.locator(".receipt")).to_have_text(f"Seen by {ann.name}")
    # It stays read: also for a page that knows nothing yet.
    ann.page.reload()
    ann.sees("news 2")
    expect(ann.badge(room)).to_have_count(0)
    expect(ann.page).to_have_title(re.compile(r"^Room "))


def test_scrolling_up_brings_history_page_by_page(ann, rest, server):
    room = ann.make_room(f"Long {ann.name}")
    api = rest(server)
    token = ann.session()["access"]
    for i in range(180):
        body = {"nonce": f"history-{i}", "type": "TEXT", "content": f"line {i:03}"}
        answer = api.call("POST", f"/v1/rooms/{room}/messages", token, json=body)
        assert answer.status_code == 201
    ann.page.reload()
    ann.sees("line 179")
    assert "line 000" not in ann.shown()
    top = ann.page.locator(".timeline")
    expect(ann.page.locator(".timeline-head .loading")).to_have_count(1)
    for _ in range(30):
        if ann.page.locator(".beginning").count():
            break
        # A reader's place must not move when a page comes in above it.
        top.evaluate("n => { n.scrollTop = Math.min(n.scrollTop, 900) }")
        ann.page.wait_for_timeout(50)
        place = "n => { const m = document.elementFromPoint(500, 400).closest('.row'); "
        place += "return m && [m.dataset.key, Math.round(m.getBoundingClientRect().top)] }"
        before = top.evaluate(place)
        ann.page.wait_for_timeout(150)
        assert top.evaluate(place) == before
    # Only what is near the screen is in the page; going up shows all of it.
    seen = []
    top.evaluate("n => { n.scrollTop = 0 }")
    expect(ann.message("line 000")).to_be_in_viewport()
    for _ in range(40):
        seen += [text for text in ann.shown() if text not in seen]
        if "line 179" in seen:
            break
        top.evaluate("n => { n.scrollTop += 500 }")
        ann.page.wait_for_timeout(60)
    assert seen == [f"line {i:03}" for i in range(180)]
    top.evaluate("n => { n.scrollTop = 0 }")
    # Somebody who reads above is not pulled down; the button brings them there.
    ann.page.get_by_role("button", name="Newest").click()
    expect(ann.message("line 179")).to_be_in_viewport()


def test_a_direct_message_starts_from_the_member_list(ann, bob, room):
    ann.member(bob.name).hover()
    ann.member(bob.name).get_by_label(f"Message {bob.name}").click()
    ann.is_in(bob.name)
    ann.say("just for you")
    expect(bob.badge(ann.name)).to_have_text("1")
    bob.open_room(ann.name)
    bob.sees("just for you")
    bob.say("and back")
    ann.sees("and back")
    # The same person again is the same conversation.
    ann.open_room(room)
    ann.member(bob.name).hover()
    ann.member(bob.name).get_by_label(f"Message {bob.name}").click()
    ann.is_in(bob.name)
    assert ann.shown() == ["just for you", "and back"]


def test_leaving_takes_the_room_away_and_a_public_one_can_be_found_again(ann, bob, room):
    bob.say("before I go")
    ann.sees("before I go")
    bob.page.get_by_role("button", name="Leave room").click()
    bob.page.locator("dialog").get_by_role("button", name="Leave").click()
    expect(bob.room_link(room)).to_have_count(0)
    expect(bob.page.get_by_text("Welcome to Parley")).to_be_visible()
    expect(ann.page.locator(".members h2")).to_have_text("Members · 1")
    expect(ann.member(bob.name)).to_have_count(0)
    bob.join_room(room)
    bob.sees("before I go")
    expect(ann.page.locator(".members h2")).to_have_text("Members · 2")


def test_the_last_owner_is_told_why_they_cannot_leave(visitor):
    owner = visitor("owner", allow=[r"status of 409 .*/leave"]).sign_up()
    owner.make_room(f"Mine {owner.name}")
    owner.page.get_by_role("button", name="Leave room").click()
    owner.page.locator("dialog").get_by_role("button", name="Leave").click()
    expect(owner.page.locator("dialog [role=alert]")).to_contain_text("only owner")


def test_a_private_room_is_in_no_directory_until_somebody_is_added(ann, bob):
    name = f"Secret {ann.name}"
    ann.make_room(name, private=True)
    bob.page.locator(".sidebar-head").get_by_label("Find a public room").click()
    bob.page.get_by_label("Search public rooms").fill(name)
    expect(bob.page.get_by_text("No public room fits")).to_be_visible()
    bob.page.keyboard.press("Escape")  # clears the words
    bob.page.keyboard.press("Escape")
    expect(bob.page.locator("dialog")).to_have_count(0)
    ann.page.get_by_role("button", name="Add somebody").click()
    ann.page.get_by_label("User id").fill(bob.session()["user"]["id"])
    ann.page.locator("dialog").get_by_role("button", name="Add").click()
    bob.open_room(name)
    bob.say("thank you")
    ann.sees("thank you")
    ann.member(bob.name).hover()
    ann.member(bob.name).get_by_label(f"Actions on {bob.name}").click()
    ann.page.get_by_role("menuitem", name=f"Remove {bob.name}").click()
    ann.page.locator("dialog").get_by_role("button", name="Remove").click()
    expect(bob.room_link(name)).to_have_count(0)
    expect(bob.page.locator(".toast")).to_contain_text(f"You are not in “{name}” any more.")


def test_lists_keep_their_kind(ann, bob, room):
    ann.say("- salt\n- bread\n3. bake\n4. eat")
    bob.sees("salt")
    content = bob.message("salt").locator(".content")
    expect(content.locator("ul > li")).to_have_text(["salt", "bread"])
    expect(content.locator("ol > li")).to_have_text(["bake", "eat"])
    assert content.locator("ol").get_attribute("start") == "3"
