"""Ends a cluster of a test whose process has gone without doing so (a time-out's SIGKILL leaves no other way).

    guard.py FOLDER PID        started by cluster.py beside each cluster, and ended by it
"""

import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from tools.cluster import process  # noqa: E402
from tools.cluster.cluster import Cluster  # noqa: E402


def main(folder, pid):
    stat = process.stat_of(pid)
    parent = {"pid": pid, "began": stat[1]} if stat else None
    while process.alive(parent):
        time.sleep(0.5)
    if (Path(folder) / "state.json").exists():
        Cluster(folder, lambda text: None).down(delete=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
