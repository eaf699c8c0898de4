"""Faults of the storage of files, while rooms are written to and files go up: text is not concerned (the load and its
checker see to that), and a file is in a message only when the storage has it whole.

Everybody reaches the storage through a proxy (links.py). Uploaders do what a client does: a ticket, the bytes, the
message; after a 403 of the storage one new ticket, then they say so. What they were told is held against what
members read when everything is mended.
"""

import contextlib
import os
import re
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path

import httpx
from machine_faults import faketime_library, limit_files, limit_of, no_faketime
from parley_client import Api, new_nonce
from registry import fault, killed_for, needs_root
from tokens import claims_of, decode, sign

from tools import versitygw

SIZE = 100_000
LARGE = 17 << 20  # comes in parts
# What a call may say while the storage is in trouble.
NOT_NOW = {"media_unavailable", "media_not_uploaded", "media_storage_full", "unavailable", "overloaded"}
INTERNAL_ERROR = b"<?xml version='1.0'?><Error><Code>InternalError</Code></Error>"
ANSWER_500 = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: " + str(len(INTERNAL_ERROR)).encode() + b"\r\n\r\n" + INTERNAL_ERROR
)


def no_storage():
    return versitygw.why_not()


def needs_root_and_storage():
    return needs_root() or no_storage()


def needs_faketime_and_storage():
    return no_faketime() or no_storage()


