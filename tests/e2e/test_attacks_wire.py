"""Attacks on the wire: handshakes, frames, slow and many connections."""

import json
import socket
import threading
import time
import zlib

import pytest
from websockets.exceptions import InvalidStatus

from parley_client import Socket, new_nonce, refused
from wire import Wire, frame, masked

PING = b'{"op":"ping"}'


def test_attack_19_origin_is_checked(server, ann):
    host = f"127.0.0.1:{server.port}"
    own = Socket(server, ann.token, origin=f"http://{host}")
    own.expect("welcome")
    own.close()
    for origin in (
        "https://evil.example",
        "null",
        f"https://{host}",
        f"http://{host}.evil.example",
        f"http://x@{host}",
        f"http://{host}/",
        "http://127.0.0.1",
        f"http://127.0.0.1:{server.port}0",
        f"http://evil.{host}",
        f"HTTP://{host}, https://evil.example",
        "file://",
        "*",
    ):
        with pytest.raises(InvalidStatus) as refusal:
            Socket(server, ann.token, origin=origin)
        assert refusal.value.response.status_code == 403, origin


def test_attack_19_two_origins_are_none(wire, ann, server):
    own = f"http://127.0.0.1:{server.port}"
    for origins in (["https://evil.example", own], [own, "https://evil.example"]):
        answer = wire().handshake(ann.token, {"Origin": origins})
        assert answer is None or answer[0] in {400, 403}, answer


def test_attack_19_configured_origins(make_server):
    server = make_server("--allowed-origins", "https://app.example.com,https://chat.example.com")
    user = server.api.new_user()
    Socket(server, user.token, origin="https://app.example.com").expect("welcome")
    Socket(server, user.token, origin="https://chat.example.com").expect("welcome")
    for origin in (
        "https://app.example.com.evil.tld",
        "http://app.example.com",
        "https://example.com",
        "https://app.example.com:444",
        "https://APP.example.com.evil",
    ):
        with pytest.raises(InvalidStatus) as refusal:
            Socket(server, user.token, origin=origin)
        assert refusal.value.response.status_code == 403, origin


@pytest.mark.parametrize(
    "change, drop, options, expected",
    [
        ({"Sec-WebSocket-Version": "12"}, (), {}, {426}),
        ({"Sec-WebSocket-Version": "8"}, (), {}, {426}),
        ({"Sec-WebSocket-Version": "x"}, (), {}, {400, 426}),
        ({}, ("Sec-WebSocket-Version",), {}, {400, 426}),
        ({}, ("Sec-WebSocket-Key",), {}, {400}),
        ({"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA"}, (), {}, {400}),
        ({"Sec-WebSocket-Key": "not base64 at all !!!!=="}, (), {}, {400}),
        ({"Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ=="] * 2}, (), {}, {400}),
        ({"Sec-WebSocket-Version": ["13", "12"]}, (), {}, {400}),
        ({}, ("Upgrade",), {}, {400, 404, 426}),
        ({}, ("Connection",), {}, {400, 404, 426}),
        ({}, ("Host",), {}, {400}),
        ({"Host": ["a", "b"]}, (), {}, {400}),
        ({"Upgrade": "h2c"}, (), {}, {400, 404, 426}),
        ({"Content-Length": "2"}, (), {"body": "{}"}, {400}),
        ({"Transfer-Encoding": "chunked"}, (), {"body": "0\r\n\r\n"}, {400}),
        ({}, (), {"method": "POST"}, {400, 405}),
        ({}, (), {"version": "1.0"}, {400, 505}),
        ({}, (), {"version": "2.0"}, {400, 505}),
        ({}, (), {"path": "/v1/me"}, {200, 400, 404, 426}),
        ({}, (), {"path": "/v1/ws/../me"}, {400, 404}),
    ],
)
def test_attack_20_bad_handshakes(wire, ann, change, drop, options, expected):
    connection = wire()
    answer = connection.handshake(ann.token, change, drop, **options)
    assert answer is not None and answer[0] in expected, answer
    if answer[0] == 426:
        assert (
            answer[1].get("sec-websocket-version") == "13" or "Sec-WebSocket-Version" not in change
        )


def test_attack_20_a_plain_get_of_the_socket(api, ann):
    answer = api.call("GET", "/v1/ws", ann.token)
    assert answer.status_code in {400, 404, 426}


