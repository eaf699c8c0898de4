"""What becomes of a file after its message was sent: thumbnails, and nothing else of it than its pixels."""

import base64
import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from classic_client import Classic
from parley_client import TRANSIENT, Api, refused
from test_media import fetched, location, put, stored_files, ticket, uploaded
from test_media_worker import chunk, gif, png, webp_size

FFMPEG = next((p for p in ("/usr/local/bin/ffmpeg", "/usr/bin/ffmpeg") if os.access(p, os.X_OK)), None)
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAg+Pkk+SVVVVVVVVWRdZGhoaGRkZGRoaGhwcHCDg4Nw"
    "cHBoaHBwfHyDg4+Tj4eHg4eTk5ubm7q6srLZ2eD/////xAB7AAEBAQAAAAAAAAAAAAAAAAAGBQcBAAIDAQEAAAAAAAAAAAAAAAUG"
    "BwgDAQQQAAIBAgQHAQAAAAAAAAAAAAIBAAMRQQQh8HGBUSIxEvFCEQABAwEECQQDAQAAAAAAAAABAAIDEXExIUEjkYHB0RJR8ELS"
    "oUMyEyJTYf/AABEIABAAIAMBEgACEgADEgD/2gAMAwEAAhEDEQA/AAGXVycU5cRG791rhtzoFSEA/IWn6E92LN8hjjdTAkgV6Xr2"
    "yx1YQHVoQSbAf9RiphEpgL/aW+MsQ3NIcczz8bhr4Jin8du5JU0rjTRuF/XgtUqYQ3VMtOx75Ss7c1JTIGf2b7epL0/jt3LJ2kpX"
    "9LewrOVd0S6WhqiRAm0LK9vHxwo01FOiLFgbc4Hu1SpLGGu5hhzX2jPbVMD+WTAuDSLxnjqX/9k="
)
PLACE = "+52.5200+013.4050/"
SECRET = b"latitude 52.5200, longitude 13.4050"


def film(folder, seconds=3):
    target = folder / "film.mp4"
    make = [FFMPEG, "-nostdin", "-v", "error", "-f", "lavfi", "-i", f"testsrc=s=640x360:d={seconds}"]
    told = ["-metadata", f"location={PLACE}", "-metadata", f"title=at {PLACE}"]
    subprocess.run([*make, "-pix_fmt", "yuv420p", *told, "-y", str(target)], check=True, timeout=60)
    return target.read_bytes()


def posted(user, room, data, **fields):
    media = uploaded(user, room, data, **fields)
    return media, user.say(room, "look", type="MEDIA", media_id=media)


