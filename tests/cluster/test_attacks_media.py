"""Attacks on the files of a cluster, against a real S3 server and the edge: what a signature lets through, whose
files somebody gets, what can be filled up, what is run or fetched. What is alike on the embedded store is in
tests/e2e/test_media.py and test_pictures.py, which run on both.
"""

import hashlib
import http.client
import re
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "cluster")]

from files_cluster import cluster_with_files  # noqa: E402
from parley_client import refused, unique  # noqa: E402
from test_cdn import get, url_of, wait_for  # noqa: E402
from test_media import PNG, fetched, location, put, ticket, uploaded  # noqa: E402
from test_media_worker import png  # noqa: E402
from test_pictures import BOMBS, described  # noqa: E402

TEXT = "text/plain"
STRICT = {
    "PARLEY_MEDIA_TICKET_SECONDS": "2",
    "PARLEY_MEDIA_UNUSED_SECONDS": "10",
    "PARLEY_MEDIA_USER_MB_PER_DAY": "50",
}
LARGE = 17 << 20  # in parts


@pytest.fixture(scope="module")
def cluster():
    with cluster_with_files({"shard": 1, "chat": 1, "user": 1, "ingest": 1, "heartbeat": 1, "media": 1}) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def strict(cluster):
    """The media node with a short life of tickets and of what nobody takes, and a small quota."""
    cluster.set_own("environments", "media.1", STRICT)
    cluster.local.restart("media.1")
    return cluster


def objects(cluster):
    """Files of the S3 server, and parts of unfinished ones."""
    return [file for file in (cluster.part("s3").folder / "data").rglob("*") if file.is_file()]


def holds(cluster, mark):
    def has(file):
        try:
            return mark in file.read_bytes()
        except FileNotFoundError:
            return False

    return any(has(file) for file in objects(cluster))


def put_to(path, upload, data):
    """The same signature for another path, sent as it stands (httpx would take a ../ out)."""
    parts = urlsplit(upload["url"])
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.request("PUT", f"{path}?{parts.query}", data, upload["headers"])
        return connection.getresponse().status
    finally:
        connection.close()


def never_there(user, room, made):
    answer = user.post_message(room, "", type="MEDIA", media_id=made["media_id"])
    refused(answer, 409, "media_not_uploaded")


# --- 39: what a ticket is good for


def test_a_ticket_is_for_one_size_one_type_and_one_checksum(people):
    ann, _, _, room = people
    made = ticket(ann, room, sha256=hashlib.sha256(PNG).hexdigest())
    upload = made["upload"]
    assert put(upload, PNG + b"x").status_code == 403, "a byte over"
    assert put(upload, PNG[:-1]).status_code == 403, "a byte less"
    assert put(upload, PNG, **{"Content-Type": "text/html"}).status_code == 403
    assert put(upload, PNG[:-1] + b"x").status_code == 400, "another content"
    assert put(upload, PNG, **{"x-amz-checksum-sha256": "A" * 43 + "="}).status_code == 403
    bare = {name: value for name, value in upload["headers"].items() if name != "if-none-match"}
    assert put({**upload, "headers": bare}, PNG).status_code == 403, "without the condition"
    never_there(ann, room, made)
    assert put(upload, PNG).status_code == 200
    ann.say(room, "", type="MEDIA", media_id=made["media_id"])


def test_a_ticket_is_for_one_key_and_one_method(cluster, people):
    ann, _, _, room = people
    made, other = ticket(ann, room), ticket(ann, room)
    upload = made["upload"]
    foreign = urlsplit(other["upload"]["url"]).path
    bucket = foreign.split("/")[1]
    ways = [lambda path: foreign, lambda path: path + "x", lambda path: f"/{bucket}/00/{'0' * 30}"]
    ways += [lambda path: path.replace(f"/{bucket}/", f"/{bucket}/../{bucket}/")]
    ways += [lambda path: path.replace(f"/{bucket}/", f"/{bucket}/%2e%2e/{bucket}/")]
    ways += [lambda path: f"/{bucket}/../../escaped", lambda path: f"/{bucket}/%2e%2e%2fescaped"]
    for change in ways:
        wrong = change(urlsplit(upload["url"]).path)
        assert put_to(wrong, upload, PNG) in (400, 403, 404), wrong
    assert not [file for file in cluster.folder.rglob("escaped")]
    for method in ("GET", "DELETE", "POST", "HEAD"):
        answer = httpx.request(method, upload["url"], headers=upload["headers"], trust_env=False)
        assert answer.status_code in (400, 403, 405), method
    for each in (made, other):
        never_there(ann, room, each)