def test_attack_21_one_reading_of_lengths(wire, ann, room):
    body = json.dumps({"nonce": new_nonce(), "type": "TEXT", "content": "smuggled"})
    head = (
        f"POST /v1/rooms/{room}/messages HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {ann.token}\r\n"
        "Content-Type: application/json\r\n"
    )
    size = len(body)
    for lengths in (
        f"Content-Length: {size}\r\nTransfer-Encoding: chunked\r\n",
        f"Transfer-Encoding: chunked\r\nContent-Length: {size}\r\n",
        f"Content-Length: {size}\r\nContent-Length: {size + 1}\r\n",
        f"Content-Length: {size + 1}\r\nContent-Length: {size}\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        f"Content-Length: +{size}\r\n",
        f"Content-Length: {size}, {size + 1}\r\n",
        f"Content-Length: 0x{size:x}\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        f" Content-Length: {size}\r\n",
    ):
        connection = wire()
        connection.send(head + lengths + "\r\n" + body)
        answer = connection.response()
        assert answer is None or answer[0] in {400, 411, 413, 501}, (lengths, answer)
        assert connection.ended(3), f"the connection lives on after {lengths!r}"
    assert ann.history(room) == []


def test_attack_21_bad_chunks(wire, ann, room):
    head = (
        f"POST /v1/rooms/{room}/messages HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {ann.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    for chunks in (
        "x\r\n",
        "-1\r\n",
        "ffffffffffffffff1\r\nx",
        "2\r\n{}x\r\n0\r\n\r\n",
        "7fffffffffffffff\r\n{}",
    ):
        connection = wire()
        answer = connection.request(head + chunks)
        assert answer is None or answer[0] in {400, 413}, (chunks, answer)
        assert connection.ended(3)


def test_attack_21_one_reading_of_paths_and_queries(api, ann, room):
    refused(ann.call("GET", f"/v1/rooms/{room}/messages?limit=1&limit=2"), 422)
    refused(ann.call("GET", f"/v1/rooms/{room}/messages?before=1&before=2"), 422)
    refused(ann.get(f"/v1/rooms/0{room}"), 404)
    escaped = "".join(f"%{ord(c):02x}" for c in room)
    assert ann.get(f"/v1/rooms/{escaped}").status_code in {200, 404}
    for path in (
        f"/v1/rooms/{room}%2fmembers",
        f"/v1/rooms/{room}%00",
        "/v1/%2e%2e/v1/me",
        "/v1/rooms/%zz",
    ):
        assert ann.get(path).status_code in {400, 404}, path


def test_attack_21_request_lines_and_headers(wire):
    for text in (
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",  # obsolete folding
        "GET /healthz HTTP/1.1\nHost: x\n\n",
        "GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /healthz\r\n\r\n",
        "GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX\x00Y: z\r\n\r\n",
        "GET /health\x00z HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "G" * 9000 + " / HTTP/1.1\r\n\r\n",
    ):
        connection = wire(timeout=13)
        answer = connection.request(text)
        assert answer is None or answer[0] in {200, 400, 404, 405, 408, 414, 431, 501, 505}, (
            text,
            answer,
        )


@pytest.mark.parametrize(
    "name, data, codes",
    [
        ("unmasked", frame(1, PING, mask=False), {1002}),
        ("rsv1", frame(1, PING, rsv=4), {1002}),
        ("rsv2", frame(1, PING, rsv=2), {1002}),
        ("rsv3", frame(1, PING, rsv=1), {1002}),
        ("opcode 3", frame(3, PING), {1002}),
        ("opcode 7", frame(7), {1002}),
        ("opcode 11", frame(11), {1002}),
        ("opcode 15", frame(15), {1002}),
        ("fragmented ping", frame(9, b"x", fin=False), {1002}),
        ("fragmented close", frame(8, b"\x03\xe8", fin=False), {1002}),
        ("ping of 126 bytes", frame(9, b"x" * 126), {1002}),
        ("continuation first", frame(0, PING), {1002}),
        ("text inside a fragmented text", frame(1, b"{", fin=False) + frame(1, PING), {1002}),
        ("close code 1005", frame(8, b"\x03\xed"), {1002}),
        ("close code 1006", frame(8, b"\x03\xee"), {1002}),
        ("close code 1015", frame(8, b"\x03\xf7"), {1002}),
        ("close code 999", frame(8, b"\x03\xe7"), {1002}),
        ("close code 5000", frame(8, b"\x13\x88"), {1002}),
        ("close of one byte", frame(8, b"\x03"), {1002}),
        ("close reason no UTF-8", frame(8, b"\x03\xe8\xff"), {1002, 1007}),
    ],
)
def test_attack_22_illegal_frames(wire, ann, name, data, codes):
    connection = wire().upgraded(ann.token)
    connection.send(data)
    assert connection.close_code() in codes, name
    assert connection.ended(5)


