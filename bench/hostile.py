"""Hostile clients for bench/run: one that floods with 64 KB frames, and some that stop reading.

    python3 bench/hostile.py --port PORT --user-prefix P --users N [--flood] [--stalled N]

Signs in as users of the loader (bench/dialect.cpp). The flooder sends a message of 64 KB every
millisecond as far as the server takes it, and connects again when it is closed; each stalled one
subscribes to a room that is made after the start, once it is there, and never reads. Runs until it
is ended.
"""

import argparse
import base64
import json
import os
import socket
import sys
import time
import urllib.request

PASSWORD = "a fair measure"  # kPassword of bench/dialect.cpp


def call(port, method, path, token=None, body=None):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def sign_in(port, name):
    body = {"username": name, "password": PASSWORD}
    return call(port, "POST", "/v1/sessions", body=body)["access_token"]


def frame(text):
    payload = text.encode()
    if len(payload) < 126:
        size = bytes([0x80 | len(payload)])
    elif len(payload) < 65536:
        size = bytes([0x80 | 126]) + len(payload).to_bytes(2, "big")
    else:
        size = bytes([0x80 | 127]) + len(payload).to_bytes(8, "big")
    return b"\x81" + size + b"\x00\x00\x00\x00" + payload  # a mask of zeros changes nothing


def open_socket(port, token, receive_buffer=None):
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        (
            f"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: parley.v1\r\nAuthorization: Bearer {token}\r\n\r\n"
        ).encode()
    )
    answer = connection.recv(4096)
    if b" 101 " not in answer:
        raise OSError(f"no socket: {answer[:60]!r}")
    return connection


def rooms_of(port, token):
    return [r["id"] for r in call(port, "GET", "/v1/rooms?limit=100", token)["rooms"]]


def flood(port, token, until):
    """1,000 a second, of 64 KB."""
    room = call(port, "POST", "/v1/rooms", token, {"kind": "group", "name": f"flood {time.time_ns()}"})["id"]
    content = "x" * 64_000
    number = 0
    while time.monotonic() < until:
        try:
            with open_socket(port, token) as connection:
                connection.settimeout(0.5)
                due = time.monotonic()
                while time.monotonic() < until:
                    number += 1
                    body = {"op": "send", "room_id": room, "nonce": f"flood{number}"}
                    connection.sendall(frame(json.dumps({**body, "type": "TEXT", "content": content})))
                    due = max(due + 0.001, time.monotonic())
                    time.sleep(max(0, due - time.monotonic()))
        except (OSError, TimeoutError):
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user-prefix", required=True)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--flood", action="store_true")
    parser.add_argument("--stalled", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    port, until = arguments.port, time.monotonic() + arguments.seconds
    # The last users: accounts are there once the loader has made them.
    names = [f"{arguments.user_prefix}{arguments.users - 1 - i}" for i in range(arguments.users)]
    tokens = [sign_in(port, name) for name in names[1 : 1 + arguments.stalled]]
    stalled = [tokens[i % len(tokens)] for i in range(arguments.stalled)]
    known = set().union(*(rooms_of(port, token) for token in stalled))
    sockets = [open_socket(port, token, receive_buffer=4096) for token in stalled]
    waiting = list(enumerate(zip(stalled, sockets)))
    print("ready", flush=True)
    while waiting and time.monotonic() < until:
        number, (token, connection) = waiting.pop(0)
        rooms = [room for room in rooms_of(port, token) if room not in known]
        if not rooms:
            waiting.append((number, (token, connection)))
            time.sleep(0.02)
            continue
        body = {"op": "subscribe", "room_id": rooms[number % len(rooms)]}
        connection.sendall(frame(json.dumps(body)))
    if arguments.flood:
        # An account of its own: the loader's have to join rooms meanwhile.
        name = f"flood{time.time_ns() % 10**12}"
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        flood(port, call(port, "POST", "/v1/users", body=body)["access_token"], until)
    while time.monotonic() < until:
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
