"""Attacks 22 and 24 with permessage-deflate, which is off unless the operator wants it."""

import json
import time
import zlib

import pytest

from parley_client import Api
from parley_server import Server
from wire import Wire, frame

pytestmark = pytest.mark.embedded_only("a server with a setting of its own")

PING = b'{"op":"ping"}'
DEFLATE = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}


def deflated(message):
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (maker.compress(message) + maker.flush(zlib.Z_SYNC_FLUSH))[:-4]


def zeros(mebibytes):
    """So many, deflated: about a thousandth of them."""
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = maker.compress(bytes(1 << 20)) + maker.flush(zlib.Z_FULL_FLUSH)
    return (one * mebibytes)[:-4]


@pytest.fixture(scope="module")
def deflating(tmp_path_factory):
    """A server that takes permessage-deflate, and a user of it."""
    server = Server(tmp_path_factory.mktemp("deflate"), "--websocket-deflate", "true").start()
    api = Api(server)
    yield server, api.new_user()
    api.close()
    assert server.stop() == 0


def deflating_connection(deflating):
    server, user = deflating
    connection = Wire(server, timeout=10)
    answer = connection.handshake(user.token, DEFLATE)
    assert answer[0] == 101
    wanted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    assert answer[1]["sec-websocket-extensions"] == wanted
    assert connection.read_frame()[0] == 1
    return connection


def padded_ping(size):
    """A ping of exactly that many bytes."""
    return b'{"op":"ping","x":"' + b" " * (size - 20) + b'"}'


def test_attack_24_exactly_the_cap_passes_and_one_more_is_1009(deflating):
    connection = deflating_connection(deflating)
    connection.send(frame(1, deflated(padded_ping(65_536)), rsv=4))
    assert json.loads(connection.read_frame()[1]) == {"op": "pong"}
    connection.send(frame(1, deflated(padded_ping(65_537)), rsv=4))
    assert connection.close_code() == 1009
    connection.socket.close()


def test_attack_24_a_mebibyte_that_inflates_to_a_gibibyte(deflating):
    """Whole, in fragments, and as far as the cap on the wire lets it in: 1009, and no memory."""
    server, _ = deflating
    bomb = zeros(1024)
    assert 1_000_000 < len(bomb) < 1_100_000
    before = server.resident_bytes()
    fragments = [bomb[at : at + 16_000] for at in range(0, len(bomb), 16_000)]
    for data in (
        frame(1, bomb, rsv=4),
        frame(1, fragments[0], fin=False, rsv=4) + b"".join(frame(0, f, fin=False) for f in fragments[1:]),
        frame(1, zeros(60), rsv=4),
    ):
        connection = deflating_connection(deflating)
        connection.try_send(data)
        assert connection.close_code() in {1009, None}
        connection.socket.close()
    assert server.resident_bytes() - before < 4_000_000


def test_attack_24_many_small_bombs_in_a_row(deflating):
    """Each is small enough to pass (80 bytes for 64 KiB); others go on, and memory stays."""
    server, user = deflating
    good = user.socket()
    flooder = deflating_connection(deflating)
    bomb = frame(1, deflated(padded_ping(65_536)), rsv=4)
    assert len(bomb) < 120
    before, worst = server.resident_bytes(), 0
    for _ in range(100):
        flooder.send(bomb * 20)
        begin = time.monotonic()
        good.alive()
        worst = max(worst, time.monotonic() - begin)
        for _ in range(20):
            assert json.loads(flooder.read_frame()[1]) == {"op": "pong"}
    assert worst < 1 and server.resident_bytes() - before < 4_000_000
    flooder.socket.close()


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("RSV1 on a continuation", frame(1, b"\x00", fin=False, rsv=4) + frame(0, b"", rsv=4), 1002),
        ("RSV1 on a ping", frame(9, b"", rsv=4), 1002),
        ("RSV2 beside RSV1", frame(1, b"\x00", rsv=6), 1002),
        ("no deflate stream", frame(1, b"\xff" * 20, rsv=4), 1007),
        ("a stream that is cut", frame(1, deflated(PING * 9)[:-5], rsv=4), 1007),
        ("bad UTF-8 inside", frame(1, deflated(b'{"op":"\xc0\x80"}'), rsv=4), 1007),
    ],
)
def test_attack_22_illegal_compressed_frames(deflating, name, data, code):
    connection = deflating_connection(deflating)
    connection.send(data)
    assert connection.close_code() == code, name
    connection.socket.close()


def test_compressed_and_plain_listeners_get_the_same(deflating):
    """Clients that are not ours, with and without permessage-deflate, over texts of every length."""
    _, user = deflating
    room = user.room()
    listeners = [user.socket(room), user.socket(room, compression="deflate")]
    sender = user.socket(compression="deflate")
    for size in (1, 100, 255, 256, 1_000, 4_000):
        text = ("süß %d " % size * size)[:size].strip()
        sender.say(room, text)
        for each in listeners:
            assert each.expect("message")["message"]["content"] == text
