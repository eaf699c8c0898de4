"""Clients that are made from the API documents, against the real server."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from parley_client import Api  # noqa: E402
from parley_server import Server  # noqa: E402


@pytest.fixture
def make_server(tmp_path):
    """make_server(NAME="value", ...) starts a server of the test's own; at the end it must still live and stop well."""
    servers = []

    def make(**environment):
        server = Server(tmp_path / f"server{len(servers)}", environment=environment).start()
        server.api = Api(server)
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.api.close()
        alive = server.process.poll() is None
        status = server.stop() if alive else server.process.returncode
        assert alive and status == 0, f"the server ended with {status}:\n{server.log()[-4000:]}"


@pytest.fixture
def server(make_server):
    return make_server()
