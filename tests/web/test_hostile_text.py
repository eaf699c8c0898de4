"""Text that would like to be markup or script is text, wherever it is shown. The fixtures fail a test
for a dialog, a console error (a breach of the content security policy is one), or a foreign request."""

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

SHORT = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "javascript:alert(1)",
    '"><iframe src="//evil.example">',
    "{{7*7}}${alert(1)}`alert(1)`",
]
LONG = [
    "[click](javascript:alert(1)) javascript:alert(1) JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://evil.example/"onmouseover="alert(1) https://evil.example/\'><img/src=x/onerror=alert(1)>',
    "<a href='javascript:alert(1)'>x</a><base href='//evil.example/'>",
    "<style>*{background:url(//evil.example)}</style><link rel=stylesheet href=//evil.example>",
    "<form action=//evil.example><button formaction=javascript:alert(1)>x",
    "\u202egnp.exe\u202c <math><mtext></form><mglyph><style></math><img src onerror=alert(1)>",
    "__proto__",
    "constructor",
]


def assert_inert(who):
    found = who.page.evaluate(
        """() => ({
            elements: [...document.querySelectorAll(
                'iframe, svg[onload], base, style, script:not([src^="/assets/index-"]), img:not([src="/favicon.svg"]), '
                + 'form[action], [onerror], [onload], [onmouseover]')].map((n) => n.outerHTML),
            links: [...document.querySelectorAll('a')].map((n) => n.href)
                .filter((href) => !/^https?:/.test(href)),
        })"""
    )
    assert found == {"elements": [], "links": []}


@pytest.mark.parametrize("text", SHORT)
def test_names_and_topics_are_text(person, rest, server, text):
    ann = person("ann")
    token = ann.session()["access"]
    mark = ann.name[-3:]
    name, topic = f"{text[:42]} {mark}", f"{text} {mark}"
    answer = rest(server).call("PATCH", "/v1/me", token, json={"display_name": text[:50]})
    assert answer.status_code == 200
    ann.make_room(name, topic=topic)
    expect(ann.page.locator(".topic")).to_have_text(topic)
    bob = person("bob")
    bob.join_room(name)
    shown = text.replace("`", "")  # between these it is code
    bob.say(text)
    ann.sees(shown)
    bob.page.wait_for_timeout(3600)  # who has just typed is not shown again at once
    bob.composer.press_sequentially("x")
    expect(ann.page.locator(".typing")).to_contain_text("is typing")
    bob.page.locator(".sidebar-head").get_by_label("Find a public room").click()
    expect(bob.page.locator(".directory li").filter(has_text=topic)).to_be_visible()
    assert_inert(bob)
    bob.page.get_by_label("Close", exact=True).click()
    ann.page.reload()
    ann.sees(shown)
    bob.page.get_by_role("button", name="Leave room").click()
    bob.page.locator("dialog").get_by_role("button", name="Leave").click()
    expect(ann.member(bob.name)).to_have_count(0)
    assert_inert(ann)


def test_messages_are_text(ann, bob, room):
    texts = SHORT + LONG
    for text in texts:
        ann.say(text)
    expect(bob.page.locator(".message:not(.pending)")).to_have_count(len(texts))
    shown = [text.replace("`", "") for text in texts]  # between these it is code
    for who in (ann, bob):
        assert who.page.locator(".content").evaluate_all("nodes => nodes.map(n => n.textContent)") == shown
        assert_inert(who)
    ann.edit(texts[0], "<img src=y onerror=alert(2)>")
    bob.sees("<img src=y onerror=alert(2)>")
    expect(bob.page.locator(".room-preview", has_text="constructor")).to_be_visible()
    ann.page.reload()
    expect(ann.page.locator(".message")).to_have_count(len(texts))
    for who in (ann, bob):
        for link in who.page.locator(".content a").all():
            link.hover()
        assert_inert(who)


def test_a_reaction_is_text(ann, bob, room, rest, server):
    ann.say("react to this")
    bob.sees("react to this")
    api = rest(server)
    message = bob.message("react to this").get_attribute("data-id")
    path = f"/v1/rooms/{ann.room_id()}/messages/{message}/reactions/{quote('<b>x<b>', safe='')}"
    assert api.call("PUT", path, bob.session()["access"]).status_code == 204
    for who in (ann, bob):
        expect(who.page.locator(".reaction").first).to_contain_text("<b>x<b>")
        assert_inert(who)


def test_the_address_of_the_page_is_no_way_in(ann, room):
    for hash_ in ("#/r/<img src=x onerror=alert(1)>", "#javascript:alert(1)", "#/r/0", "#/r/99999999999999999999"):
        ann.page.goto(ann.watch.origin + "/" + hash_)
        ann.page.reload()
        expect(ann.page.get_by_text("Choose a room to read and write.")).to_be_visible()
        assert_inert(ann)
