"""The faults as tests, on one cluster: PARLEY_FAULTS=all takes the long ones in, PARLEY_FAULTS_SEED repeats a run.
The rows are in build/faults.md afterwards (PARLEY_FAULTS_TABLE: elsewhere)."""

import os
import secrets
from pathlib import Path

import pytest
from links import LinkedCluster
from registry import FAULTS
from run import HEAD, Table, run_one

ALL = os.environ.get("PARLEY_FAULTS") == "all"
SEED = int(os.environ.get("PARLEY_FAULTS_SEED", secrets.randbelow(10**6)))
ROOT = Path(__file__).resolve().parents[2]
TABLE = Table(Path(os.environ.get("PARLEY_FAULTS_TABLE", ROOT / "build/faults.md")), SEED)


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.short or ALL], ids=lambda f: f.name)
def test_nothing_is_lost_doubled_or_reordered(clusters, fault, tmp_path, capsys):
    if why := fault.missing():
        TABLE.skip(fault, why)
        pytest.skip(why)
    for attempt in ("logs", "once more"):
        row = run_one(clusters[0], fault, SEED, tmp_path / attempt)
        with capsys.disabled():
            print(f"\n    {HEAD}\n    {row}  (seed {SEED})")
        TABLE.add(row)
        if row.broke_the_cluster():
            clusters.pop().stop()
            clusters.append(LinkedCluster().up())
        if not row.may_be_the_machine():
            break
    assert row.clean(), f"{row}\n{row.summary.get('examples')}"
