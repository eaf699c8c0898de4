"""The admin page, as those who run the server use it."""

import json
from playwright.sync_api import expect
from parley_client import refused
from parley_command import parley

from admin_page import (  # noqa: F401 - fixtures
    act,
    admin,
    dialog,
    held,
    house,
    row,
    search,
    staff,
    to,
    toast,
    violations,
)


# --- who may see it


def test_who_has_no_role_is_told_so_and_sees_nothing(visitor, house):
    ann = visitor("ann", at=house.server).sign_up()
    expect(ann.page.get_by_label("Administration")).to_have_count(0)
    for tab in ("overview", "users"):
        ann.page.goto(f"{house.server.url}/#/admin/{tab}")
        expect(ann.page.get_by_text("This page is for moderators and admins of the server.")).to_be_visible()
        expect(ann.page.get_by_role("navigation", name="Parts of the administration")).to_have_count(0)
    assert not [each for each in ann.watch.requests if "/v1/admin" in each]
    assert violations(ann) == []


def test_a_moderator_sees_what_moderators_may(staff):
    dora = staff("moderator")
    expect(dora.page.get_by_label("Administration", exact=True)).to_be_visible()  # in the sidebar, at once
    nav = dora.page.get_by_role("navigation", name="Parts of the administration")
    expect(nav.get_by_role("link")).to_have_count(6)
    expect(nav.get_by_role("link", name="Users")).to_have_count(0)
    dora.page.goto(f"{dora.watch.origin}/#/admin/users")
    expect(dora.page.get_by_text("This is for admins of the server.")).to_be_visible()
    to(dora, "Words")
    expect(dora.page.get_by_text("Only admins of the server see and reload its lists.")).to_be_visible()
    assert not [each for each in dora.watch.requests if "/v1/admin/users" in each or "/v1/admin/filter" in each]


def test_a_role_that_was_taken_away_meanwhile(staff, house):
    boss = staff("admin", "users", allow=[r"403"])
    victim = house.user()
    search(boss, "Search users", victim.name)
    expect(row(boss, victim.name)).to_be_visible()
    other = house.user()
    house.give(other.name, "admin")  # one always remains
    house.give(boss.name, "user")
    act(boss, victim.name, "Disable")
    dialog(boss).get_by_role("button", name="Disable").click()
    expect(dialog(boss).get_by_role("alert")).to_contain_text("Ask an admin of the server.")
    assert victim.get("/v1/me").status_code == 200


# --- overview, limits, retention


def test_the_overview_tells_how_the_server_is(admin, house):
    page = admin.page
    expect(page.get_by_role("status").get_by_text("The server is ready")).to_be_visible()
    version = house.api.http.get("/metrics").text.split('parley_build_info{version="')[1].split('"')[0]
    expect(page.locator(".status-facts")).to_contain_text(version)
    tile = page.locator(".tile", has_text="Connections")
    expect(tile.locator(".tile-figure")).to_have_text("1")
    ann = house.user()
    sockets = [ann.socket(), ann.socket()]
    expect(tile.locator(".tile-figure")).to_have_text("3", timeout=15_000)
    expect(page.locator(".tile", has_text="Events a second").locator(".tile-figure")).to_have_text(
        "0", timeout=15_000
    )
    for socket in sockets:
        socket.close()
    expect(page.get_by_role("row", name="Messages for the disk")).to_contain_text("0")
    page.get_by_role("link", name="Refused by limits").click()
    expect(page.get_by_role("region", name="Limits")).to_be_visible()


def test_an_overview_without_metrics_says_so(staff):
    """As behind Nginx, which keeps them inside."""
    dora = staff("moderator", "limits", allow=["404"])
    dora.page.route("**/metrics", lambda route: route.fulfill(status=404, body="no"))
    dora.page.reload()
    to(dora, "Overview")
    expect(dora.page.get_by_text("The metrics are not reachable from here.")).to_be_visible()
    expect(dora.page.locator(".tile", has_text="Connections").locator(".tile-figure")).to_have_text("–")
    expect(dora.page.locator(".tile", has_text="Held messages").locator(".tile-figure")).not_to_have_text("–")
    assert violations(dora) == []