def test_a_ticket_is_for_once(people):
    ann, bob, _, room = people
    made = ticket(ann, room)
    changed = PNG[:-1] + b"x"
    assert put(made["upload"], PNG).status_code == 200
    assert put(made["upload"], changed).status_code == 412
    ann.say(room, "", type="MEDIA", media_id=made["media_id"])
    assert put(made["upload"], changed).status_code == 412
    assert fetched(bob, made["media_id"]).content == PNG


def test_nothing_is_ever_public(people):
    ann, _, _, room = people
    made = ticket(ann, room)
    answer = put(made["upload"], PNG, **{"x-amz-acl": "public-read"})
    if answer.status_code != 200:  # as AWS, which wants each such header signed
        assert put(made["upload"], PNG).status_code == 200
    plain = made["upload"]["url"].split("?")[0]
    assert get(plain).status_code == 403
    assert get(plain.rpartition("/")[0].rpartition("/")[0] + "/").status_code == 403, "no list of the bucket"
    for query in ("acl", "policy"):
        assert httpx.put(f"{plain}?{query}", content=b"", trust_env=False).status_code == 403
    ann.say(room, "", type="MEDIA", media_id=made["media_id"])


def test_a_classic_ticket_is_bound_by_what_is_looked_at(people):
    """Its client says nothing of what it sends: what is too long, or nothing known, is never shown."""
    ann, bob, _, room = people

    def place():
        answer = ann.api.http.get("/img/url", params={"roomid": room}, headers={"token": ann.token})
        return answer.json()["response"]

    def sent(made, data):
        return httpx.put(made["presignedURL"], content=data, trust_env=False, timeout=30).status_code

    good = place()
    assert sent(good, PNG) == 200
    ann.say(room, "", type="MEDIA", media_id=good["key"])
    assert sent(good, b"<html>") == 404, "what was looked at stays what it is"
    assert fetched(bob, good["key"]).content == PNG
    long, unknown = place(), place()
    assert sent(long, PNG + bytes(16 << 20)) == 200 and sent(unknown, b"\x7fELF" + bytes(100)) == 200
    for made in (long, unknown):
        refused(ann.post_message(room, "", type="MEDIA", media_id=made["key"]), 409, "media_mismatch")
        refused(location(ann, made["key"]), 404, "unknown_media")


# --- 40: files of other rooms


def test_a_file_is_for_the_members_of_its_room(people):
    ann, bob, eve, room = people
    private = bob.room()
    media = uploaded(bob, private, b"for bob alone", type=TEXT, name="a.txt")
    bob.say(private, "", type="MEDIA", media_id=media)
    for user in (ann, eve):
        refused(location(user, media), 404, "unknown_media")
        refused(location(user, media, size="small"), 404, "unknown_media")
        refused(user.patch("/v1/me", {"avatar_media_id": media}), 404, "unknown_media")
    refused(ann.post_message(room, "", type="MEDIA", media_id=media), 404, "unknown_media")
    refused(ann.post(f"/v1/media/{media}/complete"), 404, "unknown_media")
    refused(eve.post(f"/v1/rooms/{room}/media", {"filename": "a", "content_type": TEXT, "size": 1}), 403)
    # ann's own token at the edge, and bob's key.
    mine = uploaded(ann, room, b"ann's", type=TEXT, name="a.txt")
    ann.say(room, "", type="MEDIA", media_id=mine)
    url, foreign = url_of(ann, mine), url_of(bob, media)
    path = re.compile(r"(/m/[^/]+/\d+)(/[^?]+)")
    mixed = url.replace(path.search(url)[2], path.search(foreign)[2])
    assert mixed != url and get(mixed).status_code == 403
    # Nor does a signature for reading let the storage itself be asked for another one.
    assert get(url).content == b"ann's"


def test_who_left_gets_no_new_url(people):
    ann, _, eve, room = people
    eve.join(room)
    media = uploaded(ann, room, b"for members", type=TEXT, name="a.txt")
    ann.say(room, "", type="MEDIA", media_id=media)
    assert fetched(eve, media).content == b"for members"
    eve.post(f"/v1/rooms/{room}/leave")
    refused(location(eve, media), 404, "unknown_media")


# --- 38, 42, 43: what is run, decoded or fetched


