#!/usr/bin/env python3
"""Figures of the web client in headless Chromium, as a Markdown table (docs/benchmarks.md).

    python3 bench/web.py [--messages N] [--live N]   needs a built server (./run --build-only), and chromium

One server, one browser, both on this machine. `--messages` are in the large room (100,000), `--live` come while
somebody looks (10,000).
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/e2e"), str(ROOT / "tests/web")]

WINDOW = 400
SLOWED = 4
TEXT = "Soup is ready; who brings bread? We meet at the harbour at seven, as always. "


def in_the_test_environment():
    import run_tests

    python = run_tests.venv()
    if Path(sys.executable) != python:
        os.execv(str(python), [str(python), __file__, *sys.argv[1:]])


def fill(user, room, count):
    """By one connection, many under way at once."""
    socket = user.socket(room)
    sent = done = 0
    while done < count:
        while sent < count and sent - done < WINDOW:
            content = TEXT[: 12 + sent % 60] + str(sent)
            socket.send("send", room_id=room, nonce=f"bench-{room}-{sent}", type="TEXT", content=content)
            sent += 1
        if json.loads(socket.connection.recv(timeout=30))["op"] == "sent":
            done += 1
    socket.close()


def sign_in(page, url, name, password):
    page.goto(url)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_label("E-mail or name").fill(name)
    page.get_by_label("Password").fill(password)
    page.locator("form button[type=submit]").click()
    page.locator(".room").first.wait_for()


def first_look(browser, url, runs=5):
    """Script in bytes as they came; first paint and ready to write, on a slowed processor (medians)."""
    paints, ready, size = [], [], 0
    for _ in range(runs):
        context = browser.new_context()
        page = context.new_page()
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        answers = []
        page.on("response", lambda answer, into=answers: into.append(answer))
        page.goto(url)
        page.locator(".auth-card").wait_for()
        page.wait_for_timeout(300)
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        ready.append(page.evaluate("performance.getEntriesByName('parley-ready')[0].startTime"))
        scripts = [answer for answer in answers if answer.url.endswith(".js")]
        size = sum(answer.request.sizes()["responseBodySize"] for answer in scripts)
        context.close()
    return size, statistics.median(paints), statistics.median(ready)


OPEN = """async (id) => {
    document.querySelector(`a.room[href="#/r/${id}"]`).click();
    const begun = performance.now();
    const there = () => document.querySelector('.message') && location.hash === `#/r/${id}`;
    while (!there()) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - begun;
}"""


def opening(page, large, small, runs=7):
    times = []
    for _ in range(runs):
        page.evaluate(OPEN, small)
        page.wait_for_timeout(200)
        page.reload()  # nothing of the large room is in memory
        page.locator(".message").first.wait_for()
        page.wait_for_timeout(500)
        times.append(page.evaluate(OPEN, large))
        page.wait_for_timeout(200)
    return statistics.median(times)


def scrolling(page, count, seconds=5):
    """Loads all, then scrolls up and down; frames a second, and the worst gap between two."""
    page.evaluate(
        """async (count) => {
            const timeline = document.querySelector('.timeline');
            while (!document.querySelector('.beginning')) {
                timeline.scrollTop = 0;
                await new Promise((go) => setTimeout(go, 5));
            }
        }""",
        count,
    )
    return page.evaluate(
        """async (seconds) => {
            const timeline = document.querySelector('.timeline');
            const gaps = [];
            let last = performance.now();
            for (const end = last + seconds * 1000; performance.now() < end;) {
                timeline.scrollTop += 220;
                const now = await new Promise(requestAnimationFrame);
                gaps.push(now - last);
                last = now;
            }
            gaps.sort((a, b) => a - b);
            const average = gaps.reduce((a, b) => a + b) / gaps.length;
            return [1000 / average, gaps[Math.floor(gaps.length * 0.99)], timeline.scrollHeight];
        }""",
        seconds,
    )


def delivery(one, other, count=60):
    """From the key that sends to the row on the other screen, by the clock of the machine."""
    other.evaluate(
        """() => { window.seen = {};
            new MutationObserver(() => {
                for (const node of document.querySelectorAll('.message .content')) {
                    const text = node.textContent;
                    if (text.startsWith('at once') && !window.seen[text]) {
                        requestAnimationFrame(() => {
                            window.seen[text] ??= performance.timeOrigin + performance.now();
                        });
                    }
                }
            }).observe(document.body, { childList: true, subtree: true }); }"""
    )
    took = []
    for i in range(count):
        sent = one.evaluate(
            """(text) => { const field = document.querySelector('.composer-input');
                field.value = text;
                field.dispatchEvent(new Event('input', { bubbles: true }));
                return new Promise((go) => setTimeout(() => {
                    const at = performance.timeOrigin + performance.now();
                    const key = { key: 'Enter', bubbles: true, cancelable: true };
                    field.dispatchEvent(new KeyboardEvent('keydown', key));
                    go(at);
                }, 30)); }""",
            f"at once {i}",
        )
        other.wait_for_function("(text) => window.seen[text]", arg=f"at once {i}")
        took.append(other.evaluate("(text) => window.seen[text]", f"at once {i}") - sent)
    took.sort()
    return statistics.median(took), took[int(len(took) * 0.95)]


def memory(page, user, room, live):
    """The heap after a tenth of the messages, and after all."""
    session = page.context.new_cdp_session(page)

    def heap():
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6

    fill(user, room, live // 10)
    page.wait_for_timeout(1500)
    before = heap()
    for part in range(9):
        socket = user.socket(room)
        for i in range(live // 10):
            socket.send("send", room_id=room, nonce=f"live-{part}-{i}", type="TEXT", content=TEXT[: 20 + i % 50])
            if i % 50 == 49:
                time.sleep(0.05)
        page.wait_for_timeout(300)
        socket.close()
    page.wait_for_timeout(2000)
    return before, heap()


def main(arguments):
    from chromium import DESKTOP, launch
    from parley_client import PASSWORD, Api
    from parley_server import Server
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        server, browser = Server(Path(place)).start(), launch(playwright)
        try:
            api = Api(server)
            ann, bob = api.new_user(), api.new_user()
            large = ann.room(bob, name="Large")
            small = ann.room(bob, name="Small")
            stream = ann.room(bob, name="Stream")
            fill(ann, large, arguments.messages)
            fill(ann, small, 5)
            bob.put(f"/v1/rooms/{large}/read", {"message_id": bob.history(large)[0]["id"]})
            size, paint, ready = first_look(browser, server.url)
            pages = []
            for user in (ann, bob):
                page = browser.new_context(**DESKTOP).new_page()
                sign_in(page, server.url, user.name, PASSWORD)
                pages.append(page)
            one, other = pages
            opened = opening(other, large, small)
            for page in pages:
                page.evaluate(OPEN, small)
            median, slow = delivery(one, other)
            other.locator(f'a.room[href="#/r/{stream}"]').click()
            flat = memory(other, ann, stream, arguments.live)
            one.evaluate(OPEN, large)
            frames, worst, height = scrolling(one, arguments.messages)
        finally:
            browser.close()
            server.kill()
    count = f"{arguments.messages:,}"
    rows = [
        ("script before login, compressed", f"{size / 1000:.1f} KB", "≤ 120 KB", size <= 120_000),
        ("first paint, processor slowed 4 ×", f"{paint:.0f} ms", "< 500 ms", paint < 500),
        ("ready to write, processor slowed 4 ×", f"{ready:.0f} ms", "< 1,000 ms", ready < 1000),
        (f"opening a room of {count} messages", f"{opened:.0f} ms", "< 200 ms", opened < 200),
        ("from the key to another browser's screen: p50 / p95", f"{median:.0f} / {slow:.0f} ms", "< 50 ms", slow < 50),
        (f"scrolling through {count} loaded messages ({height:,.0f} px)", f"{frames:.0f} frames/s, p99 {worst:.0f} ms",
         "60 frames/s", frames > 58),
        (f"heap after {arguments.live // 10:,} and after {arguments.live:,} live messages",
         f"{flat[0]:.1f} / {flat[1]:.1f} MB", "flat", flat[1] < flat[0] * 1.25 + 1),
    ]
    print("| web client | measured | aim | met |\n|---|---|---|---|")
    for name, measured, aim, met in rows:
        print(f"| {name} | {measured} | {aim} | {'yes' if met else '**no**'} |")


if __name__ == "__main__":
    in_the_test_environment()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--live", type=int, default=10_000)
    main(parser.parse_args())
