"""A cluster on one machine: what it consists of, and what can be done with it.

Public methods may be called by several processes at once: each works under the lock of the state
file (see state.py), but kill() and status(), which only look.
"""

import os
import re
import shutil
import signal
import subprocess
import time
import zlib
from pathlib import Path

from tools import versitygw
from tools.cluster import process
from tools.cluster.parts import ROOT, Kafka, Nginx, NotReady, Redis, Role, clean_environment
from tools.cluster.postgresql import Postgres, own, reachable_by_postgres
from tools.cluster.state import LOOPBACK, State
from tools.cluster.storage import ACCESS_KEY, S3, Cdn

COUNTS = {"shard": 2, "chat": 2, "user": 2, "media": 2, "ingest": 2, "heartbeat": 2}
ROLES = ("ingest", "heartbeat", "user", "media", "chat")  # in the order in which they start
COUNT_MAX = 16
OPTIONS = {
    "host": LOOPBACK,
    "port": 8080,
    "sticky": True,
    "fast": False,
    "partitions": 8,
    "session_timeout_ms": 2000,
    "shutdown_timeout": "30s",
    "environment": {},
}


class Refused(Exception):
    """What was asked for makes no sense; the text says why."""


def find_binary():
    named = os.environ.get("PARLEY_BINARY")
    places = [Path(named)] if named else [ROOT / "build/parley", ROOT / "build/release/parley"]
    found = [place for place in places if place.is_file()]
    if not found:
        raise Refused("no server binary: ./run --build-only makes one (or set PARLEY_BINARY)")
    return max(found, key=lambda place: place.stat().st_mtime).resolve()


