"""The folder of one cluster: its state file (ports, pids, how many of each role) and its secrets.

    state.json       read and written under state.lock
    secrets/         mode 700: redis.password, pgpass (libpq's passfile), token
    logs/NAME.log    what each process has printed
    data/            of Redis, Kafka, PostgreSQL, Nginx and the roles
"""

import contextlib
import fcntl
import json
import os
import random
import secrets
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes the ports of outgoing connections: a killed process
# finds its own free again.
PORTS = range(18_000, 32_000)


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


class State:
    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.file = self.folder / "state.json"
        self.values = {"ports": {}, "processes": {}, "counts": {}, "options": {}}
        if self.file.exists():
            self.values.update(json.loads(self.file.read_text()))

    def exists(self):
        return self.file.exists()

    def make_folders(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("logs", "data"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "secrets").mkdir(mode=0o700, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")

    def save(self):
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.values, indent=1))
        new.replace(self.file)

    @contextlib.contextmanager
    def locked(self):
        """One command at a time; what others have written meanwhile is read first."""
        self.make_folders()
        with (self.folder / "state.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.file.exists():
                self.values.update(json.loads(self.file.read_text()))
            try:
                yield self
            finally:
                self.save()

    def port(self, name):
        """The port of this name: chosen once, the same for ever."""
        ports = self.values["ports"]
        while name not in ports:
            candidate = random.choice(PORTS)
            if candidate not in ports.values() and is_free(candidate):
                ports[name] = candidate
        return ports[name]

    def log(self, name):
        return self.folder / "logs" / f"{name}.log"

    def data(self, name):
        return self.folder / "data" / name

    def secret_file(self, name):
        return self.folder / "secrets" / name

    def secret(self, name):
        """A password made at its first use; never printed."""
        file = self.secret_file(name)
        if not file.exists():
            write_secret(file, secrets.token_urlsafe(24))
        return file.read_text().strip()


def write_secret(file, text):
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
