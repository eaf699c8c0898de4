"""Files, from the ticket to the download, by a client that knows nothing but the API."""

import hashlib
import os
import re
import time

import httpx
import pytest

from parley_client import refused, unique
from parley_server import TARGET
from test_admin import give_role

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489") + b"\0" * 400
TEXT = "text/plain"

# Uploads and downloads are answered by this server itself, or by an S3 server and the edge in front of it, which
# have statuses and texts of their own.
OWN_STORE = TARGET == "embedded"
own_store_only = pytest.mark.embedded_only("the embedded store answers its own URLs")


def ticket(user, room, data=PNG, type="image/png", name="photo.png", **more):
    body = {"filename": name, "content_type": type, "size": len(data), **more}
    answer = user.post(f"/v1/rooms/{room}/media", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def put(upload, data, **headers):
    all_headers = {**upload["headers"], **headers}
    return httpx.put(upload["url"], content=data, headers=all_headers, trust_env=False, timeout=20)


def not_taken(answer, status, code):
    """By a storage: the embedded one says why, with this status and code."""
    if OWN_STORE:
        refused(answer, status, code)
    else:
        assert answer.status_code in (400, 403, 404, 409, 411, 412, 413), answer.text


def uploaded(user, room, data=PNG, **fields):
    made = ticket(user, room, data, **fields)
    answer = put(made["upload"], data)
    assert answer.status_code == 200, answer.text
    return made["media_id"]


def location(user, media, **params):
    return user.api.http.get(
        f"/v1/media/{media}", params=params, headers={"Authorization": f"Bearer {user.token}"}
    )


def fetched(user, media, headers=None, method="GET"):
    answer = location(user, media)
    assert answer.status_code == 302, answer.text
    return httpx.request(method, answer.headers["location"], headers=headers, trust_env=False, timeout=30)


def stored_files(server):
    """Of the storage, which is a folder of this server, or of the S3 server of the cluster."""
    root = server.data / "media" if OWN_STORE else server.part("s3").folder / "data"
    return [file for file in root.rglob("*") if file.is_file()]


def test_the_whole_way(ann, bob, new_user):
    room = ann.room(bob)
    listener = bob.socket(room)
    made = ticket(ann, room, sha256=hashlib.sha256(PNG).hexdigest())
    assert made["upload"]["method"] == "PUT" and made["url"].endswith(f"/v1/media/{made['media_id']}")
    assert put(made["upload"], PNG).status_code == 200
    media = made["media_id"]
    message = ann.say(room, "", type="MEDIA", media_id=media)
    facts = {"filename": "photo.png", "content_type": "image/png", "size": len(PNG)}
    assert message["media_id"] == media and message["media"] == facts
    assert listener.expect("message")["message"]["media"] == facts
    assert bob.history(room)[0]["media"] == facts
    got = fetched(bob, media)
    assert got.content == PNG and got.headers["content-type"] == "image/png"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"].startswith("inline;")
    assert "sandbox" in got.headers["content-security-policy"]
    # Nobody else, however they ask.
    refused(location(new_user(), media), 404, "unknown_media")
    assert ann.api.http.get(f"/v1/media/{media}").status_code == 401
    refused(location(ann, int(media) + 1), 404, "unknown_media")
    bob.post(f"/v1/rooms/{room}/leave")
    refused(location(bob, media), 404, "unknown_media")


def test_sockets_carry_media_and_say_what_is_wrong(ann, bob):
    room = ann.room(bob)
    media = uploaded(ann, room)
    socket = ann.socket(room)
    sent = socket.say(room, "look", type="MEDIA", media_id=media)
    assert sent["message"]["media"]["filename"] == "photo.png"
    # The same again, with its nonce, is the same message.
    again = socket.say(room, "look", nonce=sent["nonce"], type="MEDIA", media_id=media)
    assert again["message"]["id"] == sent["message"]["id"]
    fields = {"room_id": room, "nonce": unique(), "type": "MEDIA", "content": ""}
    socket.refused("send", "unknown_media", media_id="1", **fields)
    unfinished = ticket(ann, room)["media_id"]
    socket.refused("send", "media_not_uploaded", media_id=unfinished, **fields)
    socket.refused("send", "invalid_field", **fields)


def test_what_is_refused_before_a_byte_is_sent(ann, bob, new_user):
    room = ann.room()
    good = {"filename": "a.png", "content_type": "image/png", "size": 10}

    def ask(**change):
        return ann.post(f"/v1/rooms/{room}/media", {**good, **change})

    refused(ask(content_type="application/x-msdownload"), 415, "media_type_not_allowed")
    refused(ask(size=10**13), 413, "media_too_large")
    for bad in ({"size": 0}, {"size": -1}, {"size": "10"}, {"filename": ""}, {"filename": "a\n"}, {"sha256": "00"}):
        refused(ask(**bad), 422, "invalid_field")
    refused(ask(filename="x" * 256), 422, "too_long")
    refused(bob.post(f"/v1/rooms/{room}/media", good), 403, "not_a_member")
    private = ann.room(visibility="private")
    refused(bob.post(f"/v1/rooms/{private}/media", good), 404, "unknown_room")


def test_only_the_announced_bytes_are_taken(ann):
    room = ann.room()
    longer, shorter, other = ticket(ann, room), ticket(ann, room), ticket(ann, room)
    not_taken(put(longer["upload"], PNG + b"x"), 413, "media_too_large")
    not_taken(put(shorter["upload"], PNG[:-1]), 422, "invalid_field")
    not_taken(put(other["upload"], PNG, **{"Content-Type": "text/html"}), 403, "forbidden")
    summed = ticket(ann, room, sha256=hashlib.sha256(PNG).hexdigest())
    not_taken(put(summed["upload"], PNG[:-1] + b"x"), 409, "media_mismatch")
    for made in (longer, shorter, other, summed):
        answer = ann.post_message(room, "", type="MEDIA", media_id=made["media_id"])
        refused(answer, 409, "media_not_uploaded")
    # One use, and no other token.
    once = ticket(ann, room)
    assert put(once["upload"], PNG).status_code == 200
    changed = PNG[:-1] + b"x"
    not_taken(put(once["upload"], changed), 409, "media_mismatch")
    ann.say(room, "", type="MEDIA", media_id=once["media_id"])
    not_taken(put(once["upload"], changed), 409, "media_mismatch")
    assert fetched(ann, once["media_id"]).content == PNG
    forged = {**once["upload"], "url": once["upload"]["url"][:-3] + "AAA"}
    not_taken(put(forged, PNG), 403, "forbidden")
    # A picture that is none.
    html = b"<html><script>alert(1)</script></html>" * 10
    liar = uploaded(ann, room, html)
    refused(ann.post_message(room, "", type="MEDIA", media_id=liar), 409, "media_mismatch")
    refused(location(ann, liar), 404, "unknown_media")


def test_another_room_needs_a_member_of_both(ann, bob, new_user):
    first, second = ann.room(), ann.room(bob)
    media = uploaded(ann, first)
    ann.say(first, "", type="MEDIA", media_id=media)
    refused(bob.post_message(second, "", type="MEDIA", media_id=media), 404, "unknown_media")
    ann.say(second, "", type="MEDIA", media_id=media)
    assert fetched(bob, media).content == PNG
    third = bob.room()
    bob.say(third, "", type="MEDIA", media_id=media)  # who may read it may pass it on


def test_active_types_are_only_ever_attachments(ann):
    room = ann.room()
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    media = uploaded(ann, room, svg, type="image/svg+xml", name="../../Grüße \"x\".svg")
    message = ann.say(room, "", type="MEDIA", media_id=media)
    assert message["media"]["filename"] == 'Grüße "x".svg'
    got = fetched(ann, media)
    assert got.headers["content-disposition"].startswith("attachment;")
    assert "filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22.svg" in got.headers["content-disposition"]


def test_ranges_and_conditions(ann):
    room = ann.room()
    data = os.urandom(300_000).hex().encode()
    media = uploaded(ann, room, data, type=TEXT, name="a.txt")
    whole = fetched(ann, media)
    tag = whole.headers["etag"]
    assert whole.content == data and whole.headers["accept-ranges"] == "bytes"
    part = fetched(ann, media, {"Range": "bytes=100-199"})
    assert part.status_code == 206 and part.content == data[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(data)}"
    assert fetched(ann, media, {"Range": "bytes=-7"}).content == data[-7:]
    assert fetched(ann, media, {"Range": f"bytes={len(data) - 3}-"}).content == data[-3:]
    beyond = fetched(ann, media, {"Range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416 and beyond.headers["content-range"] == f"bytes */{len(data)}"
    for odd in ("bytes=1-2,4-5", "bytes=9-1", "lines=1-2", "bytes=x-"):
        answer = fetched(ann, media, {"Range": odd})
        assert answer.status_code == 200 or not OWN_STORE and answer.status_code in (206, 416), odd
    assert fetched(ann, media, {"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200
    assert fetched(ann, media, {"If-None-Match": f'W/"x", {tag}'}).status_code == 304
    head = fetched(ann, media, method="HEAD")
    assert head.headers["content-length"] == str(len(data)) and head.content == b""


@own_store_only
def test_an_upload_goes_on_where_it_stopped(ann):
    room = ann.room()
    data = b"0123456789" * 50_000
    made = ticket(ann, room, data, type=TEXT, name="a.txt")
    url = made["upload"]["url"]
    assert made["upload"]["resumable"] == "tus"

    def patch(offset, piece):
        headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        return httpx.patch(url, content=piece, headers=headers, trust_env=False)

    assert httpx.head(url, trust_env=False).headers["upload-offset"] == "0"
    assert patch(0, data[:200_000]).headers["upload-offset"] == "200000"
    assert httpx.head(url, trust_env=False).headers["upload-offset"] == "200000"
    assert patch(100, b"x").status_code == 409
    assert patch(200_000, data[200_000:] + b"x").status_code == 413
    assert patch(200_000, data[200_000:]).headers["upload-offset"] == str(len(data))
    ann.say(room, "", type="MEDIA", media_id=made["media_id"])
    assert fetched(ann, made["media_id"]).content == data


def test_classic_clients_upload_and_send(ann, bob, server):
    room = ann.room(bob)
    headers = {"token": ann.token}
    answer = ann.api.http.get("/img/url", params={"roomid": room}, headers=headers)
    assert answer.status_code == 200, answer.text
    made = answer.json()["response"]
    assert set(made) == {"presignedURL", "key", "url"}
    assert httpx.put(made["presignedURL"], content=PNG, trust_env=False).status_code == 200
    message = ann.say(room, "", type="MEDIA", media_id=made["key"])
    assert message["media"]["content_type"] == "image/png" and message["media"]["size"] == len(PNG)
    assert fetched(bob, made["key"]).content == PNG
    outsider = ann.room()
    refused_answer = bob.api.http.get("/img/url", params={"roomid": outsider}, headers={"token": bob.token})
    assert refused_answer.status_code == 403


def picture_of(user, data=PNG):
    body = {"filename": "me.png", "content_type": "image/png", "size": len(data)}
    answer = user.post("/v1/me/avatar", body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert put(made["upload"], data).status_code == 200
    return made["media_id"]


def test_a_picture_of_somebody_is_for_those_who_share_a_room(server, ann, bob, eve):
    media = picture_of(ann)
    for user in (ann, bob):
        refused(user.get(f"/v1/media/{media}"), 404, "unknown_media")
    refused(bob.patch("/v1/me", {"avatar_media_id": media}), 404, "unknown_media")
    assert ann.patch("/v1/me", {"avatar_media_id": media}).json()["avatar_media_id"] == media
    assert fetched(ann, media).content == PNG
    refused(bob.get(f"/v1/media/{media}"), 404, "unknown_media")
    room = ann.room(bob)
    assert fetched(bob, media).content == PNG
    refused(eve.get(f"/v1/media/{media}"), 404, "unknown_media")
    assert fetched(give_role(server, eve, "moderator"), media).content == PNG
    members = {each["user_id"]: each for each in bob.got(f"/v1/rooms/{room}/members")["members"]}
    assert members[ann.id]["avatar_media_id"] == media
    assert "avatar_media_id" not in members[bob.id]
    # Another one in its place, and none.
    second = picture_of(ann, PNG + b"2")
    ann.patch("/v1/me", {"avatar_media_id": second})
    refused(bob.get(f"/v1/media/{media}"), 404, "unknown_media")
    assert fetched(bob, second).content == PNG + b"2"
    assert bob.post(f"/v1/rooms/{room}/leave").status_code == 200
    refused(bob.get(f"/v1/media/{second}"), 404, "unknown_media")
    assert "avatar_media_id" not in ann.patch("/v1/me", {"avatar_media_id": None}).json()
    bob.join(ann.room())
    refused(bob.get(f"/v1/media/{second}"), 404, "unknown_media")


def test_a_picture_of_a_room_may_be_the_avatar_too(ann, bob, eve):
    media = uploaded(ann, ann.room())
    ann.patch("/v1/me", {"avatar_media_id": media})
    refused(eve.get(f"/v1/media/{media}"), 404, "unknown_media")
    ann.room(bob)
    assert fetched(bob, media).content == PNG


def test_a_picture_of_somebody_is_a_small_picture(ann):
    good = {"filename": "me.png", "content_type": "image/png", "size": 99}
    large = {**good, "size": 3 * 1024 * 1024}
    refused(ann.post("/v1/me/avatar", large), 413, "media_too_large")
    text = {**good, "content_type": "text/plain"}
    refused(ann.post("/v1/me/avatar", text), 415, "media_type_not_allowed")
    data = PNG + bytes(3 * 1024 * 1024)
    media = uploaded(ann, ann.room(), data)
    refused(ann.patch("/v1/me", {"avatar_media_id": media}), 413, "media_too_large")


def files_of(server):
    root = server.data / "media"
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def test_what_is_deleted_is_removed_everywhere(make_server):
    server = make_server()
    api = server.api
    ann = api.new_user()
    room, other = ann.room(), ann.room()
    kept, gone = uploaded(ann, room), uploaded(ann, room, PNG + b"2")
    for media in (kept, gone):
        ann.say(other, "", type="MEDIA", media_id=media)
    message = ann.say(room, "", type="MEDIA", media_id=gone)
    ann.say(room, "", type="MEDIA", media_id=kept)
    assert len(files_of(server)) == 6
    ann.delete(f"/v1/rooms/{room}/messages/{message['id']}")
    assert "media" not in ann.history(room)[1]
    time.sleep(1.5)
    assert fetched(ann, gone).status_code == 200  # the other room has it still
    ann.delete(f"/v1/rooms/{other}")
    end = time.monotonic() + 25
    while len(files_of(server)) > 3 and time.monotonic() < end:
        time.sleep(0.2)
    assert len(files_of(server)) == 3, files_of(server)
    refused(location(ann, gone), 404, "unknown_media")
    assert fetched(ann, kept).content == PNG


def test_a_crash_in_the_middle_of_an_upload_leaves_no_object(make_server):
    server = make_server()
    api = server.api
    ann = api.new_user()
    room = ann.room()
    data = b"x" * 3_000_000
    made = ticket(ann, room, data, type=TEXT, name="a.txt")

    def pieces():
        yield data[:2_000_000]
        time.sleep(0.3)
        server.kill()
        yield data[2_000_000:]

    headers = {**made["upload"]["headers"], "Content-Length": str(len(data))}
    with pytest.raises(httpx.HTTPError):
        httpx.put(made["upload"]["url"], content=pieces(), headers=headers, trust_env=False)
    server.start()
    assert [f.split("/")[0] for f in files_of(server)] == ["incoming"]
    refused(ann.post_message(room, "", type="MEDIA", media_id=made["media_id"]), 409, "media_not_uploaded")
    # What came is not lost: the upload goes on.
    url = re.sub(r"//[^/]+", f"//127.0.0.1:{server.port}", made["upload"]["url"], count=1)
    at = int(httpx.head(url, trust_env=False).headers["upload-offset"])
    assert 0 < at <= 2_000_000
    headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(at)}
    assert httpx.patch(url, content=data[at:], headers=headers, trust_env=False).status_code == 204
    ann.say(room, "", type="MEDIA", media_id=made["media_id"])


def test_quotas_are_kept(make_server):
    server = make_server(environment={"PARLEY_MEDIA_USER_MB_PER_DAY": "1"})
    api = server.api
    ann = api.new_user()
    room = ann.room()
    body = {"filename": "a", "content_type": TEXT, "size": 600_000}
    assert ann.post(f"/v1/rooms/{room}/media", body).status_code == 201
    answer = ann.post(f"/v1/rooms/{room}/media", body)
    refused(answer, 429, "media_quota")
    assert int(answer.headers["retry-after"]) > 0


def test_a_large_file_costs_no_memory(ann, bob, server):
    room = ann.room(bob)
    before = server.resident_bytes()
    data = b"y" * 60_000_000
    made = ticket(ann, room, data, type=TEXT, name="big.txt")
    media, upload = made["media_id"], made["upload"]
    if OWN_STORE:
        assert put(upload, data).status_code == 200
    else:
        refused(ann.post_message(room, "", type="MEDIA", media_id=media), 409, "media_not_uploaded")
        for part in upload["parts"]:
            begin = (part["number"] - 1) * upload["part_size"]
            assert put(part, data[begin : begin + upload["part_size"]]).status_code == 200
        complete = upload["complete"]
        assert ann.call(complete["method"], complete["url"]).status_code == 204
    ann.say(room, "", type="MEDIA", media_id=media)
    got = fetched(bob, media)
    assert len(got.content) == len(data)
    assert server.resident_bytes() - before < 16 << 20
