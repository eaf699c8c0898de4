"""Files that the tests send."""

import struct
import zlib


def png(width=320, height=200, colour=(40, 120, 100)):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(colour) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def file(name="picture.png", kind="image/png", data=None):
    return {"name": name, "mimeType": kind, "buffer": png() if data is None else data}


# Makes a DataTransfer with a file in the page, to be dropped or pasted.
TRANSFER = """([name, type, bytes]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
    return transfer;
}"""


def transfer(page, name="picture.png", kind="image/png", data=None):
    return page.evaluate_handle(TRANSFER, [name, kind, list(png() if data is None else data)])
