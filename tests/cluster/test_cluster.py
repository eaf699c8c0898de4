"""./cluster itself, as an admin uses it: up twice, after a crash, status, scale, down."""

import contextlib
import json
import os
import re
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests/e2e"), str(ROOT / "tests/cluster")]

from cluster import TEST_ENVIRONMENT, Cluster  # noqa: E402
from parley_client import Api, Socket, User, new_nonce, unique  # noqa: E402
from parley_server import binary  # noqa: E402
from support.otlp_collector import OtlpCollector, check_parents  # noqa: E402

from tools.cluster import process  # noqa: E402
from tools.cluster.cluster import Cluster as LocalCluster  # noqa: E402
from tools.cluster.state import State  # noqa: E402


class Admin:
    """Calls the command in a folder of its own."""

    def __init__(self, folder, collector):
        self.folder, self.collector = folder, collector
        self.spans = {"PARLEY_OTLP_ENDPOINT": collector.endpoint, "PARLEY_OTLP_SAMPLE": "1"}
        self.port = State(folder).port("nginx")

    def __call__(self, *words, status=0):
        command = [str(ROOT / "cluster"), "--dir", str(self.folder), *words]
        environment = {**os.environ, **TEST_ENVIRONMENT, **self.spans, "PARLEY_BINARY": str(binary())}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=180, env=environment
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def up(self):
        return self("up", "--port", str(self.port), "--fast")

    def rows(self, status=0):
        lines = self("status", status=status).splitlines()[1:]
        return {words[0]: words[1:] for words in (line.split() for line in lines)}

    def records(self):
        return State(self.folder).values["processes"]


@pytest.fixture(scope="module")
def admin():
    folder = Path(tempfile.mkdtemp(prefix="parley-cluster-"))
    folder.chmod(0o755)
    collector = OtlpCollector()
    admin = Admin(folder, collector)
    try:
        admin.printed = admin.up()
        yield admin
    finally:
        collector.close()
        LocalCluster(folder, lambda text: None).down(delete=True)


@pytest.fixture
def api(admin):
    cluster = Cluster(admin.folder)
    api = Api(cluster)
    yield api
    api.close()


def test_everything_runs_and_is_ready(admin):
    rows = admin.rows()
    files = {"s3", "cdn", "media.1", "media.2"}  # where their storage could be built
    assert ("it serves no files" in admin.printed) == (not files & set(rows))
    assert len(rows) == (18 if files <= set(rows) else 14)
    assert {tuple(row[2:]) for row in rows.values()} == {("running", "yes")}
    assert f"http://127.0.0.1:{admin.port}" in admin.printed


def test_up_again_changes_nothing(admin):
    before = admin.records()
    admin.up()
    assert admin.records() == before


def test_the_commands_of_the_program_work_on_it(admin, api):
    name = unique("boss")
    words = ["--email", f"{name}@example.org", "--role", "admin", "--generate", "--json"]
    made = json.loads(admin("parley", "user", "add", name, *words))
    assert made["role"] == "admin"
    login = {"username": name, "password": made["password"]}
    boss = User(api, api.call("POST", "/v1/sessions", json=login).json(), made["password"])
    assert boss.get("/v1/me").json()["role"] == "admin"
    ann = api.new_user()
    room = ann.room()
    live = ann.socket(room)
    users = json.loads(admin("parley", "user", "list", "--json"))["users"]
    (row,) = [user for user in users if user["id"] == ann.id]
    assert (row["rooms"], row["sessions"], row["disabled"]) == (1, 1, False)
    admin("parley", "user", "disable", ann.name)
    assert live.expect_close(4501) is not None
    admin("parley", "user", "enable", ann.id)
    assert "last admin" in admin("parley", "user", "role", name, "user", status=1)
    # An erasure is the nodes' work.
    ann.sign_in_again().say(room, "soon nowhere")
    words = ["--yes", "--wait", "60", "--json"]
    receipt = json.loads(admin("parley", "user", "erase", ann.name, *words))
    assert receipt["done_at"] and receipt["messages"] == 1, receipt


