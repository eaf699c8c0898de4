"""What moderators and admins see and do."""

from playwright.sync_api import expect

ROLES = {"moderator": 2, "admin": 3}


def give_role(who, server, role):
    user = who.session()["user"]["id"]
    server.change_accounts(f"UPDATE users SET role = {ROLES[role]} WHERE id = {user}")
    who.log_out()
    who.log_in()


def test_an_admin_looks_after_users_and_rooms(person, own_server):
    server = own_server()
    ann, bob = person("ann", at=server), person("bob", at=server, allow=[r"status of 401"])
    bob.make_room("Bob's place")
    give_role(ann, server, "admin")
    ann.page.get_by_label("Administration").first.click()
    expect(ann.page.locator(".health")).to_contain_text("The server is ready.")
    expect(ann.page.locator(".tile", has_text="Connections").locator("dd")).to_have_text("2")

    ann.page.get_by_role("link", name="Rooms", exact=True).click()
    expect(ann.page.locator(".admin-rows li")).to_contain_text("Bob's place")
    ann.page.get_by_role("link", name="Word filter").click()
    ann.page.get_by_role("button", name="Read the lists again").click()
    expect(ann.page.locator(".toast")).to_contain_text("read again")

    ann.page.get_by_role("link", name="Users").click()
    ann.page.get_by_label("Search by name or e-mail").fill(bob.name)
    row = ann.page.locator(".admin-rows li")
    expect(row).to_have_count(1)

    def act(name):
        row.get_by_label(f"Actions on {bob.name}").click()
        ann.page.get_by_role("menuitem", name=name).click()

    act("Make moderator")
    expect(row.locator(".role")).to_have_text("Moderator")
    act("Disable")
    expect(row).to_contain_text("Disabled")
    expect(bob.page.locator(".auth-card")).to_be_visible()
    act("Enable")
    expect(row).not_to_contain_text("Disabled")
    act("Erase")
    ann.page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    expect(ann.page.get_by_role("dialog", name="Receipt")).to_contain_text("SHA-256")


def test_a_moderator_lets_held_messages_through_or_not(person, own_server, tmp_path):
    words = tmp_path / "server0/data/words"
    words.mkdir(parents=True)
    (words / "en.txt").write_text("hold: gizmo\n")
    server = own_server()
    ann, bob = person("ann", at=server), person("bob", at=server)
    ann.make_room("Market")
    bob.join_room("Market")
    give_role(ann, server, "moderator")
    bob.say("a gizmo for sale")
    expect(bob.pending()).to_contain_text("A moderator looks at this first.")
    bob.say("one more gizmo")
    expect(bob.pending()).to_have_count(2)
    ann.page.get_by_label("Administration").first.click()
    ann.page.get_by_role("link", name="Held messages").click()
    expect(ann.page.get_by_role("link", name="Users")).to_have_count(0)
    held = ann.page.locator(".held")
    expect(held).to_have_count(2)
    held.filter(has_text="a gizmo for sale").get_by_role("button", name="Let through").click()
    bob.sees("a gizmo for sale")
    expect(held).to_have_count(1)
    held.get_by_role("button", name="Refuse").click()
    expect(ann.page.get_by_text("Nothing waits for you.")).to_be_visible()


def test_others_are_told_that_it_is_not_theirs(ann):
    ann.page.goto(ann.watch.origin + "/#/admin")
    expect(ann.page.get_by_text("This page is for moderators and admins.")).to_be_visible()
    expect(ann.page.get_by_label("Administration")).to_have_count(0)
