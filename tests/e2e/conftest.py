import contextlib
import os

import httpx
import pytest

from parley_client import Api, Socket
from parley_server import SHARED_CLUSTER, TARGET, Server, running_cluster
from wire import Wire

_of_all_workers = contextlib.ExitStack()


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "embedded_only(reason): says nothing about a cluster (PARLEY_TARGET=cluster)"
    )
    # Workers (-n) share one cluster, which is their controller's.
    controller = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if TARGET == "cluster" and controller:
        cluster = _of_all_workers.enter_context(running_cluster())
        os.environ[SHARED_CLUSTER] = str(cluster.folder)


def pytest_unconfigure():
    _of_all_workers.close()


def pytest_collection_modifyitems(config, items):
    """Leaves out what says nothing about a cluster: what is marked, and who starts own servers."""
    if TARGET == "embedded":
        return
    left_out = [
        item
        for item in items
        if item.get_closest_marker("embedded_only") or "make_server" in item.fixturenames
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The one server that most tests share."""
    if TARGET != "embedded":
        with running_cluster() as cluster:
            yield cluster
        return
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    status = server.stop()
    assert status == 0, f"the shared server ended with {status}:\n{server.log()[-4000:]}"


@pytest.fixture(scope="session")
def api(server):
    api = Api(server)
    yield api
    api.close()


@pytest.fixture(autouse=True)
def server_lives(request):
    """Names the test that killed the shared server, instead of all that follow it."""
    yield
    if "server" in request.fixturenames:
        server = request.getfixturevalue("server")
        assert not server.dead(), f"the server died:\n{server.log()[-4000:]}"


@pytest.fixture
def new_user(api):
    """Makes accounts on the shared server; closes their sockets at the end."""
    users = []

    def make(**fields):
        users.append(api.new_user(**fields))
        return users[-1]

    yield make
    for user in users:
        user.close()


@pytest.fixture
def ann(new_user):
    return new_user()


@pytest.fixture
def bob(new_user):
    return new_user()


@pytest.fixture
def eve(new_user):
    """A stranger: in no room of the others."""
    return new_user()


@pytest.fixture
def room(ann, bob):
    """A public group of ann (owner) and bob."""
    return ann.room(bob)


@pytest.fixture
def private_room(ann, bob):
    return ann.room(bob, visibility="private")


@pytest.fixture
def wire(server):
    """Opens raw connections to the shared server."""
    opened = []

    def open_one(timeout=5):
        opened.append(Wire(server, timeout))
        return opened[-1]

    yield open_one
    for each in opened:
        each.socket.close()


@pytest.fixture
def open_socket(server):
    """Opens WebSockets without a user."""
    opened = []

    def open_one(token=None, **options):
        opened.append(Socket(server, token, **options))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def make_server(tmp_path):
    """Servers of a test's own: make_server("--flag", environment={...}) gives one with .api."""
    servers = []

    def make(*flags, folder=None, start=True, verify=None, **options):
        server = Server(folder or tmp_path / f"server{len(servers)}", *flags, **options)
        servers.append(server)
        if start:
            server.start()
            server.api = Api(server, **({"verify": verify} if verify is not None else {}))
        return server

    yield make
    for server in servers:
        if getattr(server, "api", None):
            server.api.close()
        server.kill()


@pytest.fixture
def http(server):
    """Plain httpx, without the checks of Api."""
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client
