"""Attacks 7, 8, 28 and 29: guessing, hash DoS, hoarding and floods. Limits are on; those that a test
is about are set low, so that it needs neither time nor thousands of calls."""

import json
import re
import socket
import threading

import httpx
import pytest

from parley_client import PASSWORD, Socket, new_nonce, refused
from wire import Wire, frame

ON = {"PARLEY_LIMITS_ENABLED": None}


def limits(**rates):
    """The environment of a server with limits, these ones changed: sends_per_user="1/s:5"."""
    return {**ON, **{f"PARLEY_LIMIT_{name.upper()}": rate for name, rate in rates.items()}}


def metric(server, name, **labels):
    text = server.api.http.get("/metrics").text
    wanted = ",".join(f'{k}="{v}"' for k, v in labels.items())
    line = name + (f"{{{wanted}}}" if wanted else "")
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.M)
    return float(found.group(1)) if found else 0


def log_in(server, name, password="wrong password", **more):
    body = {"email" if "@" in name else "username": name, "password": password}
    return server.api.call("POST", "/v1/sessions", json=body, **more)


def send_text(room, content="x"):
    return json.dumps(
        {"op": "send", "room_id": room, "nonce": new_nonce(), "type": "TEXT", "content": content}
    )


def flood(server, token, texts):
    """Sends all of them at once; the frames that come back, and the code of the close."""
    wire = Wire(server, timeout=20).upgraded(token)
    all_of_it = b"".join(frame(1, text.encode()) for text in texts)
    thread = threading.Thread(target=wire.try_send, args=(all_of_it,))
    thread.start()
    frames = []
    while True:
        opcode, payload = wire.read_frame()[:2]
        if opcode == 8:
            break
        if opcode == 1:
            frames.append(json.loads(payload))
    wire.send(frame(8, payload))
    thread.join()
    wire.socket.close()
    return frames, int.from_bytes(payload[:2], "big")


def wait_of(answer):
    seconds = int(answer.headers["retry-after"])
    assert seconds >= 1
    return seconds


# --- 7: guessing


@pytest.mark.parametrize("known", [True, False])
def test_attack_7_the_twentieth_wrong_log_in_is_429_for_known_and_unknown_alike(make_server, known):
    server = make_server(environment=ON)
    user = server.api.new_user()
    name = user.email if known else "nobody@example.org"
    answers = [log_in(server, name.upper() if i % 2 else name) for i in range(20)]
    for answer in answers[:19]:
        refused(answer, 401, "invalid_credentials")
    refused(answers[19], 429, "rate_limited")
    assert 1 <= wait_of(answers[19]) <= 60
    assert metric(server, "parley_rate_limited_total", limit="log_ins_per_account") == 1
    if known:
        refused(log_in(server, user.email, PASSWORD), 429, "rate_limited")
        assert user.got("/v1/me")["id"] == user.id, "who is in stays in"
    other = server.api.new_user()
    assert log_in(server, other.email, PASSWORD).status_code == 201


def test_attack_7_a_right_password_within_the_limit_works_and_starts_the_count_anew(make_server):
    server = make_server(environment=ON)
    user = server.api.new_user()
    for _ in range(2):
        for _ in range(18):
            refused(log_in(server, user.email), 401)
        assert log_in(server, user.email, PASSWORD).status_code == 201
    for _ in range(30):
        assert log_in(server, user.email, PASSWORD).status_code == 201


