"""The real binary, started on a free port in a folder of its own and ended by its own pid."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]

# What the tests talk to: one embedded server, `cluster` (one of its own, through its Nginx), or the
# URL of something that runs already.
TARGET = os.environ.get("PARLEY_TARGET", "embedded")
SHARED_CLUSTER = "PARLEY_SHARED_CLUSTER"  # the folder of the one that several workers use

# A password hash that is cheap, so that hundreds of accounts cost seconds; and no rate limits,
# which tests that are about them switch on.
TEST_ENVIRONMENT = {
    "PARLEY_LIMITS_ENABLED": "false",
    "PARLEY_ARGON2_MEMORY_KIB": "1024",
    "PARLEY_ARGON2_ITERATIONS": "1",
    "PARLEY_LOG_FORMAT": "json",
}


def binary() -> Path:
    named = os.environ.get("PARLEY_BINARY")
    for candidate in (
        [Path(named)] if named else [ROOT / "build/release/parley", ROOT / "build/parley"]
    ):
        if candidate.is_file():
            return candidate.resolve()
    raise FileNotFoundError("no server binary: ./run --build-only makes one (or set PARLEY_BINARY)")


class Server:
    """`environment` is added to TEST_ENVIRONMENT; None takes a variable away."""

    def __init__(
        self, folder: Path, *flags: str, environment=None, threads=2, listen="127.0.0.1:0"
    ):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.flags = [*flags, "--threads", str(threads), "--listen", listen]
        self.environment = {**os.environ, **TEST_ENVIRONMENT, **(environment or {})}
        self.environment = {k: v for k, v in self.environment.items() if v is not None}
        self.process = None
        self.port = 0
        self.starts = 0

    def dead(self):
        return self.process.poll() is not None

    @property
    def tls(self):
        return "--tls-cert" in self.flags

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def ws_url(self):
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self.port}/v1/ws"

    @property
    def pid(self):
        return self.process.pid

    def log_path(self, number=None):
        return self.folder / f"log-{number or self.starts}.txt"

    def log(self):
        """What all its processes have printed so far."""
        return "".join(
            self.log_path(n).read_text(errors="replace") for n in range(1, self.starts + 1)
        )

    def start(self, wait=True, **popen):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.starts += 1
        command = [str(binary()), "serve", "--data", str(self.data), *self.flags]
        with self.log_path().open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                **popen,
            )
        if wait:
            self._wait_until_listening()
        return self

    def _wait_until_listening(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            log = self.log_path().read_text(errors="replace")
            found = re.search(r"https?://127\.0\.0\.1:(\d+)", log)
            if found:
                self.port = int(found.group(1))
                self.flags[-1] = f"127.0.0.1:{self.port}"  # the same one after a restart
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{log}")
            time.sleep(0.01)
        self.kill()
        raise RuntimeError(f"the server did not start in {seconds} s:\n{log}")

    def wait(self, seconds=15):
        return self.process.wait(seconds)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self, seconds=15):
        """SIGTERM, and the exit status."""
        if self.process.poll() is None:
            self.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.returncode

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def change_accounts(self, statement):
        """SQL on users and sessions, as another process beside the server would do it."""
        with sqlite3.connect(self.data / "parley.db", timeout=10) as database:
            database.execute(statement)

    def metrics(self):
        return httpx.get(self.url + "/metrics", trust_env=False).text

    def resident_bytes(self):
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")


@contextlib.contextmanager
def running_cluster():
    """What PARLEY_TARGET names, unless it is embedded."""
    if TARGET.startswith("http"):
        yield Running(TARGET)
        return
    sys.path.append(str(ROOT / "tests/cluster"))
    from cluster import Cluster

    if folder := os.environ.get(SHARED_CLUSTER):
        yield Cluster(folder)
        return
    sticky = os.environ.get("PARLEY_STICKY") != "off"
    cluster = Cluster(environment=TEST_ENVIRONMENT, sticky=sticky)
    with cluster:
        yield cluster
        assert not cluster.dead(), f"ended during the tests: {cluster.dead()}"


class Running:
    """A server or cluster that somebody else has started."""

    tls = False

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.ws_url = self.url.replace("http", "ws", 1) + "/v1/ws"
        self.port = int(url.rpartition(":")[2])

    def dead(self):
        return False

    def log(self):
        return ""

    def __getattr__(self, name):
        pytest.skip(f"{name} needs more than a URL")
