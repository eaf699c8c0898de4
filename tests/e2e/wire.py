"""Bytes on a TCP connection, for what no well-behaved client would send."""

import base64
import os
import socket
import struct
import time


def masked(payload: bytes, mask=b"\x01\x02\x03\x04"):
    return bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def frame(opcode, payload=b"", *, fin=True, rsv=0, mask=True, length_form=None):
    """One WebSocket frame. length_form: 7, 16 or 64 bits; else the shortest."""
    size = len(payload)
    length_form = length_form or (7 if size < 126 else 16 if size < 65536 else 64)
    bit = 0x80 if mask else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if length_form == 7:
        head += bytes([bit | size])
    elif length_form == 16:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    return head + (b"\x01\x02\x03\x04" + masked(payload) if mask else payload)


class Wire:
    def __init__(self, server, timeout=5):
        self.server = server
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=timeout)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def try_send(self, data):
        """False when the other side has ended the connection."""
        try:
            self.send(data)
            return True
        except OSError:
            return False

    def more(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def ended(self, timeout):
        """Waits for the end of the connection; whatever comes before it is kept."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self.socket.settimeout(max(0.01, deadline - time.monotonic()))
                if not self.more():
                    return True
        except TimeoutError:
            return False
        except OSError:
            return True

    # --- HTTP
    def response(self):
        """Status, headers (lower case), body; None when the connection ends without an answer."""
        while b"\r\n\r\n" not in self.buffer:
            try:
                if not self.more():
                    return None
            except ConnectionError:
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        size = int(headers.get("content-length", "0"))
        while len(self.buffer) < size:
            if not self.more():
                break
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return int(lines[0].split()[1]), headers, body

    def request(self, text):
        self.send(text)
        return self.response()

    # --- WebSocket
    def handshake(
        self, token=None, headers=None, drop=(), path="/v1/ws", method="GET", version="1.1", body=""
    ):
        """headers replaces (or adds) header lines; a list value gives several lines."""
        lines = {
            "Host": f"127.0.0.1:{self.server.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": "parley.v1",
        }
        if token:
            lines["Authorization"] = f"Bearer {token}"
        lines.update(headers or {})
        text = f"{method} {path} HTTP/{version}\r\n"
        for name, value in lines.items():
            if name in drop:
                continue
            for each in value if isinstance(value, list) else [value]:
                text += f"{name}: {each}\r\n"
        return self.request(text + "\r\n" + body)

    def upgraded(self, token):
        answer = self.handshake(token)
        assert answer and answer[0] == 101, answer
        return self

    def read_frame(self):
        """Opcode and payload of the next frame; None at the end."""

        def need(n):
            while len(self.buffer) < n:
                if not self.more():
                    return False
            return True

        try:
            if not need(2):
                return None
            opcode, size, start = self.buffer[0] & 15, self.buffer[1] & 127, 2
            if size == 126:
                need(4)
                size, start = struct.unpack(">H", self.buffer[2:4])[0], 4
            elif size == 127:
                need(10)
                size, start = struct.unpack(">Q", self.buffer[2:10])[0], 10
            if not need(start + size):
                return None
        except ConnectionError:
            return None
        payload, self.buffer = self.buffer[start : start + size], self.buffer[start + size :]
        return opcode, payload

    def close_code(self, timeout=5):
        """The code of the server's close frame; None when it just ends the connection."""
        deadline = time.monotonic() + timeout
        while True:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            got = self.read_frame()
            if got is None:
                return None
            if got[0] == 8:
                return struct.unpack(">H", got[1][:2])[0] if len(got[1]) >= 2 else 1005