class Cluster:
    def __init__(self, folder, say=print):
        self.state = State(folder)
        self.say = lambda text: say(f"==> {text}")

    # --- what it consists of
    @property
    def options(self):
        return self.state.values["options"]

    @property
    def counts(self):
        return self.state.values["counts"]

    @property
    def binary(self):
        return Path(self.options["binary"])

    @property
    def url(self):
        return f"http://{self.options['host']}:{self.options['port']}"

    def of_role(self, role):
        if role in ROLES:
            return [Role(self, f"{role}.{n}") for n in range(1, self.counts[role] + 1)]
        if role == "shard":
            return [Postgres(self, f"shard.{n}") for n in range(self.counts["shard"])]
        one = {"redis": Redis, "kafka": Kafka, "directory": Postgres, "nginx": Nginx, "s3": S3, "cdn": Cdn}
        if role in ("s3", "cdn") and not self.counts["media"]:
            return []
        return [one[role](self, role)]

    def below(self):
        """What the roles stand on; Kafka first, for it takes longest."""
        names = ("kafka", "redis", "directory", "shard", "s3", "cdn")
        return [part for name in names for part in self.of_role(name)]

    def parts(self):
        roles = [part for role in ROLES for part in self.of_role(role)]
        return [*self.below(), *roles, *self.of_role("nginx")]

    def find(self, name):
        """Parts by ROLE (all of them) or ROLE.N (also shard0)."""
        self.must_exist()
        if name == "s3":
            return self.of_role("s3")
        role, number = re.fullmatch(r"([a-z]+?)\.?(\d*)", name).groups() if name.isascii() else ("", "")
        parts = [p for p in self.parts() if p.role == role]
        if number:
            parts = [p for p in parts if p.name == f"{role}.{number}"]
        if not parts:
            raise Refused(f"no {name} here; there are {', '.join(p.name for p in self.parts())}")
        return parts

    def must_exist(self):
        if not self.state.exists() or not self.counts:
            raise Refused(f"no cluster in {self.state.folder}; ./cluster up makes one")

    # --- what the roles are told
    def settings(self, name=None):
        """Of a role: tests put other ports between it and what it stands on (`links`, by its name)."""
        links = self.state.values.get("links", {}).get(name, {})
        directory = self.of_role("directory")[0].connection(links.get("directory"))
        shards = ";".join(part.connection(links.get(part.name)) for part in self.of_role("shard"))
        kafka, redis = (links.get(each) or self.of_role(each)[0].port for each in ("kafka", "redis"))
        flags = {
            "directory-db": directory,
            "shard-dbs": shards,
            "kafka-brokers": f"{LOOPBACK}:{kafka}",
            "redis": f"{LOOPBACK}:{redis}",
            "partitions": self.options["partitions"],
            "session-timeout-ms": self.options["session_timeout_ms"],
            "trusted-proxies": f"{LOOPBACK}/32",
        }
        for storage, cdn in zip(self.of_role("s3"), self.of_role("cdn"), strict=True):
            # Web pages of the front upload there.
            origins = (f"http://{host}:{self.options['port']}" for host in (LOOPBACK, "localhost"))
            flags |= {
                "s3-endpoint": storage.url,
                "s3-access-key": ACCESS_KEY,
                "allowed-origins": ",".join(dict.fromkeys([*origins, self.url])),
                "cdn": "edge",
                "cdn-url": cdn.url,
                "cdn-purge-url": f"http://{LOOPBACK}:{cdn.purge_port}",
            }
        return [word for name, value in flags.items() for word in (f"--{name}", str(value))]

    def settings_environment(self):
        """The same as variables, for commands that take them so."""
        words = self.settings()
        names = ("PARLEY_" + name.lstrip("-").replace("-", "_").upper() for name in words[::2])
        return dict(zip(names, words[1::2], strict=True))

    def environment(self):
        """Passwords go by files and by the environment, never by arguments."""
        return clean_environment(
            PGPASSFILE=str(self.state.secret_file("pgpass")),
            PARLEY_REDIS_PASSWORD=self.state.secret("redis.password"),
            PARLEY_S3_SECRET_KEY=self.state.secret("s3.key"),
            PARLEY_CDN_SECRET=self.state.secret("cdn.secret"),
            PARLEY_DATA=str(self.state.data("parley")),
            **self.options["environment"],
        )

    # --- what can be done
    def up(self, counts=None, **options):
        """Starts what is missing; harmless when nothing is."""
        with self.state.locked():
            self.configure(counts or {}, options)
            started = time.monotonic()
            self.bring_up(self.below())
            self.migrate()
            self.bring_up([part for role in ROLES for part in self.of_role(role)])
            self.bring_up_nginx()
            self.say(f"the cluster is up after {time.monotonic() - started:.1f} s: {self.url}")

    def configure(self, counts, options):
        known = self.options
        for name, value in {**OPTIONS, **known, **options}.items():
            known[name] = value
        known["binary"] = str(options.get("binary") or find_binary())
        for role, count in {**COUNTS, **self.counts, **counts}.items():
            self.counts[role] = count
        if self.counts["media"] and (why := versitygw.why_not()):
            self.counts["media"] = 0
            self.say(f"it serves no files, for their storage is not here: {why}")
        self.state.data("parley").mkdir(exist_ok=True, mode=0o700)
        if "postgres_folder" not in self.state.values:
            self.state.values["postgres_folder"] = str(self.make_postgres_folder())
        self.state.save()

    def make_postgres_folder(self):
        """Its server does not run as root, and root's folders may be closed to it."""
        folder = self.state.data("postgresql")
        folder.mkdir(exist_ok=True)
        if not reachable_by_postgres(folder):
            folder.rmdir()
            number = f"{zlib.crc32(str(self.state.folder).encode()):08x}"
            folder = Path("/var/tmp") / f"parley-postgresql-{number}"
            folder.mkdir(exist_ok=True)
            self.say(f"postgresql: its data is in {folder} (it cannot enter {self.state.folder})")
        own(folder)
        folder.chmod(0o755)
        return folder

    def bring_up(self, parts):
        missing = [part for part in parts if not part.alive()]
        for part in missing:
            self.say(f"{part.name}: starts on port {part.port}")
            part.start()
        for part in missing:
            part.wait_ready()
        self.state.save()

    def bring_up_nginx(self):
        (front,) = self.of_role("nginx")
        if not front.alive():
            self.bring_up([front])
            return
        before = front.settings_file.read_text()
        front.prepare()
        if front.settings_file.read_text() != before:
            self.say("nginx: takes its new settings")
            front.reload()

    def migrate(self):
        self.say("parley migrate: schemas, topic, layout")
        done = None
        for _ in range(5):
            done = subprocess.run(
                [str(self.binary), "migrate", *self.settings()],
                env=self.environment(),
                capture_output=True,
                text=True,
                timeout=60,
            )
            if done.returncode == 0:
                return
            time.sleep(1)
        raise NotReady(f"parley migrate failed:\n{(done.stdout + done.stderr)[-3000:]}")

    def down(self, delete=False):
        """The names of those that did not end by themselves."""
        self.must_exist()
        killed = []
        with self.state.locked():
            front_first = [self.of_role("nginx"), *(self.of_role(r) for r in reversed(ROLES))]
            for parts in [*front_first, self.below()]:
                killed += self.stop_all([part for part in parts if part.alive()])
            self.state.values["processes"] = {}
        if delete:
            shutil.rmtree(self.state.values["postgres_folder"], ignore_errors=True)
            shutil.rmtree(self.state.folder, ignore_errors=True)
        return killed

    def stop_all(self, parts):
        if parts:
            self.say("stops " + ", ".join(part.name for part in parts))
        for part in parts:
            part.signal(signal.SIGCONT)
            process.send(part.record, part.stop_signal)
        killed = [part.name for part in parts if not part.await_end()]
        if killed:
            self.say(f"did not end by themselves and were killed: {', '.join(killed)}")
        return killed

    def kill(self, name, number=signal.SIGKILL):
        """Sends a signal; the names of those who got it."""
        self.state = State(self.state.folder)
        return [part.name for part in self.find(name) if part.signal(number)]

    def start(self, name):
        self.must_exist()
        with self.state.locked():
            self.bring_up(self.find(name))

    def restart(self, name):
        """One after the other, each ready again before the next."""
        self.must_exist()
        with self.state.locked():
            self.options["binary"] = str(find_binary())
            for part in self.find(name):
                self.stop_all([part])
                self.bring_up([part])

    def scale(self, role, count):
        self.must_exist()
        if role == "shard":
            return self.add_shards(count)
        if role not in ROLES or not 0 <= count <= COUNT_MAX:
            raise Refused(f"scale takes one of {', '.join(ROLES)} or shard, and 0 to {COUNT_MAX}")
        with self.state.locked():
            before = self.of_role(role)
            self.counts[role] = count
            after = {part.name for part in self.of_role(role)}
            self.bring_up(self.of_role(role))
            self.bring_up_nginx()  # nobody is sent to a node that is about to end
            self.stop_all([p for p in before if p.name not in after and p.alive()])

    def add_shards(self, count):
        """New ones have nothing yet: `./cluster parley reshard` gives them partitions."""
        if not self.counts["shard"] <= count <= COUNT_MAX:
            raise Refused(f"shards are only added: {self.counts['shard']} to {COUNT_MAX}")
        with self.state.locked():
            self.counts["shard"] = count
            self.bring_up(self.of_role("shard"))
            self.migrate()
            for part in [part for role in ROLES for part in self.of_role(role) if part.alive()]:
                self.stop_all([part])
                self.bring_up([part])

    def status(self):
        """Rows: name, pid, port, state, ready."""
        self.must_exist()
        rows = []
        for part in self.parts():
            record, alive = part.record, part.alive()
            state = "down" if not alive else "stopped" if process.stopped(record) else "running"
            ready = state == "running" and part.answers()
            rows.append((part.name, record["pid"] if alive else None, part.port, state, ready))
        return rows
