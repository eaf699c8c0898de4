"""Without a mouse, and on a small screen."""

from chromium import PHONE
from playwright.sync_api import expect

from person import PASSWORD


def focus_by_tab(who, locator, tries=40, key="Tab"):
    for _ in range(tries):
        if locator.evaluate("n => n === document.activeElement"):
            return
        who.page.keyboard.press(key)
    raise AssertionError(f"{locator} is not reached by {key}")


def test_sign_in_switch_room_and_send_by_keyboard_alone(person, visitor):
    ann = person("ann")
    ann.make_room(f"First {ann.name}")
    ann.make_room(f"Second {ann.name}")
    user = visitor("again")
    user.name = ann.name
    keyboard = user.page.keyboard
    user.page.goto(user.watch.origin + "/")
    expect(user.page.locator("input").first).to_be_focused()
    focus_by_tab(user, user.page.get_by_role("button", name="Log in", exact=True), key="Shift+Tab")
    keyboard.press("Enter")
    expect(user.page.get_by_label("E-mail or name")).to_be_focused()
    keyboard.type(ann.name)
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect(user.page.locator(".sidebar")).to_be_visible()
    for name in (f"First {ann.name}", f"Second {ann.name}"):
        expect(user.room_link(name)).to_be_visible()
        focus_by_tab(user, user.room_link(name))
        keyboard.press("Enter")
        user.is_in(name)
        # Opening a room leaves the keyboard where one writes.
        expect(user.composer).to_be_focused()
        keyboard.type(f"typed into {name}")
        keyboard.press("Enter")
        user.sees(f"typed into {name}")
    # Up edits the last message, Escape lets it be.
    keyboard.press("ArrowUp")
    expect(user.page.get_by_label("Edit message")).to_be_focused()
    keyboard.press("Escape")
    expect(user.composer).to_be_focused()
    # The menu of a message.
    focus_by_tab(user, user.page.locator(".message-actions .menu-box > button"), key="Shift+Tab")
    keyboard.press("Enter")
    keyboard.press("ArrowRight")
    keyboard.press("Enter")
    expect(user.page.locator(".reaction")).to_have_text("❤️1")
    # A dialog opens, keeps the focus, and closes.
    focus_by_tab(user, user.page.get_by_label("New room"), key="Shift+Tab")
    keyboard.press("Enter")
    expect(user.page.locator("dialog")).to_be_visible()
    for _ in range(12):
        keyboard.press("Tab")
        inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        assert user.page.evaluate(inside)
    keyboard.press("Escape")
    expect(user.page.locator("dialog")).to_have_count(0)
    expect(user.page.get_by_label("New room")).to_be_focused()


def test_every_control_has_a_name_and_every_field_a_label(ann, bob, room):
    ann.say("something")
    bob.sees("something")
    ann.page.get_by_label("New room").click()
    nameless = ann.page.evaluate(
        """() => [...document.querySelectorAll('button, a, input, textarea')].filter((n) =>
            !(n.getAttribute('aria-label') || n.textContent.trim() || n.labels?.length))
            .map((n) => n.outerHTML)"""
    )
    assert nameless == []


def assert_fits(who):
    assert who.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    beyond = who.page.evaluate(
        """() => [...document.querySelectorAll('button, textarea, input, h2')].filter((n) => {
            const box = n.getBoundingClientRect();
            return box.width && (box.left < -1 || box.right > innerWidth + 1);
        }).map((n) => n.outerHTML)"""
    )
    assert beyond == []


def test_a_phone_shows_one_thing_at_a_time(person):
    ann = person("ann")
    name = f"Pocket {ann.name}"
    ann.make_room(name, topic="A topic that is a good deal longer than any phone is wide, as topics are")
    bob = person("bob", **PHONE)
    assert_fits(bob)
    bob.join_room(name)
    assert_fits(bob)
    expect(bob.page.locator(".sidebar")).to_be_hidden()
    expect(bob.composer).to_be_in_viewport(ratio=1)
    ann.say("x" * 300 + " " + "https://example.org/" + "y" * 300)
    for i in range(30):
        ann.say(f"line {i}")
    expect(bob.message("line 29")).to_be_in_viewport()
    assert_fits(bob)
    bob.composer.tap()
    bob.composer.fill("from the bus")
    bob.page.get_by_label("Send", exact=True).tap()
    ann.sees("from the bus")
    # A message's menu opens by touch, inside the screen.
    bob.message("from the bus").locator(".message-actions .menu-box > button").tap()
    expect(bob.page.get_by_role("menu")).to_be_in_viewport(ratio=1)
    bob.page.get_by_role("menuitem", name="React with 👍").tap()
    expect(ann.message("from the bus").locator(".reaction")).to_have_text("👍1")
    bob.page.get_by_label("Show or hide the member list").tap()
    expect(bob.member(ann.name)).to_contain_text("Online")
    assert_fits(bob)
    bob.page.get_by_label("Close the member list").tap()
    bob.page.get_by_label("Back to the rooms").tap()
    expect(bob.page.locator(".sidebar")).to_be_visible()
    expect(bob.page.locator(".chat")).to_be_hidden()
    ann.say("are you there?")
    expect(bob.badge(name)).to_have_text("1")
    bob.page.go_back()
    bob.is_in(name)
    bob.sees("are you there?")
