"""VersityGW, a real S3 server, for ./cluster and for tests: built by Go once, kept in .cache/versitygw.

    python3 tools/versitygw.py      builds what is missing and prints the program
    python3 tools/versitygw.py serve FOLDER PORT ACCESS SECRET
                                    prints the command that serves FOLDER/data, one word a line

It checks signatures, expiry, signed headers and checksums as AWS does. PARLEY_VERSITYGW names a program that is
there already. Run twice it does nothing; two at a time wait for each other. The Go that builds it is the machine's,
or fetched (go.py).
"""

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import go  # noqa: E402

FOLDER = ROOT / ".cache/versitygw"
VERSION = "v1.8.0"


def fetch():
    """The program, which is there; go.NotHere, or what the building of it raises."""
    named = os.environ.get("PARLEY_VERSITYGW")
    if named:
        if not Path(named).is_file():
            raise go.NotHere(f"PARLEY_VERSITYGW names {named}, which is not there")
        return Path(named)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program = FOLDER / f"versitygw-{VERSION}"
        if not program.is_file():
            _build(program)
    return program


def why_not():
    """Why fetch() does not come to a program; None: it is there now."""
    try:
        fetch()
    except (go.NotHere, OSError, subprocess.CalledProcessError) as problem:
        return str(problem)
    return None


def command(program, folder, port, access=None, secret=None):
    """What serves the buckets, which are the folders below FOLDER/data; FOLDER is absolute. Without
    `access` the keys are in the variables ROOT_ACCESS_KEY_ID and ROOT_SECRET_ACCESS_KEY."""
    data = Path(folder) / "data"
    data.mkdir(parents=True, exist_ok=True)
    serving = ["--port", f"127.0.0.1:{port}", "--keep-alive", "--quiet"]
    if access:
        serving += ["--access", access, "--secret", secret]
    return [str(program), *serving, "posix", str(data)]


def _build(program):
    compiler = go.fetch()
    print(f"==> Building VersityGW {VERSION} by Go", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        environment = {**os.environ, "GOBIN": folder, "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
        environment.pop("GOROOT", None)  # of another one
        package = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
        install = [str(compiler), "install", "-trimpath", "-ldflags=-s -w", package]
        subprocess.run(install, env=environment, check=True, stdout=sys.stderr)
        (Path(folder) / "versitygw").rename(program)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        print("\n".join(command(fetch(), *sys.argv[2:])))
    else:
        print(fetch())
