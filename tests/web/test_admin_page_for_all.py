"""The admin page by keyboard, for screen readers, on every screen; hostile names stay text."""

import json
import pytest
from playwright.sync_api import expect
from chromium import PHONE
from parley_command import parley
from person import PASSWORD

from admin_page import (  # noqa: F401 - fixtures
    HOSTILE,
    TABS,
    act,
    admin,
    dialog,
    held,
    house,
    row,
    staff,
    to,
    toast,
    violations,
)


def test_by_keyboard_alone(staff, house):
    boss = staff("admin")
    page = boss.page
    ann = house.user()
    room = ann.room()
    held(house, ann, room, f"A dealword by key {ann.name}")
    link = page.get_by_role("link", name="Overview")
    link.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Held messages")).to_be_visible()
    card = page.locator(".held", has_text=f"by key {ann.name}")
    card.get_by_role("button", name="Refuse").focus()
    page.keyboard.press("Enter")
    expect(dialog(boss).get_by_role("button", name="Refuse")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card.get_by_role("button", name="Refuse")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    toast(boss, "The message was let through.")
    expect(card).to_have_count(0)
    page.goto(f"{boss.watch.origin}/#/admin/users")
    page.get_by_label("Search users").focus()
    page.keyboard.type(ann.name)
    expect(page.locator(".admin-rows li")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(dialog(boss).get_by_label(f"Type {ann.name} to confirm")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row(boss, ann.name).locator(".menu-box > button")).to_be_focused()


@pytest.mark.parametrize("looks", ["light", "dark", "phone", "rtl"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(staff, house, looks):
    options = {"phone": PHONE, "rtl": {"locale": "ar"}}.get(looks, {"color_scheme": looks})
    ann = house.user()
    held(house, ann, ann.room(name=f"Axe {ann.name}"))
    boss = staff_in(staff, looks, options)
    page = boss.page
    for tab in TABS:
        page.goto(f"{boss.watch.origin}/#/admin/{tab}")
        expect(page.locator(f".admin-tabs a[aria-current][href='#/admin/{tab}']")).to_be_visible()
        expect(page.locator(".admin [aria-busy=true], .admin-skeleton")).to_have_count(0)
        assert (tab, violations(boss)) == (tab, [])
        wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        inside = page.evaluate(
            "() => { const b = document.querySelector('.admin-body'); return b.scrollWidth - b.clientWidth; }"
        )
        assert (tab, wide, inside) == (tab, 0, 0)
        if looks == "rtl":
            assert page.evaluate("() => document.documentElement.dir") == "rtl"


def staff_in(staff, looks, options):
    """Signs up in English, then turns to the language."""
    if looks != "rtl":
        return staff("admin", **options)
    boss = staff("admin")
    boss.page.evaluate("() => localStorage.setItem('parley.language', 'ar')")
    boss.page.reload()
    expect(boss.page.locator(".admin-page")).to_be_visible()
    return boss


def test_hostile_names_are_text(staff, house):
    boss = staff("admin")
    ann = house.user()
    change = {"display_name": HOSTILE[:50]}
    assert ann.patch("/v1/me", change).status_code == 200
    name = f"<img src=x onerror=alert(1)> {ann.name}"
    room = ann.room(name=name, topic=HOSTILE)
    words = [{"word": "<b>squash</b>", "action": "hold"}]
    assert ann.put(f"/v1/rooms/{room}/words", {"words": words}).status_code == 200
    ann.post_message(room, f"<script>alert(3)</script> dealword {HOSTILE} {ann.name}")
    for tab, text in (("held", ann.name), ("users", ann.email), ("rooms", name)):
        boss.page.goto(f"{boss.watch.origin}/#/admin/{tab}")
        expect(boss.page.locator(".admin-page li", has_text=text).first).to_be_visible()
        assert_inert(boss)
    expect(row(boss, name)).to_contain_text(HOSTILE)
    act(boss, name, "Words of the room")
    expect(dialog(boss)).to_contain_text("<b>squash</b>")
    assert_inert(boss)
    boss.page.keyboard.press("Escape")
    boss.page.goto(f"{boss.watch.origin}/#/admin/<img src=x onerror=alert(1)>")
    assert_inert(boss)


def assert_inert(who):
    found = who.page.evaluate(
        """() => [...document.querySelectorAll('iframe, svg[onload], [onerror], [onload], form[action], '
            + 'script:not([src^="/assets/"]), img:not([src="/favicon.svg"]), a[href^="javascript" i]')]
            .map((node) => node.outerHTML)"""
    )
    assert found == [], json.dumps(found)
    assert who.page.evaluate("() => !document.querySelector('dialog b, .admin b')")


def test_nothing_jumps_while_it_loads(admin, house):
    """The sum of layout shifts (without those by clicks) while each tab is opened."""
    page = admin.page
    page.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => {
            for (const each of list.getEntries()) if (!each.hadRecentInput) window.shift += each.value;
        }).observe({ type: 'layout-shift', buffered: false }); }"""
    )
    for tab in TABS:
        page.evaluate("(tab) => { location.hash = `#/admin/${tab}`; }", tab)
        expect(page.locator(f".admin-tabs a[aria-current][href='#/admin/{tab}']")).to_be_visible()
        expect(page.locator(".admin [aria-busy=true], .admin-skeleton")).to_have_count(0)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("() => window.shift") < 0.1


def test_signing_in_again_finds_the_page(staff):
    boss = staff("admin", "rooms")
    boss.page.get_by_label("Back to the rooms").wait_for(state="attached")
    boss.page.get_by_label("Administration", exact=True).click()
    expect(boss.page.get_by_role("region", name="Overview")).to_be_visible()
    boss.log_out()
    boss.log_in()
    boss.page.get_by_label("Administration", exact=True).click()
    expect(boss.page.get_by_role("region", name="Overview")).to_be_visible()
    assert PASSWORD not in boss.page.content()