def test_what_may_run_is_a_download_and_bombs_are_one_job(cluster, people):
    ann, bob, _, room = people
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    html = b"<!DOCTYPE html><script>alert(1)</script>"
    liar = uploaded(ann, room, html + b" " * 400, type="image/png")
    refused(ann.post_message(room, "", type="MEDIA", media_id=liar), 409, "media_mismatch")
    script = {"filename": "a.js", "content_type": "text/javascript", "size": 9}
    refused(ann.post(f"/v1/rooms/{room}/media", script), 415)
    for body, type in ((svg, "image/svg+xml"), (html, "text/html")):
        media = uploaded(ann, room, body, type=type)
        ann.say(room, "", type="MEDIA", media_id=media)
        got = fetched(bob, media)
        assert got.headers["content-disposition"].startswith("attachment;")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in got.headers["content-security-policy"]
        # The type and the name are under the signature: the edge hands on what was signed, or nothing.
        active = url_of(bob, media).replace("attachment", "inline")
        assert get(active).headers["content-disposition"].startswith("attachment;")
    sent = [uploaded(ann, room, data, type=type) for data, type in BOMBS.values()]
    for media in sent:
        ann.say(room, "", type="MEDIA", media_id=media)
    good = ann.say(room, "", type="MEDIA", media_id=uploaded(ann, room, png(60, 30)))
    described(ann, room, good, seconds=90)
    assert not cluster.dead()


def test_an_id_is_a_number_and_names_no_place(cluster, people):
    ann, _, _, room = people

    def calls():
        return sum(float(n) for n in re.findall(r"^parley_media_storage_calls_total (\S+)", cluster.metrics(), re.M))

    before = calls()
    for address in ("http://169.254.169.254/", "file:///etc/passwd", "../secret", "-1", "1e3", "9" * 30):
        refused(ann.post_message(room, "", type="MEDIA", media_id=address), 422, "invalid_field")
        refused(ann.patch("/v1/me", {"avatar_media_id": address}), 422, "invalid_field")
        assert ann.get(f"/v1/media/{quote(address, safe='')}").status_code in (400, 404, 422)
        ann.socket().refused("send", "invalid_field", room_id=room, nonce=unique(), type="MEDIA", content="",
                             media_id=address)
    assert calls() == before


# --- last, with a node that has short lives and a small quota: 39 (expiry) and 41


def test_a_ticket_ends_and_the_storage_knows(strict, api):
    ann = api.new_user()
    room = ann.room()
    made = ticket(ann, room)
    url, headers = made["upload"]["url"], made["upload"]["headers"]
    assert "X-Amz-Expires=2&" in url
    # A request that is signed for now may be late by a moment; after the end it is refused, whatever it sends.
    wait_for(lambda: httpx.put(url, content=b"", headers=headers, trust_env=False).text.count("expired"))
    assert put(made["upload"], PNG).status_code == 403
    longer = url.replace("X-Amz-Expires=2&", "X-Amz-Expires=3600&")
    assert put({**made["upload"], "url": longer}, PNG).status_code == 403
    never_there(ann, room, made)


def test_what_nobody_takes_is_gone_when_its_time_has_come(strict, api):
    ann = api.new_user()
    room = ann.room()
    orphan, mark = unique("orphan").encode() * 20, unique("unfinished").encode()
    media = uploaded(ann, room, orphan, type=TEXT, name="a.txt")
    made = ticket(ann, room, bytes(LARGE), type=TEXT, name="b.txt")
    part = made["upload"]["parts"][0]
    assert put(part, mark.ljust(made["upload"]["part_size"])).status_code == 200
    kept = uploaded(ann, room, b"kept" * 20, type=TEXT, name="c.txt")
    message = ann.say(room, "", type="MEDIA", media_id=kept)
    assert holds(strict, orphan) and holds(strict, mark)
    wait_for(lambda: not holds(strict, orphan) and not holds(strict, mark), 60)
    refused(ann.post_message(room, "", type="MEDIA", media_id=media), 404, "unknown_media")
    refused(ann.post(f"/v1/media/{made['media_id']}/complete"), 404, "unknown_media")
    assert put(part, mark.ljust(made["upload"]["part_size"])).status_code == 404
    assert fetched(ann, message["media_id"]).content == b"kept" * 20


def test_a_thousand_tickets_are_a_quota(strict, api):
    """Tickets count by what they say, used or not: the day's is empty long before the disk has a byte."""
    user = api.new_user()
    room = user.room()
    before = len(objects(strict))
    body = {"filename": "a", "content_type": TEXT, "size": 1_000_000}
    given, answer = 0, None
    while given < 1_000:
        answer = user.post(f"/v1/rooms/{room}/media", body)
        if answer.status_code != 201:
            break
        given += 1
    refused(answer, 429, "media_quota")
    assert given == 50 and int(answer.headers["retry-after"]) > 0
    assert len(objects(strict)) <= before
    # Somebody else's day is another one.
    other = api.new_user()
    assert other.post(f"/v1/rooms/{other.room()}/media", body).status_code == 201
