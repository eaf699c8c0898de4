"""Draws the pictures in docs/images: a server of its own, a small team's conversation, a browser.

Run from anywhere: python3 tools/screenshots.py [FOLDER]   (needs Debian's chromium and
fonts-noto-color-emoji, and a built server)
"""

import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/e2e"), str(ROOT / "tests/web")]

PASSWORD = "correct horse battery"
BYTES_MAX = 200_000
DESKTOP = {"viewport": {"width": 1200, "height": 750}}
PHONE = {
    "viewport": {"width": 390, "height": 780},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}

# who, text, reactions by whom; "edit" is what the text is changed to, "to" answers the line of that name.
LAUNCH = [
    ("Mira", "Morning! The new checkout is on staging: https://staging.juniper.example/checkout", {}),
    ("Mira", "Please click through it once before lunch, phones above all.", {"👍": "Tomas Priya"}),
    ("Priya", "Went through it on my old Android. Paying by card takes two taps now, lovely.", {"🎉": "Mira Jonas"}),
    ("Tomas", "One thing: the total jumps when I change the postcode.", {"name": "jump"}),
    ("Jonas", "Seen it too. The shipping line comes in late, I reserve its height.",
     {"to": "jump", "edit": "Seen it too: the shipping line comes in late. I keep its place free, "
                            "then nothing moves."}),
    ("Jonas", "Fixed, on staging in two minutes.", {"🙌": "Tomas", "❤️": "Mira Priya", "picture": "total.png"}),
    ("Tomas", "Confirmed. It stands still like a rock.", {"😂": "Priya"}),
    ("Mira", "Then we ship on Thursday at ten. Tomas, will you write the note for the shops?", {}),
    ("Tomas", "On it. Draft comes this afternoon.", {"👍": "Mira Jonas"}),
]
DESIGN = [
    ("Priya", "Three directions for the empty cart are in the shared folder.", {}),
    ("Mira", "Number two. It says what to do next.", {"👍": "Priya"}),
]
SUPPORT = [
    ("Tomas", "Two shops ask whether invoices can carry their own logo.", {}),
    ("Mira", "Yes, Settings → Documents. I write it into the guide.", {}),
    ("Tomas", "Great, I tell them.", {}),
]
# What Jonas sends to show it, drawn by the browser.
MOCK = """<body style="margin:0;width:440px;height:250px;display:grid;place-items:center;background:#e7efe9;
font:15px 'DejaVu Sans'"><div style="width:300px;padding:20px;border-radius:14px;background:#fff;
box-shadow:0 6px 24px #0002"><b>Your order</b><p style="display:flex;justify-content:space-between;margin:14px 0 6px">
Tea, 3 tins<span>27.00</span></p><p style="display:flex;justify-content:space-between;margin:6px 0;color:#777">
Shipping<span>4.90</span></p><p style="display:flex;justify-content:space-between;margin:12px 0 14px;font-weight:700">
Total<span>31.90</span></p><div style="padding:10px;border-radius:9px;background:#1f6a5d;color:#fff;text-align:center">
Pay now</div></div>"""
PRIVATE = [
    ("Priya", "Do you have ten minutes for the icons?", {}),
]


def in_the_test_environment():
    """Starts this program again with the packages of the browser tests."""
    import run_tests

    python = run_tests.venv()
    if Path(sys.executable) != python:
        os.execv(str(python), [str(python), __file__, *sys.argv[1:]])


