"""As much of Kafka's protocol as it takes to write bytes into a partition that no node would write.

Produce, version 7, with one batch of one record (format 2, CRC-32C); acks=all.
"""

import socket
import struct


def _crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


TABLE = _crc32c_table()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def varint(number):
    number = number << 1 ^ number >> 63
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def batch(value):
    record = b"\0" + varint(0) + varint(0) + varint(-1) + varint(len(value)) + value + varint(0)
    record = varint(len(record)) + record
    body = struct.pack(">hiqqqhii", 0, 0, 0, 0, -1, -1, -1, 1) + record
    head = struct.pack(">ibI", -1, 2, crc32c(body))
    return struct.pack(">qi", 0, len(head) + len(body)) + head + body


def produce(port, topic, partition, value):
    """Writes one record; its offset."""
    records = batch(value)
    body = struct.pack(">hhi", -1, -1, 10_000)  # no transaction, acks=all, time-out
    body += struct.pack(">i", 1) + text(topic)
    body += struct.pack(">iii", 1, partition, len(records)) + records
    request = struct.pack(">hhi", 0, 7, 1) + text("poison") + body
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = b""
        while len(answer) < 4 or len(answer) < 4 + struct.unpack(">i", answer[:4])[0]:
            part = connection.recv(65536)
            if not part:
                raise OSError("the broker ended the connection")
            answer += part
    # size, correlation, topics = 1, name, partitions = 1, partition, error, offset
    at = 4 + 4 + 4 + 2 + len(topic) + 4 + 4
    error, offset = struct.unpack(">hq", answer[at : at + 10])
    if error:
        raise OSError(f"the broker refused the record: error {error}")
    return offset
