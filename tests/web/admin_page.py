"""What tests of the admin page share: a server with word lists and limits, its staff, and what they click."""

import itertools
import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from chromium import PHONE
from parley_client import Api, refused
from parley_command import parley
from parley_server import Server
from person import PASSWORD

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"
TABS = ("overview", "held", "users", "rooms", "words", "limits", "retention")
HOSTILE = '<img src=x onerror=alert(1)>"><svg onload=alert(2)>'
_numbers = itertools.count(1)


class House:
    """A server with word lists and limits of its own."""

    def __init__(self, folder):
        self.words = folder / "data/words"
        self.words.mkdir(parents=True)
        (self.words / "en.txt").write_text("squirrel\nhold: dealword\n")
        self.server = Server(
            folder,
            environment={
                "PARLEY_LIMITS_ENABLED": "true",
                "PARLEY_LIMIT_SENDS_PER_ROOM": "1/h:3",
                "PARLEY_LIMIT_JOINS_PER_ROOM": "off",
                "PARLEY_RETENTION_DAYS": "400",
            },
        ).start()
        self.api = Api(self.server)

    def user(self, prefix="u"):
        return self.api.new_user(username=f"{prefix}{next(_numbers)}x")

    def give(self, name, role):
        parley("user", "role", name, role, data=self.server.data)

    def log(self):
        return self.server.log()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"))
    yield house
    house.api.close()
    assert house.server.stop() == 0


@pytest.fixture
def staff(visitor, house):
    """Somebody with a role on the server, at a browser, on the admin page."""

    def come(role, tab="overview", **options):
        who = visitor(role[:5], at=house.server, **options).sign_up()
        house.give(who.name, role)
        who.page.goto(f"{house.server.url}/#/admin/{tab}")
        expect(who.page.locator(".admin-page")).to_be_visible()
        return who

    return come


@pytest.fixture
def admin(staff):
    return staff("admin")


def to(who, name):
    who.page.get_by_role("navigation", name="Parts of the administration").get_by_role("link", name=name).click()
    expect(who.page.get_by_role("region", name=name)).to_be_visible()


def row(who, name):
    return who.page.locator(".admin-rows li", has_text=name)


def act(who, name, entry):
    row(who, name).locator(".menu-box > button").click()
    who.page.get_by_role("menuitem", name=entry, exact=True).click()


def toast(who, text):
    expect(who.page.locator(".toast", has_text=text)).to_be_visible()


def dialog(who):
    return who.page.locator("dialog")


def search(who, label, text):
    who.page.get_by_label(label).fill(text)


def violations(who):
    """What axe finds on the page as it is now."""
    who.page.wait_for_function(
        "() => document.getAnimations().every((each) => each.playState !== 'running')"
    )
    if not who.page.evaluate("() => 'axe' in window"):
        who.page.evaluate(AXE.read_text())
    found = who.page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


def held(house, author, room, text="A dealword for you"):
    refused(author.post_message(room, text), 409, "content_held")
