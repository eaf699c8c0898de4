"""Rooms and the people in them; the own profile."""

from playwright.sync_api import expect
from test_accessibility import assert_no_violation


def test_a_room_is_reached_by_a_few_letters(ann):
    for name in ("Kitchen", "Garden", "Workshop"):
        ann.make_room(f"{name} {ann.name}")
    ann.page.keyboard.press("Control+k")
    dialog = ann.page.get_by_role("dialog", name="Go to a room")
    expect(dialog.get_by_role("option")).to_have_count(3)
    ann.page.keyboard.type("gar")
    expect(dialog.get_by_role("option")).to_have_count(1)
    ann.page.keyboard.press("Enter")
    ann.is_in(f"Garden {ann.name}")
    ann.page.keyboard.press("Alt+ArrowDown")
    expect(ann.page.locator(".chat-title h2")).not_to_have_text(f"Garden {ann.name}")


def test_the_directory_is_searched_and_what_is_mine_is_opened(ann, bob, room):
    ann.page.get_by_label("Find a public room").first.click()
    ann.page.get_by_label("Search public rooms").fill(room)
    found = ann.page.locator(".directory li").filter(has_text=room)
    expect(found).to_contain_text("2 members · What we build")
    found.get_by_role("button", name="Open").click()
    ann.is_in(room)


def test_roles_are_given_and_taken(ann, bob, room):
    def act(name):
        ann.member(bob.name).hover()
        ann.member(bob.name).get_by_label(f"Actions on {bob.name}").click()
        ann.page.get_by_role("menuitem", name=name).click()

    expect(bob.page.get_by_role("button", name="Add somebody")).to_have_count(0)
    act("Make admin")
    expect(ann.member(bob.name).locator(".role")).to_have_text("Admin")
    expect(bob.page.get_by_role("button", name="Add somebody")).to_be_visible()
    ann.say("to be removed by an admin")
    bob.sees("to be removed by an admin")
    bob.delete("to be removed by an admin")
    ann.sees("Message deleted")
    act("Make member")
    expect(bob.page.get_by_role("button", name="Add somebody")).to_have_count(0)


def test_somebody_from_another_room_is_added_by_name(visitor, ann, bob, room):
    boss = visitor("boss", allow=["404"]).sign_up()
    boss.join_room(room)
    expect(boss.member(bob.name)).to_be_visible()
    own = f"Club {boss.name}"
    boss.make_room(own, private=True)
    boss.page.get_by_role("button", name="Add somebody").click()
    dialog = boss.page.get_by_role("dialog", name="Add somebody")
    who = dialog.get_by_label("Name or user id")
    expect(who).to_be_focused()
    expect(dialog.get_by_label(ann.name)).not_to_be_checked()
    who.fill("nobody is called so")
    expect(dialog.get_by_role("radio")).to_have_count(0)
    boss.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Nobody of this name is in your rooms.")
    who.fill("99999999999")
    boss.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Nobody has this user id.")
    who.fill(bob.name.upper())
    expect(dialog.get_by_role("radio")).to_have_count(1)
    expect(dialog.get_by_label(bob.name)).to_be_checked()
    assert_no_violation(boss, "adding somebody")
    boss.page.keyboard.press("Enter")
    expect(boss.member(bob.name)).to_be_visible()
    bob.open_room(own)
    boss.page.get_by_role("button", name="Add somebody").click()
    expect(dialog.get_by_label(ann.name)).to_be_visible()
    expect(dialog.get_by_label(bob.name)).to_have_count(0)


def test_a_room_is_deleted_by_its_owner(ann, bob, room):
    ann.page.get_by_role("button", name="Room settings").last.click()
    ann.page.get_by_role("button", name="Delete this room").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    for who in (ann, bob):
        expect(who.room_link(room)).to_have_count(0)
    expect(bob.page.locator(".toast")).to_contain_text(f"You are not in “{room}” any more.")
    expect(ann.page.locator(".toast")).to_contain_text("The room was deleted.")


def test_a_profile_is_changed(visitor, ann, bob, room):
    ann.page.get_by_label("Settings", exact=True).click()
    dialog = ann.page.get_by_role("dialog", name="Settings")
    expect(dialog).to_contain_text(f"{ann.name}@example.org")
    dialog.get_by_label("Display name").fill("Ann of the Harbour")
    dialog.get_by_label("Name", exact=True).fill(f"{ann.name}_new")
    dialog.get_by_role("button", name="Save").click()
    expect(ann.page.locator(".me strong")).to_have_text("Ann of the Harbour")
    bob.page.reload()
    expect(bob.member("Ann of the Harbour")).to_contain_text(f"@{ann.name}_new")
    ann.page.get_by_label("Settings", exact=True).click()
    ann.page.get_by_label("Colours").select_option("dark")
    assert ann.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(26, 29, 31)"
    ann.page.reload()
    assert ann.page.evaluate("document.documentElement.dataset.theme") == "dark"
