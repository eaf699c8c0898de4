"""The proxies of the faults do what the faults say: without that a row that is clean proves nothing."""

import socket
import socketserver
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from parley_client import Api, Socket, new_nonce  # noqa: E402
from support.tcp_proxy import ProxyError, TcpProxy  # noqa: E402


class Echo(socketserver.ThreadingTCPServer):
    daemon_threads, block_on_close = True, False

    def finish_request(self, request, client_address):
        while data := request.recv(65536):
            request.sendall(data)

    def handle_error(self, request, client_address):
        """Resets are what this is about."""


@pytest.fixture
def link():
    with Echo(("127.0.0.1", 0), None) as echo:
        threading.Thread(target=echo.serve_forever, args=(0.05,), daemon=True).start()
        with TcpProxy(echo.server_address[1]) as proxy:
            yield proxy
        echo.shutdown()


def connect(link):
    connection = socket.create_connection(("127.0.0.1", link.port), 5)
    connection.settimeout(5)
    return connection


def ask(connection, data=b"soup"):
    """What comes back, and how long that took."""
    begun, back = time.monotonic(), b""
    connection.sendall(data)
    while len(back) < len(data):
        part = connection.recv(65536)
        assert part, "an orderly end"
        back += part
    assert back == data
    return time.monotonic() - begun


def is_silent(connection, seconds=0.3):
    connection.settimeout(seconds)
    connection.sendall(b"anybody?")
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(5)


def is_reset(connection):
    with pytest.raises(ConnectionResetError):
        while connection.recv(65536):
            pass
        raise AssertionError("an orderly end")


def test_a_black_hole_swallows_both_and_its_end_resets_them(link):
    old = connect(link)
    ask(old)
    link.blackhole()
    new = connect(link)
    is_silent(old)
    is_silent(new)
    link.heal()
    is_reset(old)
    is_reset(new)
    ask(connect(link))


def test_refused_and_reset(link):
    old = connect(link)
    ask(old)
    link.refuse()
    is_reset(old)
    with pytest.raises(ConnectionRefusedError):
        connect(link)
    link.reset()  # does not open it
    with pytest.raises(ConnectionRefusedError):
        connect(link)
    link.heal()
    for _ in range(20):
        connection = connect(link)
        ask(connection)
        link.reset()
        is_reset(connection)


def test_late_slow_and_in_pieces_on_connections_that_are_there(link):
    connection = connect(link)
    assert ask(connection) < 0.2
    link.delay(0.2)
    assert 0.4 <= ask(connection) < 1
    link.bandwidth(20_000)
    assert 0.4 <= ask(connection, b"x" * 10_000) < 1.5  # there and back
    link.slice(1, 0.001)
    assert ask(connection, b"y" * 200) >= 0.2
    link.heal()
    assert ask(connection, b"z" * 100_000) < 0.4


def test_a_connection_ends_after_so_many_bytes(link):
    old = connect(link)
    ask(old, b"a" * 5_000)
    link.limit(1_000)
    for connection in (old, connect(link)):
        connection.sendall(b"b" * 5_000)
        got = 0
        with pytest.raises(ConnectionResetError):
            while part := connection.recv(100):
                got += len(part)
            raise AssertionError("an orderly end")
        assert got <= 1_000
    link.heal()
    ask(connect(link), b"c" * 5_000)


def test_an_answer_in_place_of_the_target(link):
    old = connect(link)
    ask(old)
    link.answer(b"no")
    is_reset(old)
    connection = connect(link)
    connection.sendall(b"soup")
    assert connection.recv(100) == b"no"
    link.heal()
    is_reset(connection)
    ask(connect(link))


def test_it_counts_those_that_came_to_the_target(link):
    connections = [connect(link) for _ in range(3)]
    for connection in connections:
        ask(connection)
    end = time.monotonic() + 5
    while link.served < 3 and time.monotonic() < end:
        time.sleep(0.01)
    assert link.served == 3


def test_a_server_that_is_gone_is_told_of_and_another_one_comes(link):
    link.server.process.kill()
    with pytest.raises(ProxyError):
        link.blackhole()
    with TcpProxy(link.target.rpartition(":")[2]) as other:
        assert other.server is not link.server
        ask(connect(other))


def test_a_gateway_has_no_other_way_to_kafka(clusters):
    """The broker tells its clients where to come: they are to come through the link again."""
    cluster = clusters[0]
    api = Api(cluster)
    ann, bob = api.new_user(), api.new_user()
    room = ann.room(bob)
    sender = Socket(cluster.node("chat.1"), ann.token)
    sender.expect("welcome")
    sender.subscribe(room)
    sender.ask("send", "sent", room_id=room, nonce=new_nonce(), type="TEXT", content="before")
    link = cluster.link("chat.1", "kafka")
    link.blackhole()
    sender.send("send", room_id=room, nonce=new_nonce(), type="TEXT", content="behind it")
    sender.quiet(2, skip={"presence"})
    link.heal()
    sender.expect("sent", timeout=20)
    sender.close()
    assert ann.contents(room) == ["before", "behind it"]
    api.close()
