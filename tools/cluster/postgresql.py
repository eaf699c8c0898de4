"""The PostgreSQL servers of a cluster: one for the directory and one for each shard, so that each can
fall alone. As root they run as the user postgres.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tools.cluster.parts import NotReady, Part, clean_environment, run_quietly
from tools.cluster.state import LOOPBACK, write_secret

POSTGRES_USER = "postgres"  # of the system: PostgreSQL refuses to run as root


class Postgres(Part):
    """One PostgreSQL server with one database."""

    stop_signal = signal.SIGINT  # fast: ends sessions, writes a checkpoint
    has_children = True

    def __init__(self, cluster, name):
        super().__init__(cluster, name)
        self.role = name.split(".")[0]
        self.database = "parley_" + name.replace(".", "")

    @property
    def folder(self):
        return Path(self.state.values["postgres_folder"]) / self.name

    @property
    def passfile(self):
        return self.state.secret_file("pgpass")

    def connection(self, port=None, *, user="parley", database=None):
        """A libpq connection string without a password: that is in the passfile."""
        return (
            f"host={LOOPBACK} port={port or self.port} dbname={database or self.database} user={user}"
            " connect_timeout=5"
        )

    def command(self):
        options = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "32MB",
            "wal_compression": "on",
            "log_min_messages": "warning",
            # A client that hangs holds no lock for longer than this.
            "tcp_keepalives_idle": 5,
            "tcp_keepalives_interval": 2,
            "tcp_keepalives_count": 3,
        }
        words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        return [*as_postgres(), str(pg_bin() / "postgres"), "-D", str(self.folder), *words]

    def environment(self):
        return clean_environment(HOME="/tmp", LC_ALL="C")

    def prepare(self):
        if (self.folder / "PG_VERSION").exists():
            return
        parent = self.folder.parent
        template = parent / "template"
        if not (template / "PG_VERSION").exists():
            self.cluster.say("postgresql: makes a new store")
            shutil.rmtree(template, ignore_errors=True)
            # initdb reads the superuser's password from a file that its own user can read.
            password = parent / "password"
            write_secret(password, self.state.secret("postgres.password"))
            own(password)
            command = [*as_postgres(), str(pg_bin() / "initdb"), "-D", str(template), "-N"]
            command += ["-U", POSTGRES_USER, "--auth=scram-sha-256", f"--pwfile={password}"]
            command += ["--encoding=UTF8", "--locale=C"]
            try:
                run_quietly(command, self.state.log("initdb"), self.environment())
            finally:
                password.unlink()
        new = parent / f"{self.name}.new"
        shutil.rmtree(new, ignore_errors=True)
        run_quietly(["cp", "-a", str(template), str(new)], self.state.log("initdb"))
        new.rename(self.folder)

    def start(self):
        self.write_passfile()
        super().start()

    def write_passfile(self):
        passwords = {
            POSTGRES_USER: self.state.secret("postgres.password"),
            "parley": self.state.secret("parley.password"),
        }
        lines = [f"{LOOPBACK}:*:*:{user}:{word}\n" for user, word in passwords.items()]
        write_secret(self.passfile, "".join(lines))

    def wait_ready(self, seconds=None):
        super().wait_ready(seconds)
        made = self.folder.parent / f"{self.name}.made"
        if not made.exists():
            self.make_database()
            made.touch()

    def make_database(self):
        # The password goes in by the standard input: arguments can be read by everybody.
        word = self.state.secret("parley.password")
        self.sql(
            "SELECT 'CREATE ROLE parley LOGIN' WHERE NOT EXISTS"
            " (SELECT FROM pg_roles WHERE rolname = 'parley') \\gexec\n"
            f"ALTER ROLE parley PASSWORD '{word}';\n"
            f"SELECT 'CREATE DATABASE {self.database} OWNER parley' WHERE NOT EXISTS"
            f" (SELECT FROM pg_database WHERE datname = '{self.database}') \\gexec\n"
        )

    def sql(self, text, database=POSTGRES_USER, user=POSTGRES_USER):
        """Runs a script; its output, unaligned."""
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.connection(user=user, database=database)]
        done = subprocess.run(
            command,
            input=text,
            text=True,
            capture_output=True,
            timeout=30,
            env=clean_environment(PGPASSFILE=str(self.passfile)),
        )
        if done.returncode != 0:
            raise NotReady(f"{self.name}: {done.stderr.strip()}")
        return done.stdout

    def answers(self):
        # A start-up of version 0.0 is refused by a server that would take one; while it recovers
        # or ends, pg_isready says so.
        command = [str(pg_bin() / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(self.port)]
        with contextlib.suppress(subprocess.TimeoutExpired):
            return subprocess.run(command, timeout=2).returncode == 0
        return False

    def begin_again(self):
        """After kill -9 of the postmaster its children need a moment to see it and go."""
        if "is still in use" not in self.last_log() and "lock file" not in self.last_log():
            return False
        time.sleep(0.3)
        super().start()
        return True


def as_postgres():
    if os.geteuid() != 0:
        return []
    words = ["setpriv", f"--reuid={POSTGRES_USER}", f"--regid={POSTGRES_USER}", "--init-groups"]
    # The postmaster stays the process that was started: setpriv becomes it.
    return [*words, "--"]


def own(path):
    """Gives a path to the user that PostgreSQL runs as."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(POSTGRES_USER)
        os.chown(path, user.pw_uid, user.pw_gid)


def reachable_by_postgres(folder):
    if os.geteuid() != 0:
        return True
    command = [*as_postgres(), "test", "-x", str(folder)]
    return subprocess.run(command).returncode == 0


def pg_bin():
    """Debian keeps the server's programs apart for each version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if versions:
        return versions[-1].parent
    found = shutil.which("postgres")
    if not found:
        raise NotReady("PostgreSQL is not installed (apt-get install postgresql-15)")
    return Path(found).resolve().parent