def test_attack_7_many_at_once_gain_nothing(make_server):
    server = make_server(environment=ON)
    user = server.api.new_user()
    codes = []

    def guess():
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
            body = {"email": user.email, "password": "wrong password"}
            codes.append(client.post("/v1/sessions", json=body).status_code)

    threads = [threading.Thread(target=guess) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count(401) == 19 and codes.count(429) == 41


def test_attack_7_an_address_that_tries_many_accounts_is_stopped(make_server):
    server = make_server(
        "--trusted-proxies", "127.0.0.1", environment=limits(log_ins_per_address="1/m:10")
    )
    user = server.api.new_user()
    spray = {"X-Forwarded-For": "2001:db8:1:2::1"}
    for i in range(10):
        refused(log_in(server, f"user{i}@example.org", headers=spray), 401)
    neighbour = {"X-Forwarded-For": "2001:db8:1:2:ffff::9"}
    refused(log_in(server, user.email, PASSWORD, headers=neighbour), 429, "rate_limited")
    elsewhere = {"X-Forwarded-For": "2001:db8:1:3::1"}
    for _ in range(20):
        answer = log_in(server, user.email, PASSWORD, headers=elsewhere)
        assert answer.status_code == 201, "a right one costs the address nothing"


def test_attack_7_a_log_in_costs_one_hash_whether_there_is_such_an_account(make_server):
    server = make_server(environment=ON)
    user = server.api.new_user()
    work = "parley_password_hashes_total"
    costs = []
    for name in (user.email, "nobody@example.org"):
        before = metric(server, work)
        refused(log_in(server, name), 401, "invalid_credentials")
        costs.append(metric(server, work) - before)
    assert costs == [1, 1]


def test_attack_7_sign_ups_from_one_address(make_server):
    server = make_server(environment=limits(sign_ups_per_address="1/h:5"))
    for _ in range(5):
        server.api.new_user()
    answer = server.api.sign_up()
    refused(answer, 429, "rate_limited")
    assert 3000 < wait_of(answer) <= 3600


# --- 8: hash DoS


def test_attack_8_a_password_of_1_mb_is_refused_before_any_hash(make_server):
    server = make_server(environment=ON)
    user = server.api.new_user()
    before = metric(server, "parley_password_hashes_total")
    for password in ("x" * 1_000_000, "x" * 60_000):
        answer = log_in(server, user.email, password)
        assert answer.status_code in {401, 413}
        assert server.api.sign_up(password=password).status_code in {413, 422}
    assert metric(server, "parley_password_hashes_total") == before


def test_attack_8_500_log_ins_at_once_leave_chat_alone(make_server):
    server = make_server(environment=limits(sends_per_user="off", sends_per_connection="off"))
    ann, bob = server.api.new_user(), server.api.new_user()
    room = ann.room(bob)
    sender, reader = ann.socket(room), bob.socket(room)
    codes = []

    def guess(number):
        with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
            for i in range(50):
                body = {"email": f"u{number}.{i}@example.org", "password": "wrong password"}
                codes.append(client.post("/v1/sessions", json=body).status_code)

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    said = []
    while any(thread.is_alive() for thread in threads) and len(said) < 500:
        fields = {"room_id": room, "nonce": new_nonce(), "type": "TEXT", "content": "x"}
        said.append(sender.ask("send", "sent", timeout=30, **fields)["message"]["id"])
    for thread in threads:
        thread.join()
    assert [reader.expect("message")["id"] for _ in said] == said
    assert len(codes) == 500 and set(codes) <= {401, 429, 503}


# --- 28: hoarding


def test_attack_28_one_socket_of_a_user_above_the_cap_is_closed_with_4502(make_server):
    server = make_server("--connections-per-user-max", "20", environment=ON)
    user, other = server.api.new_user(), server.api.new_user()
    sockets = [user.socket() for _ in range(20)]
    assert Wire(server).upgraded(user.token).close_code() == 4502
    sockets[0].close()
    other.socket().alive()
    user.socket().alive()


def test_attack_28_the_sockets_of_an_address_are_capped_by_64_bits_of_ipv6(make_server):
    server = make_server(
        "--connections-per-address-max", "5", "--trusted-proxies", "127.0.0.1", environment=ON
    )
    ann, bob = server.api.new_user(), server.api.new_user()

    def connect(user, address):
        return user.socket(additional_headers={"X-Forwarded-For": address})

    held = [connect(ann, f"2001:db8::{i + 1}") for i in range(5)]
    sixth = Socket(server, bob.token, additional_headers={"X-Forwarded-For": "2001:db8::99"})
    assert sixth.expect_close(4502) == []
    connect(bob, "2001:db8:0:1::1").alive()
    connect(bob, "192.0.2.1").alive()
    held[0].close()
    connect(bob, "2001:db8::99").alive()


def test_attack_28_connections_of_an_address_beyond_its_cap_get_429(make_server):
    server = make_server("--connections-per-address-max", "4", environment=ON)
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4 * 5 // 4 + 64)]
    try:
        with socket.create_connection(("127.0.0.1", server.port)) as late:
            late.settimeout(5)
            text = late.recv(4096)
            assert text.startswith(b"HTTP/1.1 429") and b"Retry-After" in text, text
    finally:
        for each in held:
            each.close()


def test_attack_28_opening_sockets_too_fast_is_429(make_server):
    server = make_server(environment=limits(connects_per_address="1/h:3"))
    user = server.api.new_user()
    for _ in range(3):
        user.socket().close()
    status, headers, body = Wire(server).handshake(user.token)
    assert status == 429 and b"rate_limited" in body and int(headers["retry-after"]) >= 1


# --- 29: floods


def test_attack_29_1000_messages_a_second_get_rate_limited_with_a_time_then_4002(make_server):
    server = make_server(environment=ON)
    ann, bob = server.api.new_user(), server.api.new_user()
    room = ann.room(bob)
    reader, honest = bob.socket(room), bob.socket()
    frames, code = flood(server, ann.token, [send_text(room) for _ in range(1000)])
    assert code == 4002
    frames = [f for f in frames if f["op"] != "welcome"]
    refusals = [f for f in frames if f["op"] == "error"]
    accepted = [f["message"]["id"] for f in frames if f["op"] == "sent"]
    assert {f["code"] for f in refusals} == {"rate_limited"}
    assert all(f["retry_after_ms"] >= 1 and f["nonce"] for f in refusals)
    assert len(accepted) < 400 <= len(refusals)

    again = ann.socket()
    for _ in range(50):
        again.send_raw(send_text(room))
    answers = [again.receive()["op"] for _ in range(50)]
    assert answers.count("sent") <= 25, "coming back gives no fresh budget"
    refused_by_rest = [ann.post_message(room) for _ in range(30)]
    assert any(a.status_code == 429 and wait_of(a) for a in refused_by_rest)

    own = honest.say(room, "not mine to pay")["message"]["id"]
    seen = [reader.expect("message")["id"]]
    while seen[-1] != own:
        seen.append(reader.expect("message")["id"])
    assert seen == sorted(set(seen)) and set(accepted) <= set(seen)
    assert 200 <= len(seen) < 450, "stored, with or without an answer before the close"
    assert metric(server, "parley_rate_limited_total", limit="sends_per_connection") >= 400


def test_attack_29_frames_of_64_kb_wait_in_the_flooders_own_buffers(make_server):
    server = make_server(environment=limits(bytes_per_connection="100000/s:1000000"))
    ann, bob = server.api.new_user(), server.api.new_user()
    room = bob.room(ann)
    reader, sender = bob.socket(room), bob.socket()
    flooder = Wire(server, timeout=20).upgraded(ann.token)
    before = server.resident_bytes()
    stop = threading.Event()
    sent = [0]

    def flood():
        big = frame(1, send_text(room, "x" * 64_000).encode())
        while not stop.is_set():
            if not flooder.try_send(big):
                return
            sent[0] += len(big)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    said = [sender.say(room, f"{i}")["message"]["id"] for i in range(100)]
    assert [reader.expect("message")["id"] for _ in said] == said
    received = metric(server, "parley_rate_limited_total", limit="bytes_per_connection")
    assert received >= 1
    assert server.resident_bytes() - before < 32_000_000
    stop.set()
    flooder.socket.close()
    thread.join(10)


def test_attack_29_pings_and_subscribes_are_requests_too(make_server):
    server = make_server(environment=limits(requests_per_connection="1/s:20"))
    user = server.api.new_user()
    room = user.room()
    socket_ = user.socket()
    for _ in range(10):
        socket_.alive()
        socket_.subscribe(room)
    error = socket_.refused("ping", "rate_limited")
    assert 1 <= error["retry_after_ms"] <= 1000
    _, code = flood(server, user.token, ["no frame at all"] * 700)
    assert code == 4002


def test_attack_29_stalled_readers_are_closed_with_4001_and_others_miss_nothing(make_server):
    server = make_server()
    ann = server.api.new_user()
    readers = [server.api.new_user() for _ in range(20)]
    room = ann.room(*readers)
    stalled = Wire(server)
    stalled.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.upgraded(readers[0].token)
    stalled.send(frame(1, json.dumps({"op": "subscribe", "room_id": room}).encode()))
    others = [each.socket(room) for each in readers[1:]]
    before = server.resident_bytes()
    sender = ann.socket()
    said = [sender.say(room, f"{i}|" + "x" * 3900)["message"]["id"] for i in range(1500)]
    for each in others:
        assert [each.expect("message")["id"] for _ in said] == said
    assert metric(server, "parley_ws_closed_total", code="4001") == 1
    assert server.resident_bytes() - before < 96_000_000
    stalled.socket.close()


def test_attack_29_a_room_has_a_limit_that_outsiders_cannot_use_up(make_server):
    server = make_server(environment=limits(sends_per_room="1/h:10"))
    ann, eve = server.api.new_user(), server.api.new_user()
    room = ann.room()
    outside = eve.socket()
    for _ in range(30):
        outside.send_raw(send_text(room))
    assert {outside.receive()["code"] for _ in range(30)} == {"not_a_member"}
    for _ in range(10):
        ann.say(room)
    refused(ann.post_message(room), 429, "rate_limited")
    assert metric(server, "parley_rate_limited_total", limit="sends_per_room") == 1


def test_limits_of_rest_calls_and_their_metrics(make_server):
    server = make_server(environment=limits(requests_per_user="1/m:6", joins_per_user="1/h:1"))
    user = server.api.new_user()
    room = user.room()
    refused(user.post(f"/v1/rooms/{room}/join"), 429, "rate_limited")
    for _ in range(4):
        user.got("/v1/me")
    refused(user.get("/v1/me"), 429, "rate_limited")
    assert metric(server, "parley_rate_limited_total", limit="joins_per_user") == 1
    assert metric(server, "parley_rate_limited_total", limit="requests_per_user") == 1


@pytest.mark.parametrize("surface", ["v1", "classic"])
def test_tickets_that_nobody_uses(make_server, surface):
    """Attack 41: a thousand tickets, and none of them used."""
    server = make_server(environment=limits(tickets_per_user="1/h:20"))
    ann, bob = server.api.new_user(), server.api.new_user()
    room = ann.room()
    bob.join(room)
    offer = {"filename": "a.png", "content_type": "image/png", "size": 1000}

    def ask(user):
        if surface == "v1":
            return user.post(f"/v1/rooms/{room}/media", offer)
        headers = {"token": user.token}
        return server.api.http.get(f"/img/url?roomid={room}", headers=headers)

    answers = [ask(ann) for _ in range(1000)]
    good = 201 if surface == "v1" else 200
    assert [each.status_code for each in answers] == [good] * 20 + [429] * 980
    assert int(answers[-1].headers["Retry-After"]) > 3000
    assert metric(server, "parley_rate_limited_total", limit="tickets_per_user") == 980
    assert ask(bob).status_code == good
    ann.say(room)


# --- slow mode


@pytest.fixture
def slow(make_server):
    server = make_server()
    owner, member = server.api.new_user(), server.api.new_user()
    room = owner.room(member)
    answer = owner.patch(f"/v1/rooms/{room}", {"slow_mode_seconds": 600})
    assert answer.status_code == 200 and answer.json()["slow_mode_seconds"] == 600
    return server, owner, member, room


def test_slow_mode_is_on_every_way_for_members_and_not_for_admins(slow):
    server, owner, member, room = slow
    nonce = new_nonce()
    first = member.say(room, "mine", nonce=nonce)
    answer = member.post_message(room)
    refused(answer, 429, "rate_limited")
    assert 590 <= wait_of(answer) <= 600
    by_socket = member.socket(room)
    error = by_socket.refused("send", "rate_limited", room_id=room, nonce="n", type="TEXT", content="x")
    assert 590_000 <= error["retry_after_ms"] <= 600_000
    again = member.post_message(room, "mine", nonce=nonce)
    assert again.status_code == 200 and again.json() == first, "a retry gets its message"
    assert by_socket.say(room, "mine", nonce=nonce)["message"]["id"] == first["id"]
    member.patch(f"/v1/rooms/{room}/messages/{first['id']}", {"content": "mine, edited"})
    for _ in range(3):
        owner.say(room)
    assert owner.put(f"/v1/rooms/{room}/members/{member.id}", {"role": "admin"}).status_code == 204
    member.say(room)
    assert metric(server, "parley_slow_mode_refused_total") == 2


def test_slow_mode_holds_right_after_a_restart_and_after_leaving(slow):
    server, owner, member, room = slow
    member.say(room)
    server.kill()
    server.start()
    refused(member.post_message(room), 429, "rate_limited")
    assert member.post(f"/v1/rooms/{room}/leave").status_code == 200
    member.join(room)
    refused(member.post_message(room), 429, "rate_limited")
    assert owner.got(f"/v1/rooms/{room}")["slow_mode_seconds"] == 600
    assert owner.patch(f"/v1/rooms/{room}", {"slow_mode_seconds": 0}).status_code == 200
    member.say(room)


def test_slow_mode_is_told_to_the_room_also_in_a_resume(slow):
    _, owner, member, room = slow
    watcher = member.socket()
    start = watcher.subscribe(room)["last_id"]
    owner.patch(f"/v1/rooms/{room}", {"slow_mode_seconds": 21_600})
    assert watcher.expect("room")["room"]["slow_mode_seconds"] == 21_600
    owner.patch(f"/v1/rooms/{room}", {"slow_mode_seconds": 0})
    resumed = member.socket().subscribe(room, since=start)["events"]
    assert [e["room"]["slow_mode_seconds"] for e in resumed] == [21_600, 0]
    for wrong in (-1, 21_601, 1.5, "60", True, [60]):
        refused(owner.patch(f"/v1/rooms/{room}", {"slow_mode_seconds": wrong}), 422, "invalid_field")
    refused(member.patch(f"/v1/rooms/{room}", {"slow_mode_seconds": 1}), 403, "forbidden")
