import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
names = ("faults", "crash", "e2e", "cluster")
sys.path[:0] = [str(TESTS.parent), *(str(TESTS / name) for name in names)]

import pytest  # noqa: E402


@pytest.fixture(scope="session")
def clusters():
    """One for all, and another after a fault that broke it."""
    from cluster import missing_programs
    from links import LinkedCluster

    missing = missing_programs()
    assert not missing, f"not installed: {', '.join(missing)}"
    running = [LinkedCluster().up()]
    yield running
    for cluster in running:
        cluster.stop()
