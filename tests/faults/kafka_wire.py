"""As much of Kafka's protocol as it takes to write bytes into a partition that no node would write, and to delete
what a partition has.

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


def call(port, key, version, body):
    """One request; the body of the answer."""
    request = struct.pack(">hhi", key, version, 1) + text("tests") + body
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.settimeout(20)
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = b""
        while len(answer) < 4 or len(answer) < 4 + struct.unpack(">i", answer[:4])[0]:
            part = connection.recv(65536)
            if not part:
                raise OSError("the broker ended the connection")
            answer += part
    return answer[8:]  # size, correlation


def produce(port, topic, partition, value):
    """Writes one record; its offset."""
    records = batch(value)
    body = struct.pack(">hhi", -1, -1, 10_000)  # no transaction, acks=all, time-out
    body += struct.pack(">i", 1) + text(topic)
    body += struct.pack(">iii", 1, partition, len(records)) + records
    answer = call(port, 0, 7, body)
    at = 4 + 2 + len(topic) + 4 + 4  # topics = 1, name, partitions = 1, partition, error, offset
    error, offset = struct.unpack(">hq", answer[at : at + 10])
    if error:
        raise OSError(f"the broker refused the record: error {error}")
    return offset


def end_of(port, topic, partition):
    """ListOffsets, version 1: the offset of the next record."""
    body = struct.pack(">ii", -1, 1) + text(topic) + struct.pack(">iiq", 1, partition, -1)
    answer = call(port, 2, 1, body)
    at = 4 + 2 + len(topic) + 4 + 4  # topics = 1, name, partitions = 1, partition
    error, _, offset = struct.unpack(">hqq", answer[at : at + 18])
    if error:
        raise OSError(f"the broker does not tell where a partition ends: error {error}")
    return offset


def forget(port, topic, partition, before=-1):
    """Deletes what the log has of a partition before an offset (-1: all), as its retention would; where it begins now.

    DeleteRecords, version 0."""
    body = struct.pack(">i", 1) + text(topic) + struct.pack(">iiqi", 1, partition, before, 10_000)
    answer = call(port, 21, 0, body)
    at = 4 + 4 + 2 + len(topic) + 4 + 4  # throttled, topics = 1, name, partitions = 1, partition
    begins, error = struct.unpack(">qh", answer[at : at + 10])
    if error:
        raise OSError(f"the broker forgets nothing: error {error}")
    return begins


def set_retention(port, topic, milliseconds):
    """IncrementalAlterConfigs, version 0: one value of the topic, the rest as it is."""
    entry = text("retention.ms") + b"\0" + text(str(milliseconds))
    body = struct.pack(">ib", 1, 2) + text(topic) + struct.pack(">i", 1) + entry + b"\0"
    (error,) = struct.unpack(">h", call(port, 44, 0, body)[8:10])
    if error:
        raise OSError(f"the broker keeps its retention: error {error}")
