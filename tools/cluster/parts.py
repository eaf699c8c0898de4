"""The processes of a cluster on one machine, each of them: what it is started with, how one sees that
it answers, and how it is asked to end. All of them listen on loopback only.

    redis  kafka  directory  shard.N  s3  chat.N  user.N  media.N  ingest.N  heartbeat.N  cdn  nginx

(directory and shard.N are in postgresql.py, s3 and cdn in storage.py.)
"""

import contextlib
import http.client
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools import kafka  # noqa: E402
from tools.cluster import nginx, process  # noqa: E402
from tools.cluster.state import LOOPBACK, write_secret  # noqa: E402


class NotReady(Exception):
    pass


def exchange(port, request, expected, seconds=1):
    """Sends bytes, and tells whether the answer has these."""
    with contextlib.suppress(OSError):
        with socket.create_connection((LOOPBACK, port), seconds) as connection:
            connection.settimeout(seconds)
            connection.sendall(request)
            return expected in connection.recv(4096)
    return False


def http_status(port, path, seconds=2):
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=seconds)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Part:
    """One process. `cluster` knows the folder, the ports and the other parts."""

    role = ""
    start_seconds = 30
    stop_signal = signal.SIGTERM
    stop_seconds = 15
    # Its state is in its children too: a signal that stops or continues goes to all of them.
    has_children = False

    def __init__(self, cluster, name):
        self.cluster, self.state, self.name = cluster, cluster.state, name

    @property
    def port(self):
        return self.state.port(self.name)

    @property
    def folder(self):
        return self.state.data(self.name)

    @property
    def record(self):
        return self.state.values["processes"].get(self.name)

    def alive(self):
        return process.alive(self.record)

    def prepare(self):
        """Makes what is not there yet; may be called any number of times."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return None

    def answers(self):
        raise NotImplementedError

    def start(self):
        self.prepare()
        log = self.state.log(self.name)
        # Tests let one run elsewhere, e.g. in a mount namespace of its own (`wrappers`, by its name).
        command = [*self.state.values.get("wrappers", {}).get(self.name, []), *self.command()]
        record = process.start(command, log, self.environment(), cwd=self.state.folder)
        self.state.values["processes"][self.name] = record
        self.state.save()

    def wait_ready(self, seconds=None):
        end = time.monotonic() + (seconds or self.start_seconds)
        while not self.answers():
            if not self.alive() and not self.begin_again():
                raise NotReady(f"{self.name} ended:\n{self.last_log()}")
            if time.monotonic() > end:
                raise NotReady(f"{self.name} does not answer:\n{self.last_log()}")
            time.sleep(0.05)

    def begin_again(self):
        """After a start that failed for a reason that passes; False: there is none."""
        return False

    def last_log(self, lines=15):
        with contextlib.suppress(FileNotFoundError):
            text = self.state.log(self.name).read_text(errors="replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    def await_end(self):
        return process.await_end(self.record, self.stop_seconds)

    def signal(self, number):
        tree = self.has_children and number in (signal.SIGSTOP, signal.SIGCONT)
        return process.send(self.record, number, whole_tree=tree)


class Redis(Part):
    role = "redis"

    def prepare(self):
        self.folder.mkdir(exist_ok=True)
        # In a file: arguments can be read by every user of the machine.
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.state.secret('redis.password')}",
            f"dir {self.folder}",
            # Nothing in it is the truth: it comes back empty.
            'save ""',
            "appendonly no",
            "maxmemory 512mb",
            "maxmemory-policy noeviction",
            "notify-keyspace-events Ex",
            "client-output-buffer-limit pubsub 64mb 32mb 30",
        ]
        write_secret(self.state.secret_file("redis.conf"), "\n".join(lines) + "\n")

    def command(self):
        return ["redis-server", str(self.state.secret_file("redis.conf"))]

    def call(self, *words):
        """One command; the first line of the answer."""
        password = self.state.secret("redis.password")
        with socket.create_connection((LOOPBACK, self.port), 2) as connection:
            connection.settimeout(2)
            for each in (("AUTH", password), words):
                out = f"*{len(each)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in each)
                connection.sendall(out.encode())
                answer = connection.recv(65536).decode(errors="replace")
        return answer.partition("\r\n")[0]

    def answers(self):
        with contextlib.suppress(OSError):
            return self.call("PING") == "+PONG"
        return False


class Kafka(Part):
    role = "kafka"
    start_seconds = 60
    stop_seconds = 20

    @property
    def settings_file(self):
        return self.folder / "server.properties"

    def links(self):
        return sorted(self.state.values.get("links", {}).items())

    def port_of(self, part):
        """Where what is put between the broker and a part comes to (`links`): a listener of its own, for a broker
        tells its clients where to come, and the part is to stay on its way."""
        return self.state.port(f"kafka-{part}")

    def prepare(self):
        self.folder.mkdir(exist_ok=True)
        text = kafka.properties(
            self.folder,
            self.port,
            self.state.port("kafka-controller"),
            {self.port_of(part): links["kafka"] for part, links in self.links() if "kafka" in links},
            **{"log.message.timestamp.type": "LogAppendTime", "num.io.threads": 4},
        )
        self.settings_file.write_text(text)
        if not (self.folder / "data/meta.properties").exists():
            self.cluster.say("kafka: formats its log")
            kafka.format_storage(kafka.fetch(), self.settings_file)

    def command(self):
        options = kafka.SHORT_LIVED if self.state.values["options"]["fast"] else kafka.LASTING
        return kafka.java(kafka.fetch(), "kafka.Kafka", self.settings_file, options=options)

    def answers(self):
        # ApiVersions, version 0: the broker answers only once it takes part.
        body = struct.pack(">hhih6s", 18, 0, 7, 6, b"parley")
        return exchange(self.port, struct.pack(">i", len(body)) + body, struct.pack(">ih", 7, 0))


class Role(Part):
    """A role of the binary: chat, user, media, ingest or heartbeat."""

    stop_seconds = 25

    def __init__(self, cluster, name):
        super().__init__(cluster, name)
        self.role = name.split(".")[0]

    def command(self):
        command = [str(self.cluster.binary), self.role, "--listen", f"{LOOPBACK}:{self.port}"]
        return [*command, "--node-name", self.name, *self.cluster.settings(self.name)]

    def environment(self):
        more = self.state.values.get("environments", {}).get(self.name, {})
        return {**self.cluster.environment(), **more}

    def answers(self):
        return http_status(self.port, "/readyz") == 200


class Nginx(Part):
    role = "nginx"
    stop_signal = signal.SIGQUIT
    stop_seconds = 3
    has_children = True

    @property
    def workers(self):
        """Where the state file has their pids."""
        return f"{self.role}_workers"

    @property
    def port(self):
        return self.state.values["options"]["port"]

    @property
    def settings_file(self):
        return self.folder / "nginx.conf"

    def prepare(self):
        self.folder.mkdir(exist_ok=True)
        options = self.state.values["options"]
        addresses = {
            role: [f"{LOOPBACK}:{part.port}" for part in self.cluster.of_role(role)]
            for role in ("chat", "user", "media")
        }
        text = nginx.render(
            f"{options['host']}:{self.port}",
            addresses["chat"],
            addresses["user"],
            media=addresses["media"],
            prefix=self.folder,
            sticky=options["sticky"],
            workers=2,
            connections=9_000,
            open_files=19_000,
            shutdown_timeout=options["shutdown_timeout"],
            error_log=self.state.log("nginx"),
            access_log=self.state.log("nginx-access"),
            run_as="www-data" if os.geteuid() == 0 else None,
        )
        self.settings_file.write_text(text)

    def command(self):
        daemon = "daemon off;"
        return ["nginx", "-p", f"{self.folder}/", "-c", str(self.settings_file), "-g", daemon]

    def reload(self):
        """Takes the new nodes in; sockets stay with the old workers for a while."""
        self.prepare()
        self.signal(signal.SIGHUP)

    def start(self):
        # A master that was killed leaves its workers, and they the port.
        for pid in self.state.values.get(self.workers, []):
            process.send(pid, signal.SIGKILL)
        super().start()

    def wait_ready(self, seconds=None):
        super().wait_ready(seconds)
        self.note_workers()

    def note_workers(self):
        below = process.descendants(self.record["pid"])
        records = [{"pid": pid, "began": stat[1]} for pid in below if (stat := process.stat_of(pid))]
        known = [each for each in self.state.values.get(self.workers, []) if process.alive(each)]
        fresh = [each for each in records if each not in known]
        self.state.values[self.workers] = known + fresh

    def signal(self, number):
        if self.alive():
            self.note_workers()
        if number == signal.SIGKILL:
            return process.send(self.record, number, whole_tree=True)
        return super().signal(number)

    def answers(self):
        return http_status(self.port, "/metrics") == 404


def clean_environment(**more):
    """Nothing of libpq's that the caller may have set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return {**kept, **more}


def run_quietly(command, log, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    if done.returncode != 0:
        Path(log).write_text(done.stdout + done.stderr)
        last = (done.stderr or done.stdout).strip()[-800:]
        raise NotReady(f"{Path(command[0]).name} failed; {log} has more:\n{last}")
