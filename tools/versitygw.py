"""VersityGW, a real S3 server, for ./cluster and for tests: built by Go once, kept in .cache/versitygw.

    python3 tools/versitygw.py      builds what is missing and prints the program
    python3 tools/versitygw.py serve FOLDER PORT ACCESS SECRET
                                    prints the command that serves FOLDER/data, one word a line

It checks signatures, expiry, signed headers and checksums as AWS does. PARLEY_VERSITYGW names a program that is
there already. Run twice it does nothing; two at a time wait for each other. The Go that builds it is the machine's,
or fetched (go.py).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import go  # noqa: E402

PROGRAM = go.Program("versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
fetch, why_not = PROGRAM.fetch, PROGRAM.why_not


def command(program, folder, port, access=None, secret=None):
    """What serves the buckets, which are the folders below FOLDER/data; FOLDER is absolute. Without
    `access` the keys are in the variables ROOT_ACCESS_KEY_ID and ROOT_SECRET_ACCESS_KEY."""
    data = Path(folder) / "data"
    data.mkdir(parents=True, exist_ok=True)
    serving = ["--port", f"127.0.0.1:{port}", "--keep-alive", "--quiet"]
    if access:
        serving += ["--access", access, "--secret", secret]
    return [str(program), *serving, "posix", str(data)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        print("\n".join(command(fetch(), *sys.argv[2:])))
    else:
        print(fetch())
