"""My name, my picture, my sessions: set in the settings, seen by others."""

import re

import pytest
from files import file, png
from person import PASSWORD
from playwright.sync_api import expect
from test_accessibility import assert_no_violation

REFUSED = [r"status of 401"]


def settings(who, label="Settings"):
    who.page.get_by_label(label, exact=True).click()
    expect(who.page.locator("dialog.settings")).to_be_visible()
    return who.page.locator("dialog.settings")


def picture(within):
    """The picture of a person that is shown there."""
    return within.locator(".avatar img")


def second_browser(ann, visitor, **options):
    """Another browser in which the same person is logged in."""
    other = visitor("ann", allow=REFUSED, **options)
    other.name = ann.name
    return other.log_in()


def forget_what_is_kept(who):
    """The copy of rooms, messages and names; not the session."""
    who.page.evaluate(
        """async () => {
            const open = indexedDB.open('parley-cache');
            await new Promise((done) => { open.onsuccess = done; });
            const all = [...open.result.objectStoreNames];
            const change = open.result.transaction(all, 'readwrite');
            for (const name of all) change.objectStore(name).clear();
            await new Promise((done) => { change.oncomplete = done; });
            open.result.close();
        }"""
    )


def test_a_name_and_a_picture_are_seen_by_others(ann, bob, room):
    dialog = settings(ann)
    dialog.get_by_label("Display name").fill("Ann of the Harbour")
    dialog.get_by_role("button", name="Save").click()
    expect(ann.page.locator("dialog")).to_have_count(0)
    dialog = settings(ann)
    dialog.locator("[data-picture]").set_input_files([file("me.png", data=png(300, 200))])
    expect(picture(dialog)).to_be_visible()
    ann.page.keyboard.press("Escape")
    expect(picture(ann.page.locator(".me"))).to_be_visible()
    ann.say("who am I")
    # Others see both once they read the members again: at the latest with their next visit.
    bob.sees("who am I")
    bob.page.reload()
    bob.sees("who am I")
    expect(bob.page.locator(".byline").first).to_contain_text("Ann of the Harbour")
    expect(picture(bob.page.locator(".message"))).to_be_visible()
    member = bob.member("Ann of the Harbour")
    expect(member).to_contain_text(f"@{ann.name}")
    expect(picture(member)).to_be_visible()
    sizes = "(image) => [image.naturalWidth, image.naturalHeight]"
    assert picture(member).evaluate(sizes) == [200, 200], "the middle of it"
    bob.composer.press_sequentially(f"@{ann.name[:3]}")
    expect(bob.page.locator(".suggestions")).to_contain_text("Ann of the Harbour")
    bob.composer.press("Tab")
    expect(bob.composer).to_have_value(re.compile(f"^@{ann.name} $"))
    # A conversation is called by the name, and has the picture.
    member.hover()
    member.get_by_label("Message Ann of the Harbour").click()
    bob.is_in("Ann of the Harbour")
    expect(picture(bob.page.locator(".chat-head"))).to_be_visible()
    dialog = settings(ann)
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(picture(dialog)).to_have_count(0)


def test_an_author_who_has_left_is_still_called_by_name(ann, bob, room):
    bob.say("and that was all")
    ann.sees("and that was all")
    bob.page.get_by_role("button", name="Leave room").click()
    bob.page.locator("dialog").get_by_role("button", name="Leave").click()
    expect(bob.room_link(room)).to_have_count(0)
    forget_what_is_kept(ann)
    ann.page.reload()
    ann.sees("and that was all")
    expect(ann.page.locator(".byline").first).to_contain_text(bob.name)


def test_what_is_no_picture_is_told(ann):
    dialog = settings(ann)
    dialog.locator("[data-picture]").set_input_files([file("me.png", data=b"no picture at all")])
    expect(dialog.get_by_role("alert").first).to_contain_text("not what its name says")
    expect(picture(dialog)).to_have_count(0)


def test_one_browser_ends_the_session_of_another(visitor, server):
    ann = visitor("ann", allow=REFUSED).sign_up()
    ann.make_room(f"Sessions {ann.name}")
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1"
    phone = second_browser(ann, visitor, user_agent=agent)
    dialog = settings(ann)
    rows = dialog.locator(".session")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("This device")
    expect(rows.first.get_by_role("button")).to_have_count(0)
    other = rows.filter(has_text="Safari on iPhone")
    expect(other).to_contain_text("Last used")
    other.get_by_role("button", name="Log out on Safari on iPhone").click()
    expect(rows).to_have_count(1)
    expect(ann.page.locator(".toast")).to_contain_text("Logged out on Safari on iPhone.")
    expect(phone.page.locator(".auth-card")).to_be_visible(timeout=20_000)
    expect(phone.page.locator(".notice")).to_contain_text("This session was ended. Log in again.")
    expect(ann.page.locator(".sidebar")).to_be_visible()


def test_all_others_are_ended_at_once(visitor, server):
    ann = visitor("ann", allow=REFUSED).sign_up()
    others = [second_browser(ann, visitor) for _ in range(2)]
    dialog = settings(ann)
    expect(dialog.locator(".session")).to_have_count(3)
    dialog.get_by_role("button", name="Log out everywhere else").click()
    expect(dialog.locator(".session")).to_have_count(1)
    for other in others:
        expect(other.page.locator(".auth-card")).to_be_visible()
    expect(ann.page.locator(".sidebar")).to_be_visible()


SETTINGS = {"en": "Settings", "de": "Einstellungen", "ja": "設定", "ar": "الإعدادات"}


@pytest.mark.parametrize("language, label", SETTINGS.items())
def test_the_settings_break_no_rule_in_any_language(visitor, server, rest, language, label):
    ann = visitor("ann").sign_up()
    api = rest(server)
    for agent in ("parley-bot/1.0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36"):
        body = {"username": ann.name, "password": "correct horse battery"}
        assert api.call("POST", "/v1/sessions", json=body, headers={"User-Agent": agent}).status_code == 201
    ann.page.evaluate(f"localStorage.setItem('parley.language', '{language}')")
    ann.page.reload()
    dialog = settings(ann, label)
    expect(dialog.locator(".session")).to_have_count(3)
    expect(dialog.locator(".session")).to_contain_text(["Linux", "Windows", "parley-bot"])
    assert_no_violation(ann, f"settings in {language}")
    assert ann.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_i_take_another_password_and_stay(visitor):
    ann = visitor("ann", allow=["status of 403"]).sign_up()
    settings(ann).get_by_role("button", name="Change password").click()
    dialog = ann.page.get_by_role("dialog", name="Change password")
    present, new = dialog.get_by_label("Present password"), dialog.get_by_label("New password")
    present.fill("not this one")
    new.fill("a better horse")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_have_text("This is not your present password.")
    present.fill(PASSWORD)
    dialog.get_by_role("button", name="Save").click()
    expect(ann.page.locator(".toast")).to_contain_text("Your password is changed.")
    expect(dialog).to_be_hidden()
    ann.page.reload()
    expect(ann.page.locator(".sidebar")).to_be_visible()