def test_limits_are_shown_as_what_they_are(admin, house):
    ann = house.user()
    room = ann.room()
    for number in range(6):
        ann.post_message(room, f"number {number}")
    to(admin, "Limits")
    rooms = admin.page.locator("tbody", has_text="Of one room")
    sends = rooms.get_by_role("row", name="Messages, edits")
    expect(sends.get_by_role("cell").nth(0)).to_have_text("1 an hour")
    expect(sends.get_by_role("cell").nth(1)).to_have_text("3")
    refusals = {each["name"]: each["refused"] for each in ann_report(house)}
    expect(sends.get_by_role("cell").nth(2)).to_have_text(str(refusals["sends-per-room"]))
    assert refusals["sends-per-room"] >= 2
    expect(rooms.get_by_role("row", name="Joins")).to_contain_text("No limit")
    expect(admin.page.locator("tbody tr:not(.group)")).to_have_count(len(refusals))


def ann_report(house):
    moderator = house.user()
    house.give(moderator.name, "moderator")
    return moderator.got("/v1/admin/server")["limits"]


def test_retention_of_the_server_and_of_rooms(admin, house):
    own = f"Own {admin.name}"
    admin.make_room(own)
    room = admin.room_id()
    ann = house.user()
    other = ann.room(name=f"Other {ann.name}")
    assert ann.patch(f"/v1/rooms/{other}", {"retention_days": 500}).status_code == 200
    page = admin.page
    page.goto(f"{admin.watch.origin}/#/admin/retention")
    expect(page.get_by_text("The server keeps messages for 400 days")).to_be_visible()
    expect(row(admin, f"Other {ann.name}")).to_contain_text("Its own time: 500 days · What counts: 400 days")
    expect(row(admin, own)).to_have_count(0)
    to(admin, "Rooms")
    search(admin, "Search rooms", own)
    act(admin, own, "Room settings")
    dialog(admin).get_by_label("Keep messages").select_option("30")
    dialog(admin).get_by_label("Slow mode").select_option("60")
    dialog(admin).get_by_role("button", name="Save").click()
    expect(row(admin, own)).to_contain_text("Slow mode 1 minute")
    expect(row(admin, own)).to_contain_text("Kept 30 days")
    to(admin, "Retention")
    expect(row(admin, own)).to_contain_text("Its own time: 30 days")
    row(admin, own).get_by_role("button", name=f"Change: {own}").click()
    dialog(admin).get_by_label("Keep messages").select_option("7")
    dialog(admin).get_by_role("button", name="Save").click()
    expect(row(admin, own)).to_contain_text("Its own time: 7 days")
    token = admin.session()["access"]
    assert house.api.call("GET", f"/v1/rooms/{room}", token).json()["retention_days"] == 7
    # Of a room that is somebody else's, too; without a time of its own it is not listed any more.
    for name in (own, f"Other {ann.name}"):
        row(admin, name).get_by_role("button", name=f"Change: {name}").click()
        dialog(admin).get_by_label("Keep messages").select_option("As long as the server keeps them")
        dialog(admin).get_by_role("button", name="Save").click()
        expect(row(admin, name)).to_have_count(0)
    assert "retention_days" not in ann.got(f"/v1/rooms/{other}")


# --- users


