"""Many clients at once: all are cut and come back, and a crowd does not notice who joins its room.

    python tests/storm/run.py --clients 1000      (10,000 need 20,000 descriptors for each process: ulimit -n)

Four runs, each on a server of its own: the clients' sockets are closed; the server is killed and started again;
it is stopped in order and started again; others join a large room and come online. Counts are asserted, times
only reported: everybody is back, with everything missed, in order, for one read of the store each; joins cost a
bystander a write every few seconds at most, and coming online nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from parley_server import Server  # noqa: E402

# Besides the clients' own: the look for ended sessions each second, and the room's own loads.
OTHER_READS = 60


def loader():
    named = os.environ.get("PARLEY_LOAD")
    return Path(named) if named else ROOT / "build/release/bench/parley_load"


def load(server, *options):
    command = [loader(), "--port", server.port, "--pid", server.pid, *options]
    command = [str(word) for word in command]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def figures(process):
    output, _ = process.communicate(timeout=600)
    print(output, flush=True)
    lines = [line for line in output.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {"sound": 0}


def run(folder, cut, clients, rooms):
    print(f"--- {cut}", flush=True)
    server = Server(Path(folder) / cut, environment={"PARLEY_CONNECTIONS_MAX": "19000"}).start()
    try:
        if cut == "crowd":
            process = load(server, "--mode", "crowd", "--members", clients, "--joins", 100)
            return figures(process)
        process = load(server, "--mode", "storm", "--cut", cut, "--members", clients, "--rooms", rooms)
        if cut != "client":
            server.process.wait(300)
            server.start()
        return figures(process)
    finally:
        server.kill()


def check(cut, clients, found):
    if found.get("sound") != 1 or found["missing"] or found["broken_chains"]:
        return "not sound"
    if cut == "crowd":
        # The joins go out together every five seconds; a second of slack for each of two ends.
        most = (found["join_seconds"] + 6) / 5 + 2
        if found["writes_per_bystander"] > most:
            return f"{found['writes_per_bystander']} writes to each bystander, {most:.1f} at most"
        if found["online_frames"] > 0:
            return "who comes online in a large room is told to others"
        return None
    if found["back"] != clients or found["lost"]:
        return f"{found['back']} of {clients} came back, {found['lost']} attempts failed"
    if found["reads_per_client"] * clients > clients + OTHER_READS:
        return f"{found['reads_per_client']} reads of the store for each client"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rooms", type=int, default=4)
    parser.add_argument("--only", default="", help="client, kill, term or crowd")
    arguments = parser.parse_args()
    troubles = []
    with tempfile.TemporaryDirectory(prefix="parley-storm-") as folder:
        for cut in ("client", "kill", "term", "crowd"):
            if arguments.only in ("", cut):
                found = run(folder, cut, arguments.clients, arguments.rooms)
                if trouble := check(cut, arguments.clients, found):
                    troubles.append(f"{cut}: {trouble}")
    for trouble in troubles:
        print(f"FAILED {trouble}")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
