"""The web client on a cluster, through its Nginx: two browsers, and a chat node that is killed between them."""

import sys
from pathlib import Path

import httpx
import pytest

TESTS = Path(__file__).resolve().parents[1]
# At the end: the conftest and the helpers of this folder come first.
sys.path += [str(TESTS / "e2e"), str(TESTS / "web")]

from chromium import DESKTOP, launch  # noqa: E402
from cluster import missing_programs  # noqa: E402
from files import file  # noqa: E402
from parley_server import running_cluster  # noqa: E402
from person import Person, Watch  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402

SOCKETS = 'parley_connections{kind="websocket"}'
BEFORE, DURING, AFTER = 5, 10, 5  # messages of each of the two
CUT = ["WebSocket connection .* failed", "Failed to load resource", "ERR_"]


@pytest.fixture(scope="module")
def cluster():
    missing = missing_programs()
    assert not missing, f"not installed: {', '.join(missing)}"
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def person(cluster):
    """Signs somebody up in a browser of their own."""
    expect.set_options(timeout=40_000)
    watches = []
    with sync_playwright() as playwright:
        browser = launch(playwright)

        def come(name):
            watch = Watch(cluster.url, CUT)
            # Of pictures: the edge of the cluster's files.
            watch.request = lambda request: None
            context = browser.new_context(locale="en-GB", **DESKTOP)
            watch.follow(context)
            watches.append(watch)
            return Person(name, context.new_page(), watch).sign_up()

        yield come
        browser.close()
    assert [wrong for watch in watches for wrong in watch.wrong] == []


def busiest_chat(cluster):
    """The chat node with the most sockets."""
    names = [f"chat.{n}" for n in range(1, cluster.local.counts["chat"] + 1)]
    return max(names, key=lambda name: connections(cluster, name))


def connections(cluster, name):
    text = httpx.get(cluster.node(name).url + "/metrics", trust_env=False).text
    lines = [line for line in text.splitlines() if line.startswith(SOCKETS)]
    return float(lines[0].split()[-1]) if lines else 0


def test_two_browsers_through_the_edge_of_a_cluster(cluster, person):
    ann, bob = person("ann-cluster"), person("bob-cluster")
    ann.make_room("On several machines", topic="What we build")
    bob.join_room("On several machines")
    texts = []

    def talk(count):
        for _ in range(count):
            for who in (ann, bob):
                texts.append(f"{who.name} says {len(texts):03}")
                who.say(texts[-1])

    talk(BEFORE)
    for who in (ann, bob):
        who.sees(texts[-1])
    # Changed, taken back, reacted to: on the other side too.
    ann.edit("ann-cluster says 000", "ann-cluster said 000")
    bob.sees("ann-cluster said 000")
    texts[0] = "ann-cluster said 000"
    bob.menu("ann-cluster said 000").get_by_role("menuitem", name="React with 🎉").click()
    expect(ann.message("ann-cluster said 000").locator(".reaction")).to_have_text("🎉1")
    bob.delete(texts[1])
    expect(ann.page.locator(".is-deleted")).to_have_count(1)
    gone = texts.pop(1)
    if cluster.local.counts["media"]:
        ann.page.locator("input[type=file]").set_input_files([file("harbour.png")])
        ann.composer.fill("a picture of it")
        ann.composer.press("Enter")
        texts.append("a picture of it")
        for who in (ann, bob):
            expect(who.page.locator(".picture img.is-shown")).to_have_count(1)
        ann.page.get_by_label("Settings", exact=True).click()
        ann.page.locator("[data-picture]").set_input_files([file("me.png")])
        expect(ann.page.locator("dialog .avatar img")).to_be_visible()
        ann.page.keyboard.press("Escape")

    # The node goes in the middle of it, and nobody is told but by a banner.
    node = busiest_chat(cluster)
    talk(1)
    cluster.kill(node)
    talk(DURING)
    for who in (ann, bob):
        who.sees(texts[-1], timeout=90_000)
        who.sees(texts[-2], timeout=90_000)
    cluster.start(node)
    cluster.wait_ready(60)
    talk(AFTER)
    for who in (ann, bob):
        who.sees(texts[-1], timeout=90_000)
        expect(who.pending()).to_have_count(0)
    # Nothing lost or doubled, and one order for both; also for somebody who comes now.
    shown = [all_of(who) for who in (ann, bob)]
    assert sorted(shown[0]) == sorted(texts)
    assert shown[0] == shown[1]
    assert gone not in shown[0]
    bob.page.reload()
    bob.sees(texts[-1])
    if cluster.local.counts["media"]:
        expect(bob.page.locator(".message .avatar img").first).to_be_visible()
    assert all_of(bob) == shown[0]


def all_of(who):
    """Every text of the room in its order. Only what is near the screen is drawn, so it scrolls from
    the first to the last; each screen is read in one go, as rows come and go meanwhile."""
    timeline = who.page.locator(".timeline")
    timeline.evaluate("(timeline) => { timeline.scrollTop = 0; }")
    expect(who.page.locator(".beginning")).to_be_visible()
    return timeline.evaluate(
        """async (timeline) => {
            const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            do {
                timeline.scrollTop = 0;
                await drawn();
            } while (timeline.scrollTop > 0);
            const found = new Map();
            for (let left = 1; left > 0; await drawn()) {
                for (const row of timeline.querySelectorAll(".row")) {
                    const content = row.querySelector(".message:not(.pending) .content:not(.deleted)");
                    if (content) found.set(row.dataset.key, content.innerText.replace(/ \\(edited\\)$/, ""));
                }
                left = Math.floor(timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight);
                timeline.scrollTop += timeline.clientHeight / 2;
            }
            return [...found.values()];
        }"""
    )