def test_users_are_found_given_a_role_disabled_and_enabled(admin, house):
    victim = house.user()
    to(admin, "Users")
    search(admin, "Search users", "nobody is called so")
    expect(admin.page.get_by_text("Nobody fits.")).to_be_visible()
    search(admin, "Search users", victim.name)
    expect(admin.page.locator(".admin-rows li")).to_have_count(1)
    expect(row(admin, victim.name)).to_contain_text(victim.email)

    act(admin, victim.name, "Change role")
    dialog(admin).get_by_text("Moderator", exact=True).click()
    dialog(admin).get_by_role("button", name="Save").click()
    expect(row(admin, victim.name).locator(".role")).to_have_text("Moderator")
    assert victim.got("/v1/me")["role"] == "moderator"

    act(admin, victim.name, "Disable")
    expect(dialog(admin)).to_contain_text("signed out at once")
    dialog(admin).get_by_role("button", name="Cancel").click()
    assert victim.get("/v1/me").status_code == 200, "nothing happens before it is confirmed"
    act(admin, victim.name, "Disable")
    dialog(admin).get_by_role("button", name="Disable").click()
    expect(row(admin, victim.name)).to_contain_text("Disabled")
    refused(victim.get("/v1/me"), 401, "session_revoked")
    act(admin, victim.name, "Enable")
    expect(row(admin, victim.name)).not_to_contain_text("Disabled")
    victim = victim.sign_in_again()

    act(admin, victim.name, "Sign out everywhere")
    dialog(admin).get_by_role("button", name="Sign out everywhere").click()
    toast(admin, "was signed out everywhere")
    refused(victim.get("/v1/me"), 401, "session_revoked")

    act(admin, victim.name, "New password")
    victim = victim.sign_in_again()
    field = dialog(admin).get_by_label("New password")
    made = field.input_value()
    assert len(made) > 15
    field.fill("short")
    dialog(admin).get_by_role("button", name="Set password").click()
    expect(dialog(admin)).to_be_visible()
    field.fill(made)
    dialog(admin).get_by_role("button", name="Set password").click()
    toast(admin, f"{victim.name} has a new password.")
    refused(victim.get("/v1/me"), 401, "session_revoked")
    victim.password = made
    assert victim.sign_in_again().get("/v1/me").status_code == 200


def test_one_cannot_lock_oneself_out(admin, house):
    to(admin, "Users")
    search(admin, "Search users", admin.name)
    row(admin, admin.name).locator(".menu-box > button").click()
    entries = admin.page.get_by_role("menuitem").all_inner_texts()
    assert "Change role" in entries
    assert not {"Disable", "Erase"} & set(entries)
    admin.page.get_by_role("menuitem", name="Change role").click()
    expect(dialog(admin)).to_contain_text("This is your own account.")


def test_the_last_admin_is_told_what_to_do(visitor, own_server):
    server = own_server()
    boss = visitor("boss", at=server, allow=["409"]).sign_up()
    parley("user", "role", boss.name, "admin", data=server.data)
    boss.page.goto(f"{server.url}/#/admin/users")
    act(boss, boss.name, "Change role")
    dialog(boss).get_by_text("User", exact=True).click()
    dialog(boss).get_by_role("button", name="Save").click()
    expect(dialog(boss).get_by_role("alert")).to_contain_text("Make somebody else admin first.")


def test_a_user_is_erased_with_a_receipt(admin, house):
    victim, friend = house.user(), house.user()
    room = friend.room(victim)
    victim.say(room, "something about me")
    to(admin, "Users")
    search(admin, "Search users", victim.name)
    act(admin, victim.name, "Erase")
    dialog(admin).get_by_label(f"Type {victim.name} to confirm").fill("somebody else")
    dialog(admin).get_by_role("button", name="Erase").click()
    expect(dialog(admin).get_by_role("alert")).to_contain_text("That is not the name.")
    assert victim.get("/v1/me").status_code == 200
    dialog(admin).get_by_label(f"Type {victim.name} to confirm").fill(victim.name)
    dialog(admin).get_by_role("button", name="Erase").click()
    expect(dialog(admin).get_by_text("Everything is erased.")).to_be_visible(timeout=30_000)
    receipt = dialog(admin).locator(".facts").inner_text()
    assert victim.id in receipt and victim.name not in receipt
    attested = house.api.call("GET", f"/v1/admin/erasures/{victim.id}", admin.session()["access"]).json()
    assert attested["sha256"] in receipt and attested["counts"]["messages"] == 1
    assert violations(admin) == []
    dialog(admin).locator(".dialog-foot").get_by_role("button", name="Close").click()
    expect(row(admin, f"deleted-{victim.id}")).to_contain_text("Erased")
    act(admin, f"deleted-{victim.id}", "Receipt")
    expect(dialog(admin)).to_contain_text(attested["sha256"])


# --- rooms and words