def described(user, room, message, seconds=40):
    """The message, once more is known of its file than was said of it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = next(m for m in user.history(room) if m["id"] == message["id"])
        if now["media"] != message["media"]:
            return now
        time.sleep(0.1)
    raise AssertionError(f"nothing was found out about {message['media']} in {seconds} s")


def variant(user, media, size):
    answer = location(user, media, size=size)
    assert answer.status_code == 302, answer.text
    return httpx.get(answer.headers["location"], trust_env=False, timeout=20)


def value_of(server, metric):
    found = re.search(rf"^{metric}(?:{{[^}}]*}})? (\S+)$", server.metrics(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def wait_for(condition, seconds=40):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_thumbnails_follow_the_message_as_an_event(ann, bob, server):
    room = ann.room(bob)
    listener = bob.socket(room)
    name = bob.got(f"/v1/rooms/{room}")["name"]
    old = Classic.of(bob).socket({"roomid": room, "roomname": name})
    media, message = posted(ann, room, png(1600, 400))
    assert set(message["media"]) == {"filename", "content_type", "size"}
    seen = listener.expect("message")
    edited = listener.expect("edited", timeout=40)
    assert edited["prev_id"] == seen["id"] and edited["id"] > seen["id"]
    now = edited["message"]
    assert now["id"] == message["id"] and now["content"] == "look" and "edited_at" not in now
    facts = now["media"]
    assert (facts["width"], facts["height"]) == (1600, 400) and len(facts["blurhash"]) == 28
    assert facts["thumbnails"] == [
        {"size": "small", "width": 320, "height": 80},
        {"size": "large", "width": 1280, "height": 320},
    ]
    for size, dimensions in (("small", (320, 80)), ("large", (1280, 320))):
        got = variant(bob, media, size)
        assert got.headers["content-type"] == "image/webp" and webp_size(got.content) == dimensions
        assert got.headers["x-content-type-options"] == "nosniff"
    # Who comes later, or comes back, finds the same; and it is told once.
    assert bob.history(room)[0]["media"] == facts
    late = bob.socket()
    missed = late.subscribe(room, since=message["id"])
    assert [e["op"] for e in missed["events"]] == ["edited"] and missed["events"][0]["message"]["media"] == facts
    again = ann.say(room, "once more", type="MEDIA", media_id=media)
    assert again["media"] == facts
    listener.expect("message", id=again["id"])
    listener.quiet(skip=TRANSIENT)
    # A client of the other surface sees two messages, and no event that it does not know.
    old.expect("chat", content="look")
    old.expect("chat", content="once more")
    old.quiet()


@pytest.mark.embedded_only("other nodes hear of a new word a moment later")
def test_a_message_that_waited_for_a_moderator_has_them_from_the_start(ann, bob):
    room = ann.room(bob)
    words = {"words": [{"word": "kumquat", "action": "hold", "match": "whole"}]}
    assert ann.put(f"/v1/rooms/{room}/words", words).status_code in (200, 204)
    media = uploaded(bob, room, png(60, 30))
    refused(bob.post_message(room, "a kumquat", type="MEDIA", media_id=media), 409, "content_held")
    wait_for(lambda: location(bob, media, size="small").status_code == 302)
    held = ann.got(f"/v1/rooms/{room}/held")["held"]
    approved = ann.post(f"/v1/rooms/{room}/held/{held[0]['id']}/approve")
    assert approved.status_code == 200, approved.text
    assert len(bob.history(room)[0]["media"]["thumbnails"]) == 2


def riff(kind, body):
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def with_secret(kind):
    """A picture that says where it was taken, and its type."""
    if kind == "png":
        return png(40, 20, extra=chunk(b"eXIf", b"MM\0*" + SECRET) + chunk(b"tEXt", b"GPS\0" + SECRET)), "image/png"
    if kind == "jpeg":
        body = b"Exif\0\0MM\0*\0\0\0\x08\0\0" + SECRET
        return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + JPEG[2:], "image/jpeg"
    lossless = bytes.fromhex("2f0f0000000710fd8ffe0722a2ff01")  # 16 x 1
    head = riff(b"VP8X", struct.pack("<I", 0x0C) + b"\x0f\0\0" + b"\0\0\0")
    body = b"WEBP" + head + riff(b"VP8L", lossless) + riff(b"EXIF", b"MM\0*" + SECRET) + riff(b"XMP ", SECRET)
    return b"RIFF" + struct.pack("<I", len(body)) + body, "image/webp"


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_nobody_gets_a_picture_with_its_metadata(ann, bob, server, kind):
    room = ann.room(bob)
    data, type = with_secret(kind)
    assert SECRET in data
    media, message = posted(ann, room, data, type=type)
    # At once, before anybody was told: the server waits until it knows what it may give.
    got = fetched(bob, media)
    assert got.status_code == 200 and SECRET not in got.content
    assert got.headers["content-type"] == type and len(got.content) < len(data) - len(SECRET)
    assert fetched(ann, media).content == got.content
    facts = described(bob, room, message)["media"]
    assert facts["stripped"] is True and facts["size"] == len(got.content)
    # Nor does it lie about in the store.
    files = stored_files(server)
    assert files
    wait_for(lambda: not any(SECRET in file.read_bytes() for file in files if file.exists()))


@pytest.mark.skipif(not FFMPEG, reason="ffmpeg is not installed")
def test_a_film_gets_a_poster_and_tells_no_place(ann, bob, tmp_path):
    room = ann.room(bob)
    data = film(tmp_path)
    assert PLACE.encode() in data
    media, message = posted(ann, room, data, type="video/mp4", name="film.mp4")
    got = fetched(bob, media)
    assert PLACE.encode() not in got.content and len(got.content) == len(data)
    (tmp_path / "shown.mp4").write_bytes(got.content)
    look = [FFMPEG, "-nostdin", "-v", "error", "-xerror", "-i", str(tmp_path / "shown.mp4"), "-f", "null", "-"]
    subprocess.run(look, check=True, timeout=60)
    facts = described(bob, room, message)["media"]
    assert facts["stripped"] is True
    assert facts["poster"] is True and facts["duration_ms"] == 3000
    assert (facts["width"], facts["height"]) == (640, 360) and facts["blurhash"]
    assert webp_size(variant(bob, media, "small").content) == (320, 180)


BOMBS = {
    "a picture of 50,000 x 50,000": (png(50_000, 50_000, b"\x78\x9c" + bytes(1_000)), "image/png"),
    "a script that is a picture too": (b"GIF89a=1;alert(1)//" + bytes(40), "image/gif"),
    "half a picture": (png(800, 800)[:900], "image/png"),
    "a box without an end": (b"\0\0\0\x18ftypisom\0\0\0\0isommp41" + b"\xff" * 64, "video/mp4"),
    "a million frames": (gif(200_000), "image/gif"),
}


def test_bombs_cost_their_own_job_and_no_more(ann, bob, server):
    room = ann.room(bob)
    before = server.resident_bytes()
    sent = {name: posted(ann, room, data, type=type)[0] for name, (data, type) in BOMBS.items()}
    media, good = posted(ann, room, png(600, 300))
    assert ann.say(room, "still here")
    assert described(ann, room, good)["media"]["thumbnails"]
    assert server.resident_bytes() - before < 64 << 20
    for name, each in sent.items():
        got = fetched(bob, each)
        assert got.status_code == 200, name
        # A browser takes it for nothing but what it was checked to be.
        assert got.headers["content-type"] == BOMBS[name][1]
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in got.headers["content-security-policy"]


def test_what_may_run_is_refused_or_downloaded(ann, bob):
    room = ann.room(bob)
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    html = b"<!DOCTYPE html><script>alert(1)</script>"
    for body, type in ((svg, "image/png"), (svg, "image/webp"), (html, "image/jpeg")):
        media = uploaded(ann, room, body, type=type)
        refused(ann.post_message(room, "", type="MEDIA", media_id=media), 409, "media_mismatch")
        refused(location(bob, media), 404, "unknown_media")
    for body, type in ((svg, "image/svg+xml"), (html, "text/html")):
        media, _ = posted(ann, room, body, type=type)
        got = fetched(bob, media)
        assert got.headers["content-disposition"].startswith("attachment;")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in got.headers["content-security-policy"]


def test_the_server_fetches_nothing_that_a_file_or_an_id_names(ann, bob):
    trap = socket.create_server(("127.0.0.1", 0))
    trap.settimeout(0.1)
    url = f"http://127.0.0.1:{trap.getsockname()[1]}/latest/meta-data"
    caught = []

    def listen(stop=threading.Event()):
        while not stop.wait(0):
            try:
                caught.append(trap.accept()[0])
            except TimeoutError:
                continue
            except OSError:
                return

    watcher = threading.Thread(target=listen, daemon=True)
    watcher.start()
    room = ann.room(bob)
    for address in (url, "http://169.254.169.254/", "file:///etc/passwd", "../secret"):
        refused(ann.post_message(room, "", type="MEDIA", media_id=address), 422, "invalid_field")
        refused(ann.patch("/v1/me", {"avatar_media_id": address}), 422, "invalid_field")
        assert ann.get(f"/v1/media/{quote(address, safe='')}").status_code in (400, 404, 422)
    # Lists of other places, under names of films and pictures.
    playlist = f"#EXTM3U\n#EXTINF:1,\n{url}\n".encode()
    liar = uploaded(ann, room, playlist, type="video/mp4")
    refused(ann.post_message(room, "", type="MEDIA", media_id=liar), 409, "media_mismatch")
    svg = f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{url}'/></svg>".encode()
    posted(ann, room, svg, type="image/svg+xml")
    posted(ann, room, b"\0\0\0\x18ftypisom\0\0\0\0isommp41" + playlist, type="video/mp4")
    _, good = posted(ann, room, png(60, 30))
    described(bob, room, good)
    trap.close()
    watcher.join(5)
    assert not caught


def lookers(server):
    """The processes that look at files for this server."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == server.pid and b"media-worker" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except (OSError, ValueError, IndexError):
            continue
    return found


