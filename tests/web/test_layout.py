"""Where things stand: long names, small screens, languages that run the other way, pictures that do not come."""

from chromium import PHONE
from files import file, png
from playwright.sync_api import expect

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebsw"


def called(who, name):
    who.page.get_by_label("Settings", exact=True).click()
    who.page.get_by_label("Display name").fill(name)
    who.page.locator("dialog").get_by_role("button", name="Save").click()
    expect(who.page.locator("dialog")).to_have_count(0)


def box(locator):
    """Its left, right, top and bottom edges."""
    edges = locator.bounding_box()
    return edges["x"], edges["x"] + edges["width"], edges["y"], edges["y"] + edges["height"]


def in_arabic(who):
    who.page.evaluate("() => localStorage.setItem('parley.language', 'ar')")
    who.page.reload()
    expect(who.page.locator("html")).to_have_attribute("dir", "rtl")


def test_a_long_name_leaves_what_stands_beside_it_in_reach(ann, bob, room, visitor):
    called(bob, LONG)
    bob.say("from somebody with a long name")
    ann.page.reload()
    member = ann.member(LONG)
    expect(member).to_be_visible()
    panel = box(ann.page.locator(".members"))
    ann.composer.hover()
    name = box(member.locator(".member-name"))
    assert name[1] - name[0] > 150, "what is not shown takes no place from it"
    member.hover()
    for button in member.get_by_role("button").all():
        assert panel[0] <= box(button)[0] and box(button)[1] <= panel[1]
    phone = visitor("ann", **PHONE)
    phone.name = ann.name
    phone.log_in()
    phone.open_room(room)
    phone.sees("from somebody with a long name")
    byline = phone.page.locator(".byline", has_text=LONG)
    left, right, top, bottom = box(byline)
    assert bottom - top < 30, "the name and the time take one line"
    assert right <= PHONE["viewport"]["width"]
    assert box(byline.locator("time"))[1] <= right + 1


def test_from_right_to_left_names_and_words_begin_beside_their_picture(ann, room):
    ann.say("Yes.")
    ann.sees("Yes.")
    in_arabic(ann)
    page = ann.page
    ann.sees("Yes.")
    # The first word of each, measured as it is drawn.
    left_and_right = """(n) => {
        const range = document.createRange();
        range.selectNodeContents(n);
        const { left, right } = range.getBoundingClientRect();
        return [left, right];
    }"""
    for words, picture in (
        (page.locator(".room-name", has_text=room), page.locator(".room .room-icon").first),
        (page.locator(".chat-title h2"), page.locator(".chat-head .room-icon")),
        (page.locator(".message .content p", has_text="Yes."), page.locator(".message .avatar").first),
    ):
        _, right = words.evaluate(left_and_right)
        assert 0 <= box(picture)[0] - right < 30, words
    assert page.locator(".beginning-title").evaluate(left_and_right)[1] > box(page.locator(".message .avatar").first)[0]
    assert page.locator(".me-text .hint bdi").inner_text() == f"@{ann.name}"


def test_what_a_long_dialog_asks_for_is_in_sight(ann, room):
    ann.page.set_viewport_size({"width": 1000, "height": 520})
    for opens in ("Room settings", "Settings"):
        ann.page.get_by_role("button", name=opens, exact=True).first.click()
        body = ann.page.locator(".dialog-body")
        if opens == "Settings":
            expect(ann.page.locator(".session")).to_be_visible()
        ann.page.wait_for_function("() => document.getAnimations().every((each) => each.playState !== 'running')")
        assert body.evaluate("(n) => n.scrollHeight > n.clientHeight + 50")
        save = ann.page.locator("dialog").get_by_role("button", name="Save")
        at = box(save)
        assert at[3] <= 520 - 12
        body.evaluate("(n) => n.scrollTo(0, n.scrollHeight)")
        assert abs(box(save)[2] - at[2]) < 2
        # The last thing above it is not under it.
        last = ann.page.locator("dialog form > :nth-last-child(1 of :not(.dialog-foot, .form-error))")
        assert box(last)[3] <= box(ann.page.locator(".dialog-foot"))[2] + 1
        ann.page.keyboard.press("Escape")


def test_keys_are_called_as_on_that_machine(visitor):
    apple = visitor("apple")
    apple.page.add_init_script("Object.defineProperty(navigator, 'platform', { get: () => 'MacIntel' })")
    apple.sign_up()
    apple.make_room(f"Orchard {apple.name}")
    apple.page.goto(f"{apple.watch.origin}/#/")
    expect(apple.page.get_by_text("⌘ K goes to any of them")).to_be_visible()
    apple.page.keyboard.press("?")
    keys = apple.page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys.locator("kbd").first).to_have_text("⌘")
    expect(keys).not_to_contain_text("Ctrl")


def test_a_picture_that_does_not_come_says_so_and_is_asked_for_again(ann, visitor, room):
    ann.page.locator("input[type=file]").set_input_files([file("harbour.png", data=png(400, 200))])
    ann.composer.press("Enter")
    expect(ann.page.locator(".picture img.is-shown")).to_have_count(1)
    late = visitor("late", allow=["503"]).sign_up()
    fails = [True]
    late.page.route(
        "**/v1/media/**",
        lambda route: route.fulfill(status=503, content_type="application/problem+json", body='{"code":"unavailable"}')
        if fails[0]
        else route.continue_(),
    )
    late.join_room(room)
    failed = late.page.get_by_role("button", name="harbour.png: It could not be loaded. Try again.")
    expect(failed.locator(".picture-error-text")).to_be_visible()
    fails[0] = False
    failed.click()
    expect(late.page.locator(".picture img.is-shown")).to_have_count(1)
    expect(late.page.get_by_role("button", name="Open harbour.png")).to_be_visible()
