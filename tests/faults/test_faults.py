"""The faults as tests, on one cluster: PARLEY_FAULTS=all takes the long ones in, PARLEY_FAULTS_SEED repeats a run."""

import os
import secrets

import pytest
from cluster import Cluster, missing_programs
from faults import FAULTS
from run import HEAD, run_one

ALL = os.environ.get("PARLEY_FAULTS") == "all"
SEED = int(os.environ.get("PARLEY_FAULTS_SEED", secrets.randbelow(10**6)))


@pytest.fixture(scope="module")
def cluster():
    missing = missing_programs()
    assert not missing, f"not installed: {', '.join(missing)}"
    with Cluster() as cluster:
        yield cluster


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.short or ALL], ids=lambda f: f.name)
def test_nothing_is_lost_doubled_or_reordered(cluster, fault, tmp_path, capsys):
    row = run_one(cluster, fault, SEED, tmp_path / "logs")
    with capsys.disabled():
        print(f"\n    {HEAD}\n    {row}  (seed {SEED})")
    assert row.clean(), f"{row}\n{row.summary.get('examples')}"