def test_rooms_also_private_ones_and_how_one_is_deleted(admin, house):
    ann = house.user()
    secret = f"Secret {ann.name}"
    ann.room(name=secret, visibility="private")
    own = f"Mine {admin.name}"
    admin.make_room(own)
    admin.page.goto(f"{admin.watch.origin}/#/admin/rooms")
    search(admin, "Search rooms", "no room is called so")
    expect(admin.page.get_by_text("No room fits.")).to_be_visible()
    search(admin, "Search rooms", secret)
    expect(row(admin, secret)).to_contain_text("Private")
    row(admin, secret).locator(".menu-box > button").click()
    assert admin.page.get_by_role("menuitem").all_inner_texts() == ["Slow mode and retention", "Words of the room"]
    admin.page.keyboard.press("Escape")
    search(admin, "Search rooms", own)
    act(admin, own, "Delete this room")
    dialog(admin).get_by_label("Type the name of the room to confirm").fill(own)
    dialog(admin).get_by_role("button", name="Delete").click()
    toast(admin, "was deleted")
    expect(row(admin, own)).to_have_count(0)
    expect(admin.room_link(own)).to_have_count(0)


def test_words_of_a_room_that_is_not_ones_own(staff, house):
    dora = staff("moderator", "rooms")
    ann = house.user()
    name = f"Fruit {ann.name}"
    room = ann.room(name=name)
    search(dora, "Search rooms", name)
    act(dora, name, "Words of the room")
    expect(dialog(dora)).to_contain_text("No words of its own.")
    dialog(dora).get_by_label("Word", exact=True).fill("pineapple")
    dialog(dora).get_by_label("What happens").select_option("reject")
    dialog(dora).get_by_label("Word", exact=True).press("Enter")
    expect(dialog(dora).locator(".word-rows li")).to_have_count(1)
    assert violations(dora) == []
    dialog(dora).get_by_label("Word", exact=True).fill("mango")  # saved too, though not added yet
    dialog(dora).get_by_role("button", name="Save").click()
    toast(dora, "The words are in force.")
    refused(ann.post_message(room, "a pineapple"), 422, "content_rejected")
    act(dora, name, "Words of the room")
    dialog(dora).get_by_label("Remove pineapple").click()
    dialog(dora).get_by_role("button", name="Save").click()
    expect(dialog(dora)).to_have_count(0)
    assert [each["word"] for each in ann.got(f"/v1/rooms/{room}/words")["words"]] == ["mango"]


def test_slow_mode_and_retention_of_a_room_that_is_not_ones_own(staff, house):
    dora = staff("moderator", "rooms", allow=["404"])
    page = dora.page
    ann, bob = house.user(), house.user()
    name = f"Quick {ann.name}"
    room = ann.room(bob, name=name, visibility="private")
    search(dora, "Search rooms", name)
    row(dora, name).locator(".menu-box > button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Room settings")).to_have_count(0)
    expect(page.get_by_role("menuitem", name="Slow mode and retention")).to_be_focused()
    page.keyboard.press("Enter")
    slow = dialog(dora).get_by_label("Slow mode", exact=True)
    expect(slow).to_be_focused()
    expect(dialog(dora)).to_contain_text(f"Slow mode and retention of “{name}”")
    expect(dialog(dora)).to_contain_text("How long members wait between two messages.")
    assert violations(dora) == []
    slow.select_option("1 hour")
    dialog(dora).get_by_label("Keep messages").select_option("7 days")
    page.keyboard.press("Tab")
    dialog(dora).get_by_role("button", name="Save").click()
    toast(dora, f"Slow mode and retention of “{name}” are as you set them.")
    expect(row(dora, name)).to_contain_text("Slow mode 1 hour")
    expect(row(dora, name)).to_contain_text("Kept 7 days")
    told = ann.got(f"/v1/rooms/{room}")
    assert (told["slow_mode_seconds"], told["retention_days"]) == (3600, 7)
    bob.say(room, "one")
    refused(bob.post_message(room, "two"), 429, "rate_limited")
    act(dora, name, "Slow mode and retention")
    dialog(dora).get_by_label("Slow mode", exact=True).select_option("Off")
    dialog(dora).get_by_label("Keep messages").select_option("As long as the server keeps them")
    dialog(dora).get_by_role("button", name="Save").click()
    expect(row(dora, name).locator(".role")).to_have_count(0)
    # What goes wrong is said where it was asked for.
    act(dora, name, "Slow mode and retention")
    assert ann.delete(f"/v1/rooms/{room}").status_code == 204
    dialog(dora).get_by_label("Slow mode", exact=True).select_option("5 seconds")
    dialog(dora).get_by_role("button", name="Save").click()
    expect(dialog(dora).get_by_role("alert")).to_contain_text("This room is gone")


