"""Toxiproxy (github.com/Shopify/toxiproxy), TCP proxies that break what goes through them, for tests: built by Go once,
kept in .cache/toxiproxy.

    python3 tools/toxiproxy.py              builds what is missing and prints the program
    python3 tools/toxiproxy.py serve PORT   prints the command that serves its HTTP API there, one word a line

Proxies and what is wrong with them are set by that API: tests/support/tcp_proxy.py, clients/js/test/proxy.mjs.
PARLEY_TOXIPROXY names a program that is there already. Run twice it does nothing; two at a time wait for each other.
The Go that builds it is the machine's, or fetched (go.py).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import go  # noqa: E402

PROGRAM = go.Program("toxiproxy", "github.com/Shopify/toxiproxy/v2/cmd/server", "v2.12.0")
fetch, why_not = PROGRAM.fetch, PROGRAM.why_not


def command(program, port):
    """It ends with the thread that has started it, also when that is killed."""
    ending = ["setpriv", "--pdeathsig", "KILL", "--"]
    return [*ending, str(program), "-host", "127.0.0.1", "-port", str(port)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        print("\n".join(command(fetch(), *sys.argv[2:])))
    else:
        print(fetch())
