"""A whole cluster of real servers for tests: a folder and ports of its own, ended by its own pids.

It is used like the embedded Server of tests/e2e: url and ws_url are those of Nginx. What it
consists of and how each part is started stands in tools/cluster.

    with Cluster() as cluster:
        cluster.kill("chat.1")              # or "shard.0", "redis"; signal.SIGSTOP, SIGCONT
        cluster.start("chat.1")
        cluster.wait_ready()
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from tools.cluster.cluster import Cluster as LocalCluster  # noqa: E402
from tools.cluster.cluster import find_binary  # noqa: E402

# A password hash that is cheap, and no rate limits: as in tests/e2e/parley_server.py.
TEST_ENVIRONMENT = {
    "PARLEY_LIMITS_ENABLED": "false",
    "PARLEY_ARGON2_MEMORY_KIB": "1024",
    "PARLEY_ARGON2_ITERATIONS": "1",
    "PARLEY_LOG_FORMAT": "json",
}


def missing_programs():
    """What a cluster needs and this machine has not."""
    wanted = {"redis-server": None, "nginx": "/usr/sbin/nginx", "java": None, "mvn": None}
    found = [name for name, place in wanted.items() if not shutil.which(name) and not place]
    if not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        found.append("postgresql")
    return found


class Cluster:
    tls = False

    def __init__(self, folder=None, *, counts=None, environment=None, say=None, **options):
        """`options` as in tools/cluster/cluster.py: sticky, partitions, session_timeout_ms, ..."""
        self.own_folder = folder is None
        self.guard = None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="parley-cluster-"))
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)  # PostgreSQL's user must get through
        self.local = LocalCluster(self.folder, say or (lambda text: None))
        self.counts = counts or {}
        self.environment = {**TEST_ENVIRONMENT, **(environment or {})}
        # The time that clients whose server is reloaded keep their sockets is short in tests.
        self.options = {"fast": True, "shutdown_timeout": "5s", **options}

    def __enter__(self):
        return self.up()

    def __exit__(self, *_):
        self.stop()

    def up(self):
        state = self.local.state
        command = [sys.executable, str(Path(__file__).with_name("guard.py")), str(self.folder)]
        self.guard = subprocess.Popen([*command, str(os.getpid())], start_new_session=True)
        with state.locked():
            port = state.port("nginx")
        try:
            self.local.up(
                self.counts,
                port=port,
                binary=str(find_binary()),
                environment=self.environment,
                **self.options,
            )
        except BaseException:
            self.stop(delete=False)
            raise
        return self

    def stop(self, delete=True):
        """Ends everything; the names of those that had to be killed."""
        if self.guard:
            self.guard.kill()
            self.guard.wait()
            self.guard = None
        if not self.local.state.exists() or not self.local.counts:
            return []
        killed = self.local.down()
        if delete and self.own_folder:
            self.delete()
        return killed

    def delete(self):
        """Once it has ended."""
        if not os.environ.get("PARLEY_KEEP_CLUSTER"):
            shutil.rmtree(self.local.state.values["postgres_folder"], ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- where it is
    @property
    def port(self):
        return self.local.options["port"]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self):
        return f"ws://127.0.0.1:{self.port}/v1/ws"

    def node(self, name):
        """One chat or user node itself, without Nginx: has url and ws_url."""
        return Node(self.part(name).port)

    # --- its parts
    def part(self, name):
        (part,) = self.local.find(name)
        return part

    def kill(self, name, number=signal.SIGKILL):
        return self.local.kill(name, number)

    def start(self, name):
        self.local.start(name)

    def set_own(self, what, name, value):
        """A part's own `environments` or `wrappers` from its next start on; None: as all others."""
        with self.local.state.locked() as state:
            owned = state.values.setdefault(what, {})
            owned.pop(name, None)
            if value is not None:
                owned[name] = value

    def not_ready(self):
        return [name for name, *_, ready in self.local.status() if not ready]

    def wait_ready(self, seconds=30):
        """Until everything runs and answers; how long it took."""
        begin = time.monotonic()
        while missing := self.not_ready():
            if time.monotonic() - begin > seconds:
                logs = "\n".join(f"--- {name}\n{self.log(name)[-2000:]}" for name in missing)
                raise TimeoutError(f"after {seconds} s not ready: {', '.join(missing)}\n{logs}")
            time.sleep(0.1)
        return time.monotonic() - begin

    def dead(self):
        return [part.name for part in self.local.parts() if not part.alive()]

    def log(self, name=None):
        """What it has printed, or all roles have."""
        roles = ("chat", "user", "media", "ingest", "heartbeat")
        parts = self.local.find(name) if name else self.local.parts()
        files = [part.state.log(part.name) for part in parts if name or part.role in roles]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def sql(self, name, text):
        """Runs SQL in the directory or a shard, as its owner."""
        part = self.part(name)
        return part.sql(text, database=part.database, user="parley")

    def change_accounts(self, statement):
        self.sql("directory", statement)

    def secret(self):
        """What signs the tokens; all nodes have it from the directory."""
        return bytes.fromhex(self.sql("directory", "SELECT encode(value, 'hex') FROM secrets").strip())

    def metrics(self):
        """Of all roles, one after the other; Nginx gives them to nobody."""
        texts = []
        for name in ("chat", "user", "media", "ingest", "heartbeat"):
            for part in self.local.of_role(name):
                with urllib.request.urlopen(f"http://127.0.0.1:{part.port}/metrics") as answer:
                    texts.append(answer.read().decode())
        return "".join(texts)

    def resident_bytes(self):
        """Of the chat nodes."""
        total = 0
        for part in self.local.find("chat"):
            pages = Path(f"/proc/{part.record['pid']}/statm").read_text().split()[1]
            total += int(pages) * os.sysconf("SC_PAGESIZE")
        return total

    def redis(self, *words):
        return self.part("redis").call(*words)


class Node:
    tls = False

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}/v1/ws"
