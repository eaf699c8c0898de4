"""axe-core finds nothing on any page or state, light and dark."""

from pathlib import Path

import pytest
from files import file
from playwright.sync_api import expect

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"
# A page's own styles cannot be measured while they are under way.
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"


def assert_no_violation(who, where):
    who.page.evaluate(AXE.read_text() + "; 0")
    who.page.evaluate(
        """(css) => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(css);
            document.adoptedStyleSheets = [sheet];
        }""",
        STILL,
    )
    who.page.wait_for_timeout(50)
    found = who.page.evaluate(
        """async () => {
            const { violations } = await axe.run(document, { resultTypes: ['violations'] });
            const text = (n) => n.html.slice(0, 160) + ' ' + n.failureSummary;
            return violations.map((v) => [v.id, v.nodes.slice(0, 3).map(text)]);
        }"""
    )
    assert found == [], f"{where}: {found}"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_page_or_state_breaks_a_rule(person, visitor, colours):
    visitor_ = visitor("new", color_scheme=colours)
    visitor_.page.goto(visitor_.watch.origin + "/")
    expect(visitor_.page.locator(".auth-card")).to_be_visible()
    assert_no_violation(visitor_, "signing up")
    ann, bob = person("ann", color_scheme=colours), person("bob")
    assert_no_violation(ann, "no room yet")
    name = f"Harbour {ann.name}"
    ann.make_room(name, topic="Boats and soup")
    assert_no_violation(ann, "an empty room")
    bob.join_room(name)
    bob.say("**Bold** `code` https://example.org\n> quote\n\n```\ncode\n```")
    ann.page.locator("input[type=file]").set_input_files([file()])
    ann.composer.fill(f"a picture for @{bob.name}")
    ann.composer.press("Enter")
    expect(ann.page.locator(".picture img.is-shown")).to_have_count(1)
    bob.menu("a picture").get_by_role("menuitem", name="React with 🎉").click()
    expect(ann.page.locator(".reaction")).to_have_count(1)
    ann.composer.fill("draft")
    assert_no_violation(ann, "a room")
    ann.menu("a picture")
    assert_no_violation(ann, "a menu")
    ann.page.keyboard.press("Escape")
    page = ann.page
    for where, opened in {
        "settings": lambda: page.get_by_label("Settings", exact=True).click(),
        "new room": lambda: page.get_by_label("New room").click(),
        "directory": lambda: page.get_by_label("Find a public room").first.click(),
        "room settings": lambda: page.get_by_label("Room settings").click(),
        "switcher": lambda: page.keyboard.press("Control+k"),
        "emoji": lambda: page.get_by_label("Emoji", exact=True).click(),
        "a picture": lambda: page.locator(".picture").click(),
        "log out": lambda: page.get_by_label("Log out").click(),
    }.items():
        opened()
        expect(page.locator("dialog[open]")).to_be_visible()
        page.wait_for_timeout(150)
        assert_no_violation(ann, where)
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
    page.locator(".timeline").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("r")
    assert_no_violation(ann, "replying")
    bob.edit("Bold", "changed")
    ann.sees("changed")
    page.emulate_media(reduced_motion="reduce")
    duration = "getComputedStyle(document.querySelector('.icon-button')).transitionDuration"
    assert page.evaluate(duration) in ("0s", "1e-05s")
