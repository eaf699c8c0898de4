"""Without a server: the page opens, shows what it knows, keeps what is written. Installed like an app; told when
there is a newer version."""

import json

from playwright.sync_api import expect

GONE = [r"ERR_", r"WebSocket connection .* failed", "Failed to load resource"]


def worker_is_ready(who):
    who.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    # The page that installed it is not served by it yet.
    who.page.reload()
    who.page.wait_for_function("navigator.serviceWorker.controller !== null")


def test_the_page_opens_without_a_server_and_shows_what_it_knows(person, own_server):
    server = own_server()
    ann = person("ann", at=server, allow=GONE)
    bob = person("bob", at=server, allow=GONE)
    for name in ("Quay", "Harbour"):
        ann.make_room(name)
        bob.join_room(name)
    bob.say("the last words")
    ann.sees("the last words")
    worker_is_ready(ann)
    ann.sees("the last words")
    ann.page.wait_for_timeout(700)  # the copy is written a moment later
    server.kill()
    ann.page.reload()
    expect(ann.room_link("Harbour")).to_be_visible()
    expect(ann.page.locator(".chat-title h2")).to_have_text("Harbour")
    ann.sees("the last words")
    expect(ann.page.locator(".byline").first).to_contain_text(bob.name)
    expect(ann.page.locator(".banner")).to_contain_text("What you write is kept and sent later", timeout=30_000)
    ann.say("into the dark")
    expect(ann.pending()).to_contain_text("into the dark")
    server.start()
    bob.sees("into the dark", timeout=40_000)
    ann.sees("into the dark", timeout=40_000)
    expect(ann.page.locator(".banner")).to_have_count(0)
    assert ann.shown() == ["the last words", "into the dark"]
    # All rooms are followed again, not only the open one.
    bob.open_room("Quay")
    bob.say("and over here")
    expect(ann.badge("Quay")).to_have_text("1")


def test_a_slow_network_is_waited_for(person):
    ann = person("ann")
    name = f"Patience {ann.name}"
    ann.make_room(name)
    bob = person("bob")
    slow = bob.page.context.new_cdp_session(bob.page)
    slow.send("Network.enable")
    conditions = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000}
    slow.send("Network.emulateNetworkConditions", conditions)
    bob.join_room(name)
    bob.say("slowly")
    ann.sees("slowly", timeout=15_000)
    bob.page.reload()
    bob.sees("slowly", timeout=20_000)


def test_it_can_be_installed(ann, rest, server):
    manifest = json.loads(rest(server).http.get("/manifest.webmanifest").text)
    assert manifest["display"] == "standalone" and manifest["start_url"] == "/"
    for icon in manifest["icons"]:
        assert rest(server).http.get(icon["src"]).headers["content-type"] == icon["type"]
    errors = ann.page.context.new_cdp_session(ann.page).send("Page.getAppManifest")["errors"]
    assert errors == []


def test_a_newer_version_is_told_of_and_taken_when_wanted(ann):
    worker_is_ready(ann)
    # For the browser another address is another version, as other bytes are.
    ann.page.evaluate("navigator.serviceWorker.register('/sw.js?newer').then(() => true)")
    toast = ann.page.locator(".toast", has_text="A newer version is ready.")
    expect(toast).to_be_visible()
    ann.page.evaluate("window.thePageBefore = true")
    toast.get_by_role("button", name="Reload").click()
    ann.page.wait_for_function("window.thePageBefore === undefined")
    expect(ann.page.locator(".sidebar")).to_be_visible()


def test_new_messages_are_notified_of_while_one_looks_elsewhere(person):
    ann = person("ann", permissions=["notifications"])
    bob = person("bob")
    name = f"Bells {ann.name}"
    ann.make_room(name)
    bob.join_room(name)
    ann.page.evaluate(
        """() => { window.told = [];
            window.Notification = class {
                static permission = 'granted';
                static requestPermission = async () => 'granted';
                constructor(title, options) { window.told.push([title, options.body]); } }; }"""
    )
    ann.page.get_by_label("Settings", exact=True).click()
    ann.page.get_by_role("switch", name="Notifications").check()
    ann.page.keyboard.press("Escape")
    bob.say("while you look")
    ann.sees("while you look")
    ann.page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    bob.say("**while** you do not")
    ann.sees("while you do not")
    assert ann.page.evaluate("window.told") == [[f"{bob.name} · {name}", "while you do not"]]