def test_attack_22_what_is_legal_is_taken(wire, ann):
    """Ping between fragments, empty fragment and ping, unasked pong, close without a code."""
    connection = wire().upgraded(ann.token)
    connection.send(
        frame(10, b"unasked")
        + frame(1, b'{"op":', fin=False)
        + frame(9, b"beat")
        + frame(0, b"", fin=False)
        + frame(0, b'"ping"}')
        + frame(9)
    )
    got = [connection.read_frame() for _ in range(4)]
    assert got[0][0] == 1 and b'"welcome"' in got[0][1]
    assert got[1:] == [(10, b"beat"), (1, b'{"op":"pong"}'), (10, b"")]
    connection.send(frame(8))
    assert connection.read_frame()[0] == 8
    assert connection.ended(5)


@pytest.mark.parametrize(
    "name, data, codes",
    [
        ("2^63-1 bytes", b"\x81\xff\x7f" + b"\xff" * 7, {1009}),
        ("2^63 bytes", b"\x81\xff\x80" + b"\x00" * 7, {1002, 1009}),
        ("2^32 bytes", b"\x81\xff" + (2**32).to_bytes(8, "big"), {1009}),
        ("64 KiB and one", b"\x81\xff" + (65537).to_bytes(8, "big"), {1009}),
        ("16-bit length for a short frame", frame(1, PING, length_form=16), {1002}),
        ("64-bit length for a short frame", frame(1, PING, length_form=64), {1002}),
    ],
)
def test_attack_23_lengths_that_lie(server, wire, ann, name, data, codes):
    before = server.resident_bytes()
    connection = wire().upgraded(ann.token)
    connection.send(data)
    assert connection.close_code() in codes, name
    assert server.resident_bytes() - before < 8_000_000


