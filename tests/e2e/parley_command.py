"""Runs the commands of the real binary."""

import json
import os
import subprocess

from parley_server import TEST_ENVIRONMENT, binary


def parley(*words, data=None, expect=0, stdin=None, **options):
    """Runs a command; answers what it printed, parsed where it was asked for JSON."""
    command = [str(binary()), *map(str, words), *(["--data", str(data)] if data else [])]
    done = subprocess.run(
        command, input=stdin, env={**os.environ, **TEST_ENVIRONMENT}, capture_output=True, text=True,
        timeout=60, **options
    )
    assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout) if "--json" in words else done.stdout
