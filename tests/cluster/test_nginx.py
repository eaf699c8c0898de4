"""The Nginx in front of a cluster: where it sends what, whom it believes, what it does when a node is
gone. Two embedded servers stand in for the nodes, so that each has accounts and rooms of its own and
one sees which of them answered.
"""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/e2e"), str(ROOT / "tests/cluster")]

from cluster import Node  # noqa: E402
from parley_client import Api, Socket, unique  # noqa: E402
from parley_server import Server  # noqa: E402

from tools.cluster import nginx  # noqa: E402
from tools.cluster.state import State  # noqa: E402


class Front:
    """Nginx before `chat` and `user`, which are servers."""

    def __init__(self, folder, chat, user, **options):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.chat, self.user, self.options = chat, user, options
        self.port = State(self.folder).port("nginx")
        self.process = None
        node = Node(self.port)
        self.tls, self.url, self.ws_url = False, node.url, node.ws_url

    def write(self):
        text = nginx.render(
            f"127.0.0.1:{self.port}",
            [f"127.0.0.1:{node.port}" for node in self.chat],
            [f"127.0.0.1:{node.port}" for node in self.user],
            prefix=self.folder,
            workers=1,
            connections=1000,
            open_files=4000,
            shutdown_timeout="2s",
            error_log=self.folder / "error.log",
            access_log=self.folder / "access.log",
            **self.options,
        )
        (self.folder / "nginx.conf").write_text(text)

    def command(self, *words):
        return ["nginx", "-p", f"{self.folder}/", "-c", str(self.folder / "nginx.conf"), *words]

    def start(self):
        self.write()
        checked = subprocess.run(self.command("-t"), capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        self.process = subprocess.Popen(self.command("-g", "daemon off;"))
        end = time.monotonic() + 5
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(self.url + "/metrics", trust_env=False)
                return self
            assert time.monotonic() < end, (self.folder / "error.log").read_text()
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def log(self):
        return (self.folder / "access.log").read_text()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nodes")
    flags = ("--trusted-proxies", "127.0.0.1/32")
    made = [Server(folder / name, *flags).start() for name in ("first", "second")]
    yield made
    for node in made:
        with contextlib.suppress(ProcessLookupError):
            node.process.send_signal(signal.SIGCONT)
        node.kill()


@pytest.fixture
def front(nodes, tmp_path):
    """Both nodes are both chat and user nodes."""
    fronts = []

    def make(chat=nodes, user=nodes, **options):
        fronts.append(Front(tmp_path / f"nginx{len(fronts)}", chat, user, **options).start())
        return fronts[-1]

    yield make
    for each in fronts:
        each.stop()


@contextlib.contextmanager
def running(server):
    try:
        yield server.start()
    finally:
        server.kill()


def count(node, name):
    lines = node.metrics().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def user_of(node):
    api = Api(node)
    return api.new_user()


def test_sockets_go_to_chat_nodes_and_the_rest_to_user_nodes(nodes, front):
    chat, rest = nodes
    through = front(chat=[chat], user=[rest])
    ann = user_of(rest)
    assert httpx.get(through.url + "/v1/me", headers={"Authorization": f"Bearer {ann.token}"}).json()[
        "id"
    ] == ann.id, "REST asks the user node, which knows her"
    bob = user_of(chat)
    socket = Socket(through, bob.token)
    assert socket.expect("welcome")
    socket.close()
    classic = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "token": bob.token}  # fmt: skip
    assert httpx.get(through.url + "/ws/user/joinRoom?roomid=1", headers=classic).status_code == 403
    del classic["token"]
    assert httpx.get(through.url + "/ws/user/joinRoom?roomid=1", headers=classic).status_code == 401


def test_a_users_sockets_meet_on_one_node_with_any_of_their_tokens(nodes, front):
    through = front()
    for how in ("header", "subprotocol"):
        nodes_used = set()
        ann = user_of(nodes[0])
        for session in [ann, *(ann.sign_in_again() for _ in range(5))]:
            before = [count(node, "parley_http_requests_total") for node in nodes]
            with contextlib.suppress(Exception):  # the other node does not know her
                Socket(through, session.token, how=how).close()
            after = [count(node, "parley_http_requests_total") for node in nodes]
            nodes_used.add(tuple(b - a > 2 for a, b in zip(before, after)))
        assert len(nodes_used) == 1, how


def test_who_is_not_sticky_is_spread(nodes, front):
    through = front(sticky=False)
    ann = user_of(nodes[0])
    opened = 0
    for _ in range(40):
        with contextlib.suppress(Exception):
            with contextlib.closing(Socket(through, ann.token)) as socket:
                socket.expect("welcome")
                opened += 1
    assert 8 <= opened <= 32, "about half of them met the node that knows her"


def test_metrics_stay_inside_in_every_spelling(front):
    through = front()
    for path in ("/metrics", "/metrics?x", "/%6detrics", "/./metrics", "/x/../metrics"):
        with httpx.Client(trust_env=False) as client:
            url = httpx.URL(through.url).copy_with(raw_path=path.encode())
            assert client.get(url).status_code == 404, path
    answer = httpx.get(through.url + "/metrics", trust_env=False)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert httpx.get(through.url + "/parley-alive", trust_env=False).status_code == 404


