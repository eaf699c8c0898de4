"""The media worker on good, broken and hostile files: a process by itself, as the server starts it."""

import os
import resource
import struct
import subprocess
import time
import zlib
from pathlib import Path

import pytest

BINARY = os.environ.get("PARLEY_BINARY", str(Path(__file__).resolve().parents[2] / "build/release/parley"))
MEMORY_MAX = 512 * 1024  # KiB of a job that is refused


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, pixels=None, extra=b""):
    if pixels is None:
        row = bytes([0]) + bytes(x * 255 // width for x in range(width) for _ in range(3))
        pixels = zlib.compress(row * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def gif(frames):
    control = b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
    frame = control + b"\x2c\x00\x00\x00\x00\x02\x00\x02\x00\x00\x02\x02\x84\x51\x00"
    return b"GIF89a\x02\x00\x02\x00\x80\x00\x00" + b"\x00\x00\x00\xff\xff\xff" + frame * frames + b";"


class Looked:
    """What came of one file: the report, the thumbnails, and what it cost."""

    def __init__(self, folder, content):
        source = folder / "file"
        source.write_bytes(content)
        outputs = [folder / "small.webp", folder / "large.webp"]
        small, large = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for path in outputs]

        def lay_out():
            os.dup2(small, 200)
            os.dup2(large, 201)
            os.dup2(200, 3)
            os.dup2(201, 4)

        began = time.monotonic()
        with source.open("rb") as file:
            done = subprocess.run(
                [BINARY, "media-worker"],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                preexec_fn=lay_out,
                close_fds=False,
                timeout=60,
            )
        os.close(small)
        os.close(large)
        self.seconds = time.monotonic() - began
        self.status = done.returncode
        self.lines = dict(line.partition(" ")[::2] for line in done.stdout.decode().splitlines())
        self.small, self.large = [path.read_bytes() for path in outputs]


def webp_size(data):
    """Of a WebP as the worker writes it: VP8, or VP8X where it has transparency or a profile."""
    assert data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    assert data[12:16] == b"VP8 "
    return tuple(value & 0x3FFF for value in struct.unpack("<HH", data[26:30]))


def test_makes_two_thumbnails_and_a_blurhash(tmp_path):
    looked = Looked(tmp_path, png(1600, 400))
    assert looked.status == 0
    assert (looked.lines["width"], looked.lines["height"]) == ("1600", "400")
    assert looked.lines["small"] == "320 80" and webp_size(looked.small) == (320, 80)
    assert looked.lines["large"] == "1280 320" and webp_size(looked.large) == (1280, 320)
    assert len(looked.lines["blurhash"]) == 28 and "end" in looked.lines


def test_turns_a_picture_the_right_way_up_and_says_nothing_else_of_it(tmp_path):
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0) + b"latitude 52.52"
    looked = Looked(tmp_path, png(400, 200, extra=chunk(b"eXIf", tiff)))
    assert (looked.lines["width"], looked.lines["height"]) == ("200", "400")
    assert webp_size(looked.small) == (160, 320)
    assert b"latitude" not in looked.small and b"latitude" not in looked.large
    assert b"EXIF" not in looked.small and b"XMP " not in looked.small


def test_never_enlarges(tmp_path):
    looked = Looked(tmp_path, png(60, 30))
    assert webp_size(looked.small) == webp_size(looked.large) == (60, 30)


def test_shows_the_first_frame_of_an_animation(tmp_path):
    looked = Looked(tmp_path, gif(3))
    assert looked.status == 0 and looked.lines["large"] == "2 2"


BOMBS = {
    "a picture of 50,000 x 50,000": png(50_000, 50_000, zlib.compress(bytes(1_000_000))),
    "pixels that never come": png(4_000, 4_000, zlib.compress(b"")),
    "a name and noise": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
    "half a file": png(800, 800)[:900],
    "a box without an end": b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avifmif1" + b"\xff" * 64,
    "a film of zeros": b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp41" + bytes(4096),
    "a script": b"GIF89a=1;alert(1)//",
    "markup": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://169.254.169.254/'/></svg>",
    "nothing": b"",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_file_costs_its_own_job_and_no_more(tmp_path, name):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    looked = Looked(tmp_path, BOMBS[name])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert looked.status == 0 and "end" in looked.lines
    assert after.ru_maxrss < MEMORY_MAX
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 5


def test_a_million_frames_cost_what_one_does(tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    looked = Looked(tmp_path, gif(1_000_000))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert looked.status == 0 and looked.lines["large"] == "2 2"
    assert (after.ru_utime - before.ru_utime) < 5 and after.ru_maxrss < MEMORY_MAX