class Uploads:
    """Three people who upload one file after the other, and a fourth who reads them.

    with Uploads(cluster) as uploads:
        ...                     # the fault
    uploads.check()             # after it was mended
    """

    def __init__(self, cluster, *, size=SIZE):
        self.cluster, self.size = cluster, size
        self.stopping = threading.Event()
        self.sent, self.refused, self.unexpected = [], [], []
        self.api = Api(cluster)
        self.reader = self.api.new_user()
        self.people = [self.api.new_user() for _ in range(3)]
        self.room = self.people[0].room(*self.people[1:], self.reader)
        for person in self.people:  # who signed in a while ago, also by a clock that is behind
            person.token = aged(person.token, cluster.secret())

    def __enter__(self):
        self.threads = [threading.Thread(target=self.run, args=(p,), daemon=True) for p in self.people]
        for thread in self.threads:
            thread.start()
        self.wait_for(lambda: len(self.sent) >= 3, "the first files did not go up")
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def wait_for(self, condition, what, seconds=40):
        end = time.monotonic() + seconds
        while not condition():
            if self.unexpected:
                raise AssertionError(f"an uploader was told {self.unexpected[0]}")
            if time.monotonic() > end:
                raise AssertionError(f"{what}: {self.refused[-1:]}")
            time.sleep(0.1)

    # --- an uploader
    def run(self, person):
        headers = {"Authorization": f"Bearer {person.token}"}
        while not self.stopping.is_set():
            with httpx.Client(base_url=self.cluster.url, headers=headers, timeout=20, trust_env=False) as http:
                try:
                    self.upload(http)
                except httpx.HTTPError as problem:  # no answer of a node: tried again, as a client does
                    self.refused.append((type(problem).__name__, None))
            time.sleep(0.05)

    def upload(self, http):
        data = os.urandom(self.size // 2).hex().encode()
        for attempt in (1, 2):
            made = self.call(http, f"/v1/rooms/{self.room}/media",
                             {"filename": "a.txt", "content_type": "text/plain", "size": len(data)})
            if made is None:
                return
            status = put(made["upload"], data)
            if status != 403:
                break
            self.refused.append(("403", attempt))
        # Whatever was said of the bytes: the node asks the storage.
        body = {"nonce": new_nonce(), "type": "MEDIA", "content": "", "media_id": made["media_id"]}
        if self.call(http, f"/v1/rooms/{self.room}/messages", body, stored=status in (200, None)):
            self.sent.append((made["media_id"], data))

    def call(self, http, path, body, stored=True):
        answer = http.post(path, json=body)
        if answer.status_code in (200, 201):
            if not stored:
                self.unexpected.append("that a file is there that the storage has refused")
            return answer.json()
        code = answer.json().get("code")
        self.refused.append((code, answer.status_code))
        if code not in NOT_NOW:
            self.unexpected.append(f"{answer.status_code} {answer.text[:200]}")
        return None

    # --- what came of it
    def await_trouble(self, seconds=30):
        """Somebody has noticed."""
        before = len(self.refused)
        self.wait_for(lambda: len(self.refused) > before, "no upload was refused", seconds)

    def await_success(self, seconds=60):
        before = len(self.sent)
        self.wait_for(lambda: len(self.sent) > before + 2, "no file goes up any more", seconds)

    def check(self):
        """What was acknowledged is there, whole, for another member."""
        refused = Counter(str(what) for what, _ in self.refused)
        print(f"    {len(self.sent)} files went up; refused: {dict(refused)}", flush=True)
        if self.unexpected:
            raise AssertionError(f"an uploader was told {self.unexpected[0]}")
        carried = [m["media_id"] for m in self.reader.whole_history(self.room) if m["type"] == "MEDIA"]
        if len(carried) != len(set(carried)) or not {media for media, _ in self.sent} <= set(carried):
            raise AssertionError("a message with a file is lost or doubled")
        for media, data in self.sent[-40:]:
            if self.read(media) != data:
                raise AssertionError(f"the file {media} is not what was uploaded")
        # A message whose answer was lost is there: its file is whole, too.
        for media in set(carried) - {media for media, _ in self.sent}:
            if len(self.read(media)) != self.size // 2 * 2:
                raise AssertionError(f"a message carries {media}, which is not whole")
        self.api.close()

    def read(self, media):
        headers = {"Authorization": f"Bearer {self.reader.token}"}
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(httpx.HTTPError):
                where = self.api.http.get(f"/v1/media/{media}", headers=headers)
                if where.status_code == 302:
                    got = httpx.get(where.headers["location"], trust_env=False, timeout=20)
                    if got.status_code == 200:
                        return got.content
            if time.monotonic() > end:
                raise AssertionError(f"{media} cannot be read")
            time.sleep(0.2)


def aged(token, secret, seconds=700):
    header, claims = decode(token.split(".")[0]).decode(), claims_of(token)
    return sign(header, {**claims, "iat": claims["iat"] - seconds}, secret)


def put(upload, data):
    """The storage's answer; None: there was none, and nobody knows what has come."""
    try:
        answer = httpx.put(upload["url"], content=data, headers=upload["headers"], trust_env=False, timeout=20)
    except (httpx.ConnectError, httpx.ConnectTimeout):
        return 0
    except httpx.HTTPError:
        return None
    return answer.status_code if answer.status_code < 500 else None


@fault("S3 kill -9, back after 3 s", short=True, missing=no_storage)
def storage_killed(cluster, dice):
    with Uploads(cluster) as uploads:
        killed_for(cluster, "s3", 3)
        uploads.await_success()
    uploads.check()


@fault("S3 at 160 kbit/s", missing=no_storage)
def storage_slow(cluster, dice):
    with Uploads(cluster) as uploads:
        link = cluster.link("all", "s3")
        link.bandwidth(20_000)
        time.sleep(10)
        link.heal()
        uploads.await_success()
    uploads.check()


@fault("S3 stands still for 8 s", missing=no_storage)
def storage_silent(cluster, dice):
    with Uploads(cluster) as uploads:
        link = cluster.link("all", "s3")
        link.blackhole()
        time.sleep(8)
        link.heal()
        uploads.await_success()
    uploads.check()


@fault("S3 answers 500", missing=no_storage)
def storage_fails(cluster, dice):
    with Uploads(cluster) as uploads:
        link = cluster.link("all", "s3")
        link.answer(ANSWER_500)
        uploads.await_trouble()
        time.sleep(6)
        link.heal()
        uploads.await_success()
    uploads.check()


@fault("S3 disk takes nothing more", missing=needs_root_and_storage)
def storage_full(cluster, dice):
    part = cluster.part("s3")
    with Uploads(cluster) as uploads:
        limit_files(part, 8192)
        assert limit_of(part) == "8192"
        uploads.await_trouble()
        time.sleep(5)
        if part.alive():
            limit_files(part, "unlimited")
        else:
            cluster.start("s3")
        uploads.await_success()
    uploads.check()


@fault("media clock steps back 10 min", missing=needs_faketime_and_storage)
def clock_of_media(cluster, dice):
    """Signatures that ended before they were made: 403, a new ticket, perhaps 403 again; until a second later the node
    has heard the storage's own clock, and goes by that."""
    file = cluster.folder / "faketime-media"
    file.write_text("+0")
    names = [part.name for part in cluster.local.find("media")]
    for name in names:
        cluster.set_own("environments", name, {
            "LD_PRELOAD": faketime_library(),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        })
    cluster.local.restart("media")
    for name in names:
        maps = Path(f"/proc/{cluster.part(name).record['pid']}/maps").read_text()
        assert "libfaketime" in maps, f"{name} runs on the machine's own time"
    with Uploads(cluster) as uploads:
        file.write_text("-600")
        uploads.wait_for(lambda: all(600_000 - abs(skew) < 5_000 for skew in skews(cluster, names)),
                         "the nodes have not noticed how late they are")
        uploads.await_success()
        file.write_text("+0")
        uploads.await_success()
        for name in names:
            cluster.set_own("environments", name, None)
        cluster.local.restart("media")
        uploads.await_success()
    uploads.check()


def skews(cluster, names):
    """What the nodes say that the storage is ahead of them, in milliseconds."""
    for name in names:
        with urllib.request.urlopen(f"{cluster.node(name).url}/metrics", timeout=5) as answer:
            found = re.search(r"^parley_media_storage_skew_ms (\S+)$", answer.read().decode(), re.M)
        yield float(found[1])


@fault("media nodes kill -9 in mid-upload", missing=no_storage)
def media_killed(cluster, dice):
    with Uploads(cluster) as uploads:
        person = uploads.people[0]
        data = b"x" * LARGE
        body = {"filename": "b.txt", "content_type": "text/plain", "size": LARGE}
        made = person.post(f"/v1/rooms/{uploads.room}/media", body).json()
        for part in made["upload"]["parts"]:
            begin = (part["number"] - 1) * made["upload"]["part_size"]
            if put(part, data[begin : begin + made["upload"]["part_size"]]) != 200:
                raise AssertionError(f"part {part['number']} did not go up")
            cluster.kill("media")
        complete = made["upload"]["complete"]["url"]
        message = {"nonce": new_nonce(), "type": "MEDIA", "content": "", "media_id": made["media_id"]}
        for path, content in ((complete, {}), (f"/v1/rooms/{uploads.room}/messages", message)):
            again(uploads, lambda: person.post(path, content, may_fail=True))
        time.sleep(2)
        cluster.start("media")
        uploads.await_success()
    if uploads.read(made["media_id"]) != data:
        raise AssertionError("the file that was on its way is not whole")
    uploads.sent.append((made["media_id"], data))
    uploads.check()


def again(uploads, call, seconds=20):
    """Until a node takes it: user nodes do, once Nginx has noticed that those for files are gone."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx.HTTPError, ValueError):
            answer = call()
            if answer.status_code < 300:
                return
        if time.monotonic() > end:
            raise AssertionError(f"no node took it: {answer.status_code} {answer.text[:200]}")
        time.sleep(0.3)
