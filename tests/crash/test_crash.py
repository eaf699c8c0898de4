"""The crash test as one test; PARLEY_CRASH_ROUNDS and PARLEY_CRASH_SEED make it longer or repeat it."""

import os
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).resolve().parent / "run.py"


def test_nothing_is_lost_doubled_reordered_or_invented():
    command = [sys.executable, str(RUN), "--rounds", os.environ.get("PARLEY_CRASH_ROUNDS", "20")]
    if seed := os.environ.get("PARLEY_CRASH_SEED"):
        command += ["--seed", seed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
