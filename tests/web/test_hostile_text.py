"""Text that would like to be markup or script is text, wherever it is shown. The fixtures fail a test
for a dialog, a console error (a breach of the content security policy is one), or a foreign request."""

from urllib.parse import quote

from files import file
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
                'iframe, svg[onload], base, style, script:not([src^="/assets/index-"]), '
                + 'img:not([src="/favicon.svg"], [src^="blob:"]), '
                + 'form[action], [onerror], [onload], [onmouseover]')].map((n) => n.outerHTML),
            links: [...document.querySelectorAll('a')].map((n) => n.href)
                .filter((href) => !/^https?:/.test(href)),
        })"""
    )
    assert found == {"elements": [], "links": []}


def test_names_and_topics_are_text(ann, bob, rest, server):
    mark = ann.name[-3:]
    for text in SHORT:
        name, topic = f"{text[:42]} {mark}", f"{text} {mark}"
        shown = text.replace("`", "")  # between these it is code
        answer = rest(server).call("PATCH", "/v1/me", ann.session()["access"], json={"display_name": text[:50]})
        assert answer.status_code == 200
        ann.make_room(name, topic=topic)
        expect(ann.page.locator(".topic")).to_have_text(topic)
        bob.page.locator(".sidebar-head").get_by_label("Find a public room").click()
        bob.page.get_by_label("Search public rooms").fill(name)
        expect(bob.page.locator(".directory li").filter(has_text=topic)).to_be_visible()
        assert_inert(bob)
        bob.page.get_by_label("Close", exact=True).click()
        bob.join_room(name)
        bob.composer.press_sequentially("x")
        expect(ann.page.locator(".typing")).to_contain_text("is typing")
        bob.say(text)
        ann.sees(shown)
        ann.say(text)
        bob.sees(shown, count=2)
        expect(bob.page.locator(".byline strong").last).to_have_text(text[:50])
        bob.page.keyboard.press("Control+k")
        expect(bob.page.locator(".switcher-list li").filter(has_text=name)).to_be_visible()
        for who in (ann, bob):
            assert_inert(who)
        bob.page.keyboard.press("Escape")
    ann.page.reload()
    ann.sees(shown, count=2)
    expect(ann.page.locator(".me strong")).to_have_text(SHORT[-1][:50])
    bob.page.get_by_role("button", name="Leave room").click()
    assert_inert(bob)
    bob.page.locator("dialog").get_by_role("button", name="Leave").click()
    expect(ann.member(bob.name)).to_have_count(0)
    assert_inert(ann)


def test_file_names_and_answers_are_text(ann, bob, room):
    for text in SHORT[:3]:
        name = text.replace("/", "_")
        chosen = [file(f"{name}.png"), file(f"{name}.txt", "text/plain", b"x")]
        ann.page.locator("input[type=file]").set_input_files(chosen)
        expect(ann.page.locator(".staged-file").first).to_contain_text(name)
        ann.composer.fill(text)
        ann.composer.press("Enter")
    expect(bob.page.locator(".picture img.is-shown")).to_have_count(3)
    expect(bob.page.locator(".file-card:not(.outgoing)")).to_have_count(3)
    bob.message(SHORT[0]).first.hover()
    bob.message(SHORT[0]).first.get_by_label("Reply").click()
    expect(bob.page.locator(".replying")).to_contain_text(SHORT[0])
    bob.say("an answer")
    expect(ann.message("an answer").locator(".quote")).to_contain_text(SHORT[0])
    bob.page.locator(".picture").first.click()
    expect(bob.page.locator(".lightbox .file-name")).to_contain_text("onerror")
    for who in (ann, bob):
        assert_inert(who)


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