def test_what_was_killed_in_the_middle_is_done_again(make_server):
    server = make_server()
    ann = server.api.new_user()
    room = ann.room()
    large = png(2400, 2400)
    _, first = posted(ann, room, large)

    def struck():
        for pid in lookers(server):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return value_of(server, "parley_media_worker_failed_total") >= 1

    wait_for(struck)
    assert len(described(ann, room, first)["media"]["thumbnails"]) == 2
    # The same for the server itself, with which its helpers end.
    _, second = posted(ann, room, large + b"2")
    wait_for(lambda: lookers(server))
    left = lookers(server)
    server.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
    server.start()
    assert len(described(ann, room, second)["media"]["thumbnails"]) == 2


def in_a_namespace(*mounts):
    """For Popen: the process sees these mounts, (what, where, type, options), and nobody else does."""

    def enter():
        libc = ctypes.CDLL(None, use_errno=True)
        new_mounts, bind, private = 0x00020000, 4096, (1 << 18) | 16384
        if libc.unshare(new_mounts) or libc.mount(b"none", b"/", None, private, None):
            raise OSError(ctypes.get_errno(), "unshare")
        for what, where, type, options in mounts:
            flags = 0 if type else bind
            if libc.mount(what.encode(), where.encode(), type, flags, options):
                raise OSError(ctypes.get_errno(), where)

    return enter


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@needs_root
def test_a_full_disk_is_a_refusal_and_chat_goes_on(make_server):
    server = make_server(start=False)
    folder = server.data / "media"
    folder.mkdir(parents=True)
    server.start(preexec_fn=in_a_namespace(("tmpfs", str(folder), b"tmpfs", b"size=72m")))
    server.api = Api(server)
    ann, bob = server.api.new_user(), server.api.new_user()
    room = ann.room(bob)
    data = os.urandom(6_000_000).hex().encode()[:6_000_000]
    media, message = posted(ann, room, png(60, 30))
    described(ann, room, message)
    body = {"filename": "a.txt", "content_type": "text/plain", "size": 20_000_000}
    refused(ann.post(f"/v1/rooms/{room}/media", body, may_fail=True), 507, "media_storage_full")
    # There was room when the ticket was given, and none when the file comes.
    made = ticket(ann, room, data, type="text/plain", name="a.txt")
    seen = Path(f"/proc/{server.pid}/root{folder}")
    with (seen / "filler").open("wb") as filler, pytest.raises(OSError):
        while True:
            filler.write(bytes(1 << 20))
            filler.flush()
    refused(put(made["upload"], data), 507, "media_storage_full")
    refused(ann.post_message(room, "", type="MEDIA", media_id=made["media_id"]), 409, "media_not_uploaded")
    ann.say(room, "no room for files, all for words")
    assert fetched(bob, media).status_code == 200
    (seen / "filler").unlink()
    assert put(made["upload"], data).status_code == 200
    ann.say(room, "", type="MEDIA", media_id=made["media_id"])
    assert fetched(bob, made["media_id"]).content == data
    assert not server.dead()


