"""A person at a browser: does by clicks and keys what a user does, and notes what must never happen."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import Page, expect

PASSWORD = "correct horse battery"


@dataclass
class Watch:
    """What a page must not do; `allowed` are patterns of console errors that a test provokes."""

    origin: str
    allowed: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    sockets: list = field(default_factory=list)

    def follow(self, context):
        context.on("console", self.console)
        context.on("weberror", lambda e: self.wrong.append(f"exception: {e.error}"))
        context.on("dialog", self.dialog)
        context.on("request", self.request)
        context.on("page", lambda page: page.on("websocket", self.websocket))

    def console(self, message):
        where = message.location.get("url", "")
        text = f"{message.text} ({where})"
        if message.type == "error" and not any(re.search(p, text) for p in self.allowed):
            self.wrong.append(f"console: {text}")

    def dialog(self, dialog):
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def request(self, request):
        self.requests.append(f"{request.method} {request.url.removeprefix(self.origin)}")
        if not request.url.startswith((self.origin + "/", "data:", "blob:" + self.origin)):
            self.wrong.append(f"request to {request.url}")

    def websocket(self, socket):
        self.sockets.append(socket)
        if not socket.url.startswith(self.origin.replace("http", "ws", 1) + "/"):
            self.wrong.append(f"socket to {socket.url}")


class Person:
    def __init__(self, name, page: Page, watch: Watch):
        self.name = name
        self.page = page
        self.watch = watch
        self.composer = page.get_by_label("Message", exact=True)

    # --- signing in
    def sign_up(self):
        self.page.goto(self.watch.origin + "/")
        self.page.get_by_role("button", name="Sign up", exact=True).click()
        self.page.get_by_label("Name", exact=True).fill(self.name)
        self.page.get_by_label("E-mail").fill(f"{self.name}@example.org")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Create account").click()
        expect(self.page.locator(".sidebar")).to_be_visible()
        return self

    def log_in(self):
        if self.page.url == "about:blank":
            self.page.goto(self.watch.origin + "/")
        self.page.get_by_role("button", name="Log in", exact=True).first.click()
        self.page.get_by_label("E-mail or name").fill(self.name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.locator("form button[type=submit]").click()
        expect(self.page.locator(".sidebar")).to_be_visible()
        return self

    def log_out(self):
        self.page.get_by_label("Log out").click()
        self.page.locator("dialog").get_by_role("button", name="Log out").click()
        expect(self.page.locator(".auth-card")).to_be_visible()

    def session(self):
        """What the page keeps of its session."""
        stored = self.page.evaluate(
            """async () => {
                const open = indexedDB.open(`parley ${location.origin}`);
                await new Promise((done, failed) => { open.onsuccess = done; open.onerror = failed; });
                const { result } = open;
                if (!result.objectStoreNames.contains('values')) return null;
                const get = result.transaction('values').objectStore('values').get('session');
                await new Promise((done) => { get.onsuccess = done; });
                result.close();
                return get.result ?? null;
            }"""
        )
        return stored and {**stored, "access": stored["access_token"]}

    # --- rooms
    def make_room(self, name, topic="", private=False):
        self.page.get_by_label("New room").click()
        dialog = self.page.locator("dialog")
        dialog.get_by_label("Name", exact=True).fill(name)
        dialog.get_by_label("Topic").fill(topic)
        if private:
            dialog.get_by_text("Only people you add").click()
        dialog.get_by_role("button", name="Create room").click()
        self.is_in(name)
        return self.room_id()

    def join_room(self, name):
        """Finds it in the directory."""
        self.page.locator(".sidebar-head").get_by_label("Find a public room").click()
        dialog = self.page.locator("dialog")
        dialog.get_by_label("Search public rooms").fill(name)
        listed = dialog.locator(".directory li")
        expect(listed.filter(has_not_text=name)).to_have_count(0)  # until then rows move
        found = listed.filter(has_text=name)
        found.get_by_role("button", name="Join").click()
        self.is_in(name)

    def is_in(self, name):
        expect(self.page.locator(".chat-title h2")).to_have_text(name)
        expect(self.page.locator("dialog")).to_have_count(0)

    def room_id(self):
        return re.search(r"#/r/(\d+)$", self.page.url)[1]

    def room_link(self, name):
        return self.page.locator(".room", has=self.page.locator(".room-name", has_text=name))

    def open_room(self, name):
        self.room_link(name).click()
        self.is_in(name)

    def badge(self, name):
        return self.room_link(name).locator(".badge")

    def has_no_socket(self):
        """Soon: the page is drawn before it hears that they are closed."""
        for _ in range(100):
            if all(socket.is_closed() for socket in self.watch.sockets):
                return True
            self.page.wait_for_timeout(50)
        return False

    # --- messages
    def say(self, text):
        self.composer.fill(text)
        self.composer.press("Enter")

    def message(self, text):
        return self.page.locator(".message", has=self.page.locator(".content", has_text=text))

    def sees(self, text, timeout=20_000, count=1):
        """Acknowledged and shown, once."""
        found = self.page.locator(".message:not(.pending)").filter(has_text=text)
        expect(found).to_have_count(count, timeout=timeout)

    def shown(self):
        """The texts of the acknowledged messages, top to bottom."""
        return self.page.locator(".message:not(.pending) .content").all_inner_texts()

    def pending(self):
        return self.page.locator(".message.pending")

    def menu(self, text):
        message = self.message(text)
        message.hover()
        message.locator(".message-actions .menu-box > button").click()
        return message.get_by_role("menu")

    def edit(self, text, changed):
        self.menu(text).get_by_role("menuitem", name="Edit").click()
        self.page.get_by_label("Edit message").fill(changed)
        self.page.get_by_label("Edit message").press("Enter")

    def delete(self, text):
        """For good: nobody waits for the time to change one's mind."""
        self.menu(text).get_by_role("menuitem", name="Delete").click()
        self.page.locator(".toast", has_text="Message deleted").get_by_label("Dismiss").click()

    # --- people
    def member(self, name):
        return self.page.locator(".member", has=self.page.locator(".member-name", has_text=name))

    def close(self):
        self.page.context.close()