class Team:
    def __init__(self, server, picture=b""):
        from parley_client import Api

        self.picture = picture
        self.api = Api(server)
        self.people = {
            name: self.api.new_user(username=name, email=f"{name.lower()}@juniper.example", password=PASSWORD)
            for name in ("Mira", "Jonas", "Priya", "Tomas")
        }

    def room(self, owner, name, topic, **fields):
        others = [user for user in self.people.values() if user.name != owner]
        return self.people[owner].room(*others, name=name, topic=topic, **fields)

    def talk(self, room, lines):
        named = {}
        for who, text, more in lines:
            answers = {"reply_to": named[more["to"]]} if "to" in more else {}
            if self.picture and "picture" in more:
                answers["media_id"] = self.upload(who, room, more["picture"])
                answers["type"] = "MEDIA"
            message = self.people[who].say(room, text, **answers)
            if "name" in more:
                named[more["name"]] = message["id"]
            one = f"/v1/rooms/{room}/messages/{message['id']}"
            for emoji, fans in more.items():
                for fan in fans.split() if not emoji.isascii() else []:
                    self.people[fan].put(f"{one}/reactions/{emoji}")
            if "edit" in more:
                self.people[who].patch(one, {"content": more["edit"]})

    def upload(self, who, room, name):
        import httpx

        file = {"filename": name, "content_type": "image/png", "size": len(self.picture)}
        ticket = self.people[who].post(f"/v1/rooms/{room}/media", file).json()
        to = ticket["upload"]
        answer = httpx.request(to["method"], to["url"], headers=to["headers"], content=self.picture, trust_env=False)
        answer.raise_for_status()
        return ticket["media_id"]

    def wait_for_sizes(self, room):
        """Until the server has looked at the pictures: before, their place is as large as any."""
        end = time.monotonic() + 30
        while any(each.get("media") and not each["media"].get("width") for each in self.people["Jonas"].history(room)):
            if time.monotonic() > end:
                raise SystemExit("the server has not looked at the picture in 30 s")
            time.sleep(0.1)

    def fill(self):
        """The id of the room that the pictures show, as Jonas sees it."""
        design = self.room("Priya", "Design", "Shapes, words and colours")
        support = self.room("Tomas", "Shop support", "What the shops ask, and who answers")
        launch = self.room("Mira", "Checkout launch", "Ships Thursday at ten", visibility="private")
        body = {"kind": "dm", "member_ids": [self.people["Jonas"].id]}
        private = self.people["Priya"].post("/v1/rooms", body).json()["id"]
        self.talk(design, DESIGN)
        newest = self.people["Jonas"].history(design)[0]["id"]
        self.people["Jonas"].put(f"/v1/rooms/{design}/read", {"message_id": newest})
        self.talk(support, SUPPORT)
        self.talk(private, PRIVATE)
        self.talk(launch, LAUNCH)
        self.wait_for_sizes(launch)
        newest = self.people["Jonas"].history(launch)[0]["id"]
        self.people["Jonas"].put(f"/v1/rooms/{launch}/read", {"message_id": newest})
        self.online = {name: self.people[name].socket(launch) for name in ("Mira", "Priya")}
        self.people["Tomas"].socket(launch).close()
        return launch

    def close(self):
        for user in self.people.values():
            user.close()
        self.api.close()


def sign_in(page, url, room, language="en"):
    page.goto(f"{url}/#/r/{room}")
    page.locator(".segment").last.click()
    page.locator("[name=username]").fill("Jonas")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form button[type=submit]").click()
    page.locator(".reaction").first.wait_for()
    page.locator(".picture img.is-shown").wait_for()
    page.locator(".room .avatar").first.wait_for(state="attached")
    assert page.evaluate("document.documentElement.lang") == language


class Camera:
    def __init__(self, browser, folder):
        self.browser = browser
        self.folder = folder

    def shoot(self, name, prepare, colours="light", **options):
        context = self.browser.new_context(**{"locale": "en-GB", "color_scheme": colours, **options})
        page = context.new_page()
        prepare(page)
        page.wait_for_timeout(700)
        path = self.folder / name
        path.write_bytes(page.screenshot())
        context.close()
        size = path.stat().st_size
        print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}  {size // 1000} KB")
        if size > BYTES_MAX:
            raise SystemExit(f"{name} is larger than {BYTES_MAX // 1000} KB")


def main(folder):
    from chromium import launch
    from parley_server import Server
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        server = Server(Path(place)).start()
        browser = launch(playwright)
        drawing = browser.new_page(viewport={"width": 440, "height": 250}, device_scale_factor=2)
        drawing.set_content(MOCK)
        team = Team(server, drawing.screenshot())
        try:
            room = team.fill()

            def chat(page):
                sign_in(page, server.url, room)
                page.mouse.move(0, 0)
                typing = page.locator(".typing", has_text="Priya")
                while not typing.is_visible():  # the page may not listen yet
                    team.online["Priya"].send("typing", room_id=room)
                    page.wait_for_timeout(1000)

            def picker(page):
                chat(page)
                page.get_by_label("Emoji", exact=True).click()
                page.locator(".emoji-scroll button").first.wait_for()

            def arabic(page):
                page.add_init_script("localStorage.setItem('parley.language', 'ar')")
                sign_in(page, server.url, room, "ar")

            def admin(page):
                sign_in(page, server.url, room)
                page.goto(f"{server.url}/#/admin")
                page.locator(".tile dd").first.wait_for()
                page.wait_for_timeout(5500)  # the rates need two readings

            def docs(page):
                page.goto(f"{server.url}/docs#createRoom")
                page.locator("details[open] .inside").first.wait_for()

            camera = Camera(browser, folder)
            camera.shoot("web-client.png", chat, **DESKTOP)
            camera.shoot("web-client-dark.png", picker, "dark", **DESKTOP)
            camera.shoot("web-client-phone.png", chat, **PHONE)
            camera.shoot("web-client-rtl.png", arabic, **DESKTOP)
            jonas = team.people["Jonas"].id
            server.change_accounts(f"UPDATE users SET role = 3 WHERE id = {jonas}")
            camera.shoot("web-client-admin.png", admin, **DESKTOP)
            camera.shoot("docs-page.png", docs, **DESKTOP)
        finally:
            team.close()
            browser.close()
            server.kill()


if __name__ == "__main__":
    in_the_test_environment()
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "docs/images")
