"""Files in a cluster: a real S3 server, the Nginx edge in front of it, and the media role."""

import re
import sys
import time
from pathlib import Path

import httpx
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "cluster")]

from files_cluster import cluster_with_files  # noqa: E402
from parley_client import refused  # noqa: E402
from test_media import PNG, fetched, location, put, ticket, uploaded  # noqa: E402
from test_media_worker import png, webp_size  # noqa: E402
from test_pictures import variant  # noqa: E402

TEXT = "text/plain"


@pytest.fixture(scope="module")
def cluster():
    with cluster_with_files({"chat": 1, "user": 1, "ingest": 1, "heartbeat": 1, "media": 2}) as cluster:
        yield cluster


def posted_text(user, room, data, name="a.txt"):
    media = uploaded(user, room, data, type=TEXT, name=name)
    return media, user.say(room, "", type="MEDIA", media_id=media)


def url_of(user, media):
    answer = location(user, media)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def get(url, **headers):
    return httpx.get(url, headers=headers, trust_env=False, timeout=30)


def wait_for(condition, seconds=40):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.2)


def test_the_second_read_comes_out_of_the_cache(cluster, people):
    ann, bob, eve, room = people
    data = b"letters " * 1000
    media, _ = posted_text(ann, room, data)
    url = url_of(bob, media)
    assert url.startswith(cluster.part("cdn").url + "/m/")
    first, second = get(url), get(url)
    assert first.content == second.content == data
    assert (first.headers["x-cache-status"], second.headers["x-cache-status"]) == ("MISS", "HIT")
    assert url_of(ann, media).split("?")[0] == url.split("?")[0], "all members share one URL"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in first.headers["content-security-policy"]
    part = get(url, Range="bytes=8-15")
    assert part.status_code == 206 and part.content == b"letters "
    assert part.headers["x-cache-status"] == "HIT"
    refused(location(eve, media), 404, "unknown_media")


def test_forged_and_expired_tokens_are_refused(people):
    ann, bob, _, room = people
    media, _ = posted_text(ann, room, b"secret")
    url = url_of(bob, media)
    token = re.search(r"/m/([^/]+)/(\d+)/", url)
    forged = ("A" if token[1][0] != "A" else "B") + token[1][1:]
    assert get(url.replace(token[1], forged)).status_code == 403
    later = str(int(token[2]) + 3600)
    assert get(url.replace(f"/{token[2]}/", f"/{later}/")).status_code == 403
    other, _ = posted_text(ann, room, b"another")
    path = re.search(r"/m/[^/]+/\d+(/[^?]+)", url)[1]
    foreign = re.search(r"/m/[^/]+/\d+(/[^?]+)", url_of(bob, other))[1]
    assert get(url.replace(path, foreign)).status_code == 403, "a token of one file is none of another"
    assert get(url).content == b"secret"


def test_what_is_deleted_is_gone_from_storage_and_cache(people):
    ann, bob, _, room = people
    media, message = posted_text(ann, room, b"to be forgotten")
    url = url_of(bob, media)
    assert get(url).status_code == get(url).status_code == 200
    assert ann.delete(f"/v1/rooms/{room}/messages/{message['id']}").status_code == 204
    wait_for(lambda: get(url).status_code != 200)
    assert get(url).status_code == 404
    refused(location(bob, media), 404, "unknown_media")


def test_thumbnails_come_as_an_event_and_through_the_edge(people):
    ann, bob, _, room = people
    listener = bob.socket(room)
    media = uploaded(ann, room, png(1600, 400))
    message = ann.say(room, "look", type="MEDIA", media_id=media)
    listener.expect("message", id=message["id"])
    facts = listener.expect("edited", timeout=60)["message"]["media"]
    assert (facts["width"], facts["height"]) == (1600, 400) and len(facts["thumbnails"]) == 2
    assert webp_size(variant(bob, media, "small").content) == (320, 80)
    assert fetched(bob, media).status_code == 200


# --- what a signature of an upload binds (39), other rooms (40), a disk that somebody wants full (41)


def test_only_the_announced_bytes_are_taken(people):
    ann, bob, _, room = people
    made = ticket(ann, room)
    upload = made["upload"]
    assert put(upload, PNG + b"x").status_code in (400, 403), "a byte more"
    assert put(upload, PNG, **{"Content-Type": "text/html"}).status_code in (400, 403)
    elsewhere = {**upload, "url": re.sub(r"/([0-9a-z]{8})", r"/00000000", upload["url"].split("?")[0], count=1)
                 + "?" + upload["url"].split("?")[1]}
    assert put(elsewhere, PNG).status_code in (400, 403, 404)
    answer = ann.post_message(room, "", type="MEDIA", media_id=made["media_id"])
    refused(answer, 409, "media_not_uploaded")
    assert put(upload, PNG).status_code == 200
    refused(bob.post_message(room, "", type="MEDIA", media_id=made["media_id"]), 404, "unknown_media")
    ann.say(room, "", type="MEDIA", media_id=made["media_id"])


def test_bytes_that_are_not_what_they_are_called_are_refused(people):
    ann, _, _, room = people
    html = b"<html><script>alert(1)</script></html>" + b" " * 400
    media = uploaded(ann, room, html, type="image/png")
    refused(ann.post_message(room, "", type="MEDIA", media_id=media), 409, "media_mismatch")


# --- last, for it takes the storage away


def test_without_storage_what_is_cached_is_served_and_chat_goes_on(cluster, people):
    ann, bob, _, room = people
    media, _ = posted_text(ann, room, b"kept at the edge")
    url = url_of(bob, media)
    assert get(url).content == b"kept at the edge"
    late = ticket(ann, room)
    assert put(late["upload"], PNG).status_code == 200
    cluster.kill("s3")
    try:
        assert get(url).content == b"kept at the edge"
        assert get(url_of(bob, media)).content == b"kept at the edge"
        listener = bob.socket(room)
        said = ann.say(room, "text goes on")
        listener.expect("message", id=said["id"])
        body = {"nonce": "late", "type": "MEDIA", "content": "", "media_id": late["media_id"]}
        answer = ann.post(f"/v1/rooms/{room}/messages", body, may_fail=True)
        refused(answer, 503, "media_unavailable")
    finally:
        cluster.start("s3")
    wait_for(lambda: ann.post_message(room, "", type="MEDIA", media_id=late["media_id"]).status_code == 201)