def test_attack_24_no_deflate(wire, ann):
    answer = wire().handshake(
        ann.token, {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    )
    assert answer[0] == 101 and "sec-websocket-extensions" not in answer[1]
    connection = wire().upgraded(ann.token)
    connection.send(frame(1, zlib.compress(b"x" * 1_000_000)[:60_000], rsv=4))
    assert connection.close_code() == 1002


def test_attack_25_a_flood_of_fragments(wire, ann):
    connection = wire(timeout=10).upgraded(ann.token)
    connection.send(frame(1, b" ", fin=False))
    flood = frame(0, b" ", fin=False) * 100
    for _ in range(10_000):
        if not connection.try_send(flood):
            break
    assert connection.close_code() in {1009, None}
    assert connection.ended(5)


def test_attack_25_fragments_over_the_limit(wire, ann):
    connection = wire().upgraded(ann.token)
    connection.send(frame(1, b" " * 40_000, fin=False))
    connection.try_send(frame(0, b" " * 40_000, fin=False))
    assert connection.close_code() == 1009


def test_attack_25_a_message_that_never_ends(wire, ann):
    connection = wire(timeout=15).upgraded(ann.token)
    begin = time.monotonic()
    connection.send(frame(1, b"{", fin=False))
    assert connection.close_code(timeout=14) in {1002, 1008, 1009}
    assert 5 < time.monotonic() - begin < 14


BAD_UTF8 = [
    bytes.fromhex("ceba e1bdb9 cf83 cebc ceb5 eda080 656469746564"),
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x80\x80",
    b"\xf0\x80\x80\x80",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\x80",
    b"\xff",
    b"\xfe",
    b"\xc3",
    b"\xe2\x82",
    b"\xf0\x9f\x8d",
]


@pytest.mark.parametrize("bad", BAD_UTF8)
def test_attack_26_bad_utf8(wire, ann, bad):
    connection = wire().upgraded(ann.token)
    connection.send(frame(1, b'{"op":"ping","ref":"' + bad + b'"}'))
    assert connection.close_code() == 1007
    connection = wire().upgraded(ann.token)
    connection.send(
        frame(1, b'{"op":"ping","ref":"', fin=False) + frame(0, bad, fin=False) + frame(0, b'"}')
    )
    assert connection.close_code() == 1007


def test_attack_26_code_points_split_over_fragments(wire, ann):
    connection = wire().upgraded(ann.token)
    assert b'"welcome"' in connection.read_frame()[1]
    for text in ("é", "€", "🍲"):
        encoded = text.encode()
        for cut in range(1, len(encoded)):
            connection.send(
                frame(1, b'{"op":"ping","ref":"' + encoded[:cut], fin=False)
                + frame(0, encoded[cut:] + b'"}')
            )
            assert json.loads(connection.read_frame()[1]) == {"op": "pong", "ref": text}


def test_attack_27_slow_headers(server, api, ann):
    """Three hundred who send a byte a second: a good client notices nothing, all are cut."""
    slow = [Wire(server) for _ in range(300)]
    begin = time.monotonic()
    stop = threading.Event()

    def drip():
        while not stop.wait(1):
            for each in slow:
                each.try_send("X")

    for each in slow:
        each.send("GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
    dripper = threading.Thread(target=drip)
    dripper.start()
    try:
        worst = 0
        while time.monotonic() - begin < 8:
            start = time.monotonic()
            assert api.call("GET", "/v1/me", ann.token).status_code == 200
            worst = max(worst, time.monotonic() - start)
            time.sleep(0.05)
        assert worst < 1
        for each in slow:
            assert each.ended(max(0.1, begin + 15 - time.monotonic()))
    finally:
        stop.set()
        dripper.join()
        for each in slow:
            each.socket.close()


def test_attack_27_headers_without_end(wire):
    connection = wire()
    connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n")
    for _ in range(2000):
        if not connection.try_send("X-Header: " + "x" * 90 + "\r\n"):
            break
    answer = connection.response()
    assert answer is None or answer[0] in {400, 431}
    assert connection.ended(3)


def test_attack_27_a_client_that_does_not_read(make_server):
    """Its queue is bounded, it is cut, and the others see everything at once meanwhile."""
    server = make_server()
    ann, bob = server.api.new_user(), server.api.new_user()
    room = ann.room(bob)
    lazy = Wire(server)
    lazy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.upgraded(bob.token)
    lazy.send(frame(1, json.dumps({"op": "subscribe", "room_id": room}).encode()))
    good, sender = bob.socket(room), ann.socket(room)
    before = server.resident_bytes()
    for i in range(3000):
        sender.say(room, f"{i}|" + "x" * 3900)
        assert good.expect("message")["message"]["content"].startswith(f"{i}|")
    assert server.resident_bytes() - before < 64_000_000
    connections = [
        line for line in server.api.http.get("/metrics").text.splitlines() if "4001" in line
    ]
    assert lazy.ended(30), connections
    data = lazy.buffer
    assert b"\x0f\xa1" in data[-200:] or len(data) < 3000 * 3900, "all of it was buffered"


def test_attack_28_the_cap_on_a_users_connections(make_server):
    server = make_server(environment={"PARLEY_LIMITS_ENABLED": None})
    user, other = server.api.new_user(), server.api.new_user()
    connections = [Wire(server).upgraded(user.token) for _ in range(1000)]
    for each in connections:
        assert each.read_frame()[0] == 1
    too_many = Wire(server).upgraded(user.token)
    assert too_many.close_code() == 4502
    other.socket().alive()
    for each in connections:
        each.socket.close()


def test_attack_29_a_flooder_hurts_only_itself(make_server):
    server = make_server(environment={"PARLEY_LIMITS_ENABLED": None})
    ann, bob = server.api.new_user(), server.api.new_user()
    room = ann.room(bob)
    flooder = Wire(server, timeout=20).upgraded(ann.token)
    stop = threading.Event()

    def flood():
        while not stop.is_set():
            message = {
                "op": "send",
                "room_id": room,
                "nonce": new_nonce(),
                "type": "TEXT",
                "content": "x",
            }
            if not flooder.try_send(frame(1, json.dumps(message).encode()) * 20):
                return

    thread = threading.Thread(target=flood)
    thread.start()
    own_room = bob.room()
    victim = bob.socket()
    worst, begin = 0, time.monotonic()
    while time.monotonic() - begin < 3:
        start = time.monotonic()
        victim.say(own_room, "hello")
        worst = max(worst, time.monotonic() - start)
        time.sleep(0.05)
    code = flooder.close_code(timeout=20)
    stop.set()
    thread.join()
    assert code in {4002, None}
    assert worst < 1
    assert len(ann.whole_history(room)) < 2000


def test_attack_29_a_flood_of_control_frames(wire, ann, bob, room):
    """Pings are answered or the flooder is cut; others go on."""
    connection = wire(timeout=10).upgraded(ann.token)
    pings = frame(9, b"x" * 100) * 500
    for _ in range(40):
        if not connection.try_send(pings):
            break
    watcher = bob.socket(room)
    ann.say(room, "still here")
    watcher.expect("message")


def test_attack_22_masks_are_undone(wire, ann):
    """Every phase and length of the mask, against an implementation that is not the server's."""
    connection = wire().upgraded(ann.token)
    connection.read_frame()
    for size in range(0, 64):
        payload = json.dumps({"op": "ping", "ref": "r" * size}).encode()
        for mask in (b"\x00\x00\x00\x00", b"\xff\xfe\xfd\xfc"):
            connection.send(
                bytes([0x81, 0x80 | 126])
                + len(payload).to_bytes(2, "big")
                + mask
                + masked(payload, mask)
                if len(payload) > 125
                else bytes([0x81, 0x80 | len(payload)]) + mask + masked(payload, mask)
            )
            assert json.loads(connection.read_frame()[1]) == {
                "op": "pong",
                **({"ref": "r" * size} if size else {}),
            }