def test_what_a_client_says_of_its_address_counts_for_nothing(tmp_path, front):
    limit = {"PARLEY_LIMITS_ENABLED": "true", "PARLEY_LIMIT_SIGN_UPS_PER_ADDRESS": "1/h:3"}
    flags = ("--trusted-proxies", "127.0.0.1/32")
    with running(Server(tmp_path / "limited", *flags, environment=limit)) as node:
        through = front(user=[node])
        statuses = []
        for number in range(5):
            name = unique()
            body = {"username": name, "email": f"{name}@example.org", "password": "long enough"}
            headers = {"X-Forwarded-For": f"203.0.113.{number}"}
            answer = httpx.post(through.url + "/v1/users", json=body, headers=headers)
            statuses.append(answer.status_code)
        assert statuses == [201, 201, 201, 429, 429]


def test_limits_have_the_form_of_all_errors(front):
    through = front()
    with httpx.Client(base_url=through.url, trust_env=False) as client:
        for size, status in ((70_000, 413), (200_000, 413)):
            answer = client.post("/v1/users", content=b"x" * size)
            assert (answer.status_code, answer.json()["code"]) == (status, "payload_too_large")
        for size in (17_000, 40_000):
            answer = client.get("/v1/me", headers={"X-Long": "x" * size})
            assert (answer.status_code, answer.json()["code"]) == (431, "headers_too_large")
        assert client.get("/" + "x" * 40_000).status_code == 414


def test_no_query_and_no_token_in_the_log(nodes, front):
    through = front()
    httpx.get(through.url + "/v1/me?token=geheim", headers={"Authorization": "Bearer alsogeheim"})
    time.sleep(0.2)
    assert "/v1/me" in through.log() and "geheim" not in through.log()


class TestWithoutANode:
    """One of two nodes is gone, or hangs. Each test gives it back."""

    @pytest.fixture(autouse=True)
    def back(self, nodes):
        yield
        if nodes[1].dead():
            nodes[1].start()
        nodes[1].process.send_signal(signal.SIGCONT)

    def sockets(self, through, node, tries=20):
        """How many users of the first node get in, and the longest that it took one."""
        got_in, slowest = 0, 0
        for _ in range(tries):
            ann = user_of(node)
            begin = time.monotonic()
            with contextlib.closing(Socket(through, ann.token)) as socket:
                got_in += bool(socket.expect("welcome"))
            slowest = max(slowest, time.monotonic() - begin)
        return got_in, slowest

    def test_killed_it_gets_nothing_more(self, nodes, front):
        through = front()
        nodes[1].kill()
        assert self.sockets(through, nodes[0])[0] == 20
        api = Api(through)
        assert all(api.sign_up().status_code == 201 for _ in range(20)), "POSTs that were not sent"

    def test_hanging_it_costs_a_handshake_a_second_and_no_more(self, nodes, front):
        through = front()
        nodes[1].process.send_signal(signal.SIGSTOP)
        got_in, slowest = self.sockets(through, nodes[0])
        assert got_in == 20 and slowest < 2.5

    def test_a_post_that_was_sent_is_not_sent_again(self, nodes, front):
        through = front(user=[nodes[1], nodes[0]])
        api = Api(through, timeout=30)
        before = count(nodes[0], "parley_sign_ups_total")
        nodes[1].process.send_signal(signal.SIGSTOP)
        statuses = set()
        for _ in range(2):  # one of them hangs in the stopped node
            name = unique()
            body = {"username": name, "email": f"{name}@example.org", "password": "long enough"}
            statuses.add(api.call("POST", "/v1/users", json=body, may_fail=True).status_code)
        assert statuses == {201, 503}
        assert count(nodes[0], "parley_sign_ups_total") - before == 1

    def test_without_any_node_it_says_unavailable(self, nodes, front):
        through = front(chat=[nodes[1]], user=[nodes[1]])
        nodes[1].kill()
        for path in ("/v1/me", "/v1/ws"):
            answer = httpx.get(through.url + path, trust_env=False)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), path
            assert answer.headers["retry-after"] == "1"
        nodes[1].start()
        time.sleep(2)
        assert httpx.get(through.url + "/healthz", trust_env=False).status_code == 200


def test_a_reload_keeps_sockets_for_a_while(nodes, front):
    through = front(chat=[nodes[0]])
    ann = user_of(nodes[0])
    socket = Socket(through, ann.token)
    socket.expect("welcome")
    through.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    socket.alive()
    again = Socket(through, ann.token)
    again.expect("welcome")
    time.sleep(2.5)  # worker_shutdown_timeout
    with pytest.raises(Exception):
        socket.alive()
    again.alive()


def test_the_command_renders_what_nginx_takes(tmp_path):
    command = [sys.executable, str(ROOT / "tools/cluster/nginx.py"), "--listen", "127.0.0.1:1"]
    command += ["--chat", "10.0.0.1:8080,10.0.0.2:8080", "--user", "10.0.0.3:8080"]
    done = subprocess.run([*command, "--prefix", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "parley.conf"
    file.write_text(done.stdout.replace("/var/log/nginx", str(tmp_path)))
    checked = subprocess.run(["nginx", "-t", "-c", str(file)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