def libvips():
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, timeout=20).stdout
    found = re.search(r"libvips\.so\.42 .*=> (\S+)", listed)
    return os.path.realpath(found[1]) if found else None


@needs_root
@pytest.mark.skipif(not FFMPEG or not shutil.which("ldconfig", path="/sbin:/usr/sbin"), reason="no ffmpeg")
def test_without_libvips_and_ffmpeg_sizes_and_lengths_are_known(make_server, tmp_path):
    server = make_server(start=False)
    nothing = [("/dev/null", path, None, None) for path in (libvips(), FFMPEG) if path]
    server.start(preexec_fn=in_a_namespace(*nothing))
    server.api = Api(server)
    ann = server.api.new_user()
    room = ann.room()
    media, picture = posted(ann, room, with_secret("png")[0])
    facts = described(ann, room, picture)["media"]
    assert (facts["width"], facts["height"], facts["stripped"]) == (40, 20, True) and "thumbnails" not in facts
    refused(location(ann, media, size="small"), 404, "unknown_media")
    assert SECRET not in fetched(ann, media).content
    _, moving = posted(ann, room, film(tmp_path), type="video/mp4", name="film.mp4")
    facts = described(ann, room, moving)["media"]
    assert facts["duration_ms"] == 3000 and "poster" not in facts


def never_writable_and_executable():
    """What MemoryDenyWriteExecute= of the service's unit does to it, by the kernel's own means."""
    ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)  # PR_SET_MDWE, of Linux 6.3; before, nothing


def test_pictures_and_films_are_looked_at_under_the_bounds_of_the_service(make_server, tmp_path):
    server = make_server(start=False)
    server.start(preexec_fn=never_writable_and_executable)
    server.api = Api(server)
    ann = server.api.new_user()
    room = ann.room()
    _, picture = posted(ann, room, png(60, 30))
    assert libvips() is None or described(ann, room, picture)["media"]["thumbnails"]
    if FFMPEG:
        _, moving = posted(ann, room, film(tmp_path), type="video/mp4", name="film.mp4")
        assert described(ann, room, moving)["media"]["poster"] is True
    assert value_of(server, "parley_media_worker_failed_total") == 0
