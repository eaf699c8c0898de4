"""schemathesis holds every call to openapi.json: what is written there is what happens, for good and bad input.

schemathesis.toml says what is not its default, and why. The seed makes a failure come again.
PARLEY_SCHEMATHESIS_EXAMPLES (20) and PARLEY_SCHEMATHESIS_SEED (1) make it longer or another one.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def test_every_call_keeps_to_the_document(server):
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        "PYTHONPATH": str(HERE),
        "PARLEY_URL": server.url,
    }
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"), "--no-color", "--config-file",
            str(HERE / "schemathesis.toml"), "run", f"{server.url}/openapi.json",
            "--phases", "examples,coverage,fuzzing,stateful",
            "--max-examples", os.environ.get("PARLEY_SCHEMATHESIS_EXAMPLES", "20"),
            "--seed", os.environ.get("PARLEY_SCHEMATHESIS_SEED", "1"), "--generation-database", "none",
            "--request-timeout", "20", "--output-sanitize", "false",
        ],
        env=environment, cwd=server.folder, capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    print(done.stdout[-12000:], done.stderr[-4000:])
    assert done.returncode == 0, "schemathesis found something: its report is above"
    assert "Tested: 0" not in done.stdout