def test_spans_of_one_message_come_from_every_role_and_join(admin, api):
    """Sent over REST to a user node, heard on both chat nodes."""
    ann, bob = api.new_user(), api.new_user()
    room = ann.room(bob)
    cluster = Cluster(admin.folder)
    sockets = [Socket(cluster.node(name), user.token) for name, user in (("chat.1", ann), ("chat.2", bob))]
    for socket_ in sockets:
        socket_.expect("welcome")
        socket_.subscribe(room)
    user_node = Api(cluster.node("user.1"))
    path = f"/v1/rooms/{room}/messages"
    body = {"type": "TEXT", "content": "hello", "nonce": new_nonce()}
    message = user_node.call("POST", path, ann.token, json=body).json()["id"]
    for socket_ in sockets:
        socket_.expect("message", id=message, timeout=20)
        socket_.close()
    user_node.close()
    stages = ["message", "produce", "sequence", "store", "deliver"]
    spans = admin.collector.wait_for(message, stages)
    end = time.monotonic() + 20
    while len(spans["deliver"]) < 2 and time.monotonic() < end:
        time.sleep(0.1)
        spans = admin.collector.spans(message)
    check_parents(spans)
    services = {name: {span.service for span in some} for name, some in spans.items()}
    assert services["message"] == services["produce"] == {"parley-user"}
    assert services["sequence"] == services["store"] == {"parley-ingest"}
    assert services["deliver"] == {"parley-chat"}
    assert {span.node for span in spans["deliver"]} == {"chat.1", "chat.2"}
    (root,), (produce,), (store,) = spans["message"], spans["produce"], spans["store"]
    assert root.begin == produce.begin and produce.end <= root.end
    assert root.begin <= spans["sequence"][0].end <= store.end
    assert all(root.begin <= span.begin for span in spans["deliver"])


def listening():
    """(address, port, inode) of each listening TCP socket, as the kernel tells it (proc(5), net/tcp)."""
    for family, file in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path("/proc/net", file).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] != "0A":  # TCP_LISTEN
                continue
            address, port = fields[1].split(":")
            words = [bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8)]
            yield socket.inet_ntop(family, b"".join(words)), int(port, 16), fields[9]


def test_everything_listens_on_loopback_only(admin):
    ours = set()
    for record in admin.records().values():
        for descriptor in Path(f"/proc/{record['pid']}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                ours.add(re.sub(r"socket:\[(\d+)\]", r"\1", os.readlink(descriptor)))
    found = [(address, port) for address, port, inode in listening() if inode in ours]
    assert len({port for _, port in found}) >= len(admin.records()), found
    for address, port in found:
        assert address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"), f"{address}:{port}"


def test_passwords_are_in_no_argument_and_in_nothing_printed(admin):
    folder = admin.folder / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    words = [(folder / f"{name}.password").read_text() for name in ("redis", "postgres", "parley")]
    texts = [admin.printed, *(f.read_text(errors="replace") for f in admin.folder.glob("logs/*"))]
    for record in admin.records().values():
        texts.append(Path(f"/proc/{record['pid']}/cmdline").read_text())
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert not any(word in text for word in words for text in texts)


def test_what_was_killed_is_started_with_its_data(admin, api):
    ann = api.new_user()
    room = ann.room()
    told = [ann.say(room, f"before {n}")["id"] for n in range(5)]
    before = admin.records()
    killed = ("kafka", "redis", "shard.0", "shard1", "directory", "chat.1", "ingest", "nginx")
    for name in killed:
        admin("kill", name)
    rows = admin.rows(status=1)
    assert rows["kafka"] == ["-", rows["kafka"][1], "down", "no"]
    assert rows["user.1"][2] == "running"
    admin.up()
    assert all(row[3] == "yes" for row in admin.rows().values())
    after = admin.records()
    assert after["user.2"] == before["user.2"] and after["shard.1"] != before["shard.1"]
    assert [message["id"] for message in ann.whole_history(room)] == told
    ann.say(room, "after")


def test_a_stopped_part_is_seen_and_goes_on(admin):
    admin("kill", "user.2", "-STOP")
    assert admin.rows(status=1)["user.2"][2:] == ["stopped", "no"]
    admin("kill", "user.2", "-CONT")
    assert admin.rows()["user.2"][2:] == ["running", "yes"]


def test_scale_and_restart(admin, api):
    ann = api.new_user()
    admin("scale", "chat=3")
    assert admin.rows()["chat.3"][3] == "yes"
    ann.socket().alive()
    admin("scale", "chat=2")
    assert "chat.3" not in admin.rows()
    before = admin.records()
    admin("restart", "user")
    after = admin.records()
    assert {n for n in after if after[n] != before.get(n)} == {"user.1", "user.2"}
    assert ann.get("/v1/me").status_code == 200


def test_what_makes_no_sense_is_refused(admin):
    assert "no nothing here" in admin("kill", "nothing", status=1)
    assert "no signal" in admin("kill", "redis", "-NONSENSE", status=1)
    assert "scale takes" in admin("scale", "kafka=3", status=1)
    assert "no cluster in" in subprocess.run(
        [str(ROOT / "cluster"), "--dir", "/tmp/no-such-cluster", "status"],
        capture_output=True,
        text=True,
    ).stderr


def test_logs_of_each_part(admin):
    for name in ("kafka", "chat.1", "nginx-access"):
        admin("logs", name)


def test_down_ends_everything_and_up_finds_its_data(admin, api):
    ann = api.new_user()
    room = ann.room()
    ann.say(room, "still there")
    records = admin.records()
    admin("down")
    assert [name for name, record in records.items() if process.alive(record)] == []
    admin.up()
    assert ann.contents(room) == ["still there"]
    assert httpx.get(f"http://127.0.0.1:{admin.port}/healthz", trust_env=False).status_code == 200
