import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "e2e")]

from parley_client import Api  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "embedded_only(reason): of the wire tests whose helpers are used here")


# --- of the modules that have a `cluster`
@pytest.fixture(scope="module")
def api(cluster):
    api = Api(cluster)
    yield api
    api.close()


@pytest.fixture(scope="module")
def people(api):
    """ann and bob, who share a room, and eve, who is in none of theirs."""
    ann, bob, eve = (api.new_user() for _ in range(3))
    yield ann, bob, eve, ann.room(bob)
    for user in (ann, bob, eve):
        user.close()
