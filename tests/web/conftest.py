"""A real browser against the real server. Needs Debian's chromium; downloads nothing."""

import itertools
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from chromium import DESKTOP, launch  # noqa: E402
from parley_client import Api  # noqa: E402
from parley_server import Server  # noqa: E402
from person import Person, Watch  # noqa: E402

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=20_000)  # the machine may be busy with other tests
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The one server that most tests share."""
    # A lost connection shows soon: nobody waits for the ten seconds of a real server's grace.
    server = Server(tmp_path_factory.mktemp("server"), environment={"PARLEY_PRESENCE_GRACE_MS": "500"}).start()
    yield server
    status = server.stop()
    assert status == 0, f"the shared server ended with {status}:\n{server.log()[-4000:]}"


@pytest.fixture
def own_server(tmp_path):
    """Starts a server of the test's own; a second start() of it takes the same port."""
    servers = []

    def start(**environment):
        server = Server(tmp_path / f"server{len(servers)}", environment=environment).start()
        server.flags[-1] = f"127.0.0.1:{server.port}"
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def rest():
    """REST calls from outside the browser: rest(server) is an Api."""
    apis = []

    def open_one(server):
        apis.append(Api(server))
        return apis[-1]

    yield open_one
    for api in apis:
        api.close()


@pytest.fixture
def visitor(browser, server, own_server):  # the browsers leave before the servers do
    """Somebody at a browser of their own who is not signed in. Fails the test at its end for a console
    error, an exception, a dialog, or a request to anywhere but the server."""
    contexts, watches = [], []

    def come(name, at=None, allow=(), own_socket=False, **options):
        """`own_socket`: a browser without shared workers, as phones are; the test sees the socket then."""
        watch = Watch((at or server).url, list(allow))
        context = browser.new_context(**{"locale": "en-GB", **DESKTOP, **options})
        if own_socket:
            context.add_init_script("delete window.SharedWorker")
        watch.follow(context)
        contexts.append(context)
        watches.append((name, watch))
        return Person(f"{name}{next(_numbers)}", context.new_page(), watch)

    yield come
    for context in contexts:
        context.close()
    wrong = [f"{name}: {each}" for name, watch in watches for each in watch.wrong]
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def person(visitor):
    """The same, signed up."""
    return lambda name, **options: visitor(name, **options).sign_up()


@pytest.fixture
def ann(person):
    return person("ann")


@pytest.fixture
def bob(person):
    return person("bob")


@pytest.fixture
def room(ann, bob):
    """A public room of ann's in which both are; its name."""
    name = f"Room {next(_numbers)}"
    ann.make_room(name, topic="What we build")
    bob.join_room(name)
    return name