def test_the_lists_of_the_server_are_read_again(staff, house):
    boss = staff("admin", "words", allow=["422"])
    page = boss.page
    german = page.get_by_role("row", name="German (de)")
    before = int(german.get_by_role("cell").inner_text())
    (house.words / "de.txt").write_text("eichhorn\nmurmeltier\n")
    page.get_by_role("button", name="Read the lists again").click()
    toast(boss, "The lists were read again.")
    expect(german.get_by_role("cell")).to_have_text(str(before + 2))
    (house.words / "de.txt").write_text("explode: eichhorn\n")
    page.get_by_role("button", name="Read the lists again").click()
    expect(page.get_by_role("alert")).to_contain_text("de.txt")
    expect(german.get_by_role("cell")).to_have_text(str(before + 2))
    (house.words / "de.txt").unlink()


# --- held messages


def test_held_messages_are_let_through_or_refused(staff, house):
    dora = staff("moderator", "held")
    ann, bob = house.user(), house.user()
    room = ann.room(bob, name=f"Market {ann.name}")
    nav = dora.page.get_by_role("navigation", name="Parts of the administration")
    ann.say(room, "What do you have?")
    held(house, bob, room, f"A dealword from {bob.name}")
    held(house, bob, room, f"Another dealword from {bob.name}")
    dora.page.reload()
    cards = dora.page.locator(".held", has_text=bob.name)
    expect(cards).to_have_count(2)
    expect(nav.get_by_role("link", name="Held messages").locator(".badge")).to_be_visible()
    first = cards.first
    expect(first).to_contain_text(f"Market {ann.name}")
    expect(first.locator("mark")).to_have_text(["dealword", "dealword"])  # in the text, and as the reason
    first.get_by_role("button", name="What was said before").click()
    expect(first).to_contain_text("You are not in this room")
    first.get_by_role("button", name="Let through").click()
    toast(dora, "The message was let through.")
    expect(cards).to_have_count(1)
    assert f"A dealword from {bob.name}" in ann.contents(room)
    cards.first.get_by_role("button", name="Refuse").click()
    expect(dialog(dora)).to_contain_text("it cannot be brought back")
    dialog(dora).get_by_role("button", name="Refuse").click()
    toast(dora, "The message was refused.")
    expect(cards).to_have_count(0)
    assert f"Another dealword from {bob.name}" not in ann.contents(room)


def test_held_messages_in_context_and_decided_by_somebody_else(staff, house):
    boss = staff("admin", allow=["404"])
    name = f"Shop {boss.name}"
    boss.make_room(name)
    room = boss.room_id()
    ann, bob = house.user(), house.user()
    for user in (ann, bob):
        assert user.post(f"/v1/rooms/{room}/join").status_code == 200
    ann.say(room, "What do you have today?")
    held(house, bob, room)
    boss.page.goto(f"{boss.watch.origin}/#/admin/held")
    card = boss.page.locator(".held", has_text=name)
    expect(card.locator("strong").first).to_have_text(bob.name)
    card.get_by_role("button", name="What was said before").click()
    expect(card.locator(".context")).to_contain_text(f"{ann.name} What do you have today?")
    token = boss.session()["access"]
    waiting = house.api.call("GET", f"/v1/rooms/{room}/held", token).json()["held"][0]["id"]
    path = f"/v1/rooms/{room}/held/{waiting}/reject"
    assert house.api.call("POST", path, token, json={}).status_code == 204
    card.get_by_role("button", name="Let through").click()
    toast(boss, "Somebody else has decided about this message.")
    expect(card).to_have_count(0)
