"""Starting, stopping, being killed; timers and settings of the process."""

import os
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from parley_client import Api, Socket, new_nonce, refused
from parley_server import binary
from wire import Wire


def test_sigterm_says_goaway_and_exits_cleanly(make_server):
    server = make_server()
    user = server.api.new_user()
    room = user.room()
    sockets = [user.socket(room) for _ in range(3)]
    message = sockets[0].say(room, "before the end")["message"]
    begin = time.monotonic()
    server.terminate()
    for each in sockets:
        goaway = each.expect("goaway", skip={"presence", "message"})
        assert goaway["reason"] and goaway["retry_after_ms"] >= 0
        each.expect_close(1001, skip={"presence"})
    assert server.wait(10) == 0
    assert time.monotonic() - begin < 10
    server.start()
    assert user.history(room) == [message]


def test_sigterm_does_not_wait_for_a_client_that_does_nothing(make_server):
    server = make_server()
    user = server.api.new_user()
    silent = [Wire(server).upgraded(user.token) for _ in range(3)]
    half_sent = Wire(server)
    half_sent.send("POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    begin = time.monotonic()
    assert server.stop(12) == 0
    assert time.monotonic() - begin < 10
    for wire in [*silent, half_sent]:
        wire.socket.close()


def test_sigterm_loses_nothing_that_was_acknowledged(make_server):
    server = make_server()
    user = server.api.new_user()
    room, acknowledged = user.room(), []
    talker = user.socket(room)

    def talk():
        try:
            while True:
                talker.send("send", room_id=room, nonce=new_nonce(), type="TEXT", content="x")
                frame = talker.receive()
                if frame["op"] == "sent":
                    acknowledged.append(frame["message"]["id"])
        except ConnectionClosed:
            pass

    thread = threading.Thread(target=talk)
    thread.start()
    time.sleep(0.3)
    assert server.stop() == 0
    thread.join()
    server.start()
    assert acknowledged
    assert set(acknowledged) <= {m["id"] for m in user.whole_history(room)}


def test_everything_is_there_after_kill_9(make_server):
    server = make_server()
    ann, bob = server.api.new_user(), server.api.new_user()
    ann.patch("/v1/me", {"display_name": "Ann"})
    room, secret = ann.room(bob, topic="soup"), ann.room(visibility="private")
    dm = ann.post("/v1/rooms", {"kind": "dm", "member_ids": [bob.id]}).json()["id"]
    ann.put(f"/v1/rooms/{room}/members/{bob.id}", {"role": "admin"})
    nonce = new_nonce()
    first = ann.say(room, "first", nonce=nonce)
    edited, gone = bob.say(room, "redy"), bob.say(room, "oops")
    bob.patch(f"/v1/rooms/{room}/messages/{edited['id']}", {"content": "ready"})
    bob.delete(f"/v1/rooms/{room}/messages/{gone['id']}")
    ann.put(f"/v1/rooms/{room}/messages/{edited['id']}/reactions/👍")
    bob.put(f"/v1/rooms/{room}/read", {"message_id": first["id"]})
    last_id = bob.socket().subscribe(room)["last_id"]

    paths = [
        "/v1/me",
        "/v1/rooms",
        f"/v1/rooms/{room}",
        f"/v1/rooms/{room}/messages",
        f"/v1/rooms/{room}/members",
        f"/v1/rooms/{secret}",
        f"/v1/rooms/{dm}",
    ]

    def everything(user):
        answers = [user.get(path).json() for path in paths]
        for member in answers[4].get("members", []):
            del member["online"], member["last_seen_at"]
        return answers

    before = everything(ann), everything(bob)
    server.kill()
    server.start()
    assert (everything(ann), everything(bob)) == before, "and the tokens go on working"
    again = ann.post_message(room, "first", nonce=nonce)
    assert again.status_code == 200 and again.json() == first
    refused(ann.post_message(room, "other", nonce=nonce), 409, "nonce_conflict")
    watcher = bob.socket()
    assert watcher.subscribe(room, since=last_id)["events"] == []
    message = ann.say(room, "after the crash")
    event = watcher.expect("message")
    assert event["message"] == message and event["prev_id"] == last_id
    assert int(message["id"]) > int(last_id)


def test_a_second_process_on_one_folder_is_refused(make_server, tmp_path):
    server = make_server()
    second = make_server(folder=tmp_path / "second", start=False)
    second.data = server.data
    second.start(wait=False)
    assert second.wait(10) not in (0, -signal.SIGKILL)
    assert str(server.data) in second.log(), second.log()
    assert server.api.sign_up().status_code == 201
    server.kill()
    second.start()


def test_a_port_that_is_taken(make_server):
    server = make_server()
    second = make_server(start=False, listen=f"127.0.0.1:{server.port}")
    second.start(wait=False)
    assert second.wait(10) != 0
    assert str(server.port) in second.log() and "in use" in second.log()


@pytest.mark.parametrize(
    "flags, environment, words",
    [
        (["--heartbeat-ms", "soon"], {}, ["heartbeat-ms", "soon"]),
        ([], {"PARLEY_NODE_ID": "5000"}, ["node-id", "5000"]),
        ([], {"PARLEY_LIMITS_ENABLED": "perhaps"}, ["limits-enabled", "perhaps"]),
        (
            ["--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"],
            {},
            ["/nowhere/cert.pem"],
        ),
        (["--no-such-flag"], {}, ["no-such-flag"]),
        (["--config", "/nowhere/parley.toml"], {}, ["/nowhere/parley.toml"]),
    ],
)
def test_a_bad_setting_stops_the_start(make_server, flags, environment, words):
    server = make_server(*flags, start=False, environment=environment)
    server.start(wait=False)
    assert server.wait(10) not in (0, -signal.SIGABRT, -signal.SIGSEGV)
    for word in words:
        assert word in server.log(), server.log()


def test_settings_in_layers(tmp_path):
    config = tmp_path / "parley.toml"
    config.write_text('heartbeat_ms = 1000\nnode_id = 5\nlog_level = "warning"\n')
    environment = {**os.environ, "PARLEY_NODE_ID": "6", "PARLEY_LOG_LEVEL": "error"}
    command = [str(binary()), "config", "--config", str(config), "--log-level", "debug"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.replace("-", "_").replace(" ", "")
    assert "heartbeat_ms=1000" in shown and "node_id=6" in shown and 'log_level="debug"' in shown


def test_the_folder_is_private(make_server):
    server = make_server()
    server.api.new_user()
    assert server.data.stat().st_mode & 0o077 == 0
    modes = {path.name: path.stat().st_mode & 0o777 for path in server.data.iterdir()}
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes


def test_a_heartbeat_keeps_a_quiet_connection(make_server):
    server = make_server(environment={"PARLEY_HEARTBEAT_MS": "300"})
    user = server.api.new_user()
    quiet = user.socket()
    assert quiet.welcome["heartbeat_ms"] == 300
    wire = Wire(server).upgraded(user.token)
    opcodes = []
    begin = time.monotonic()
    while time.monotonic() - begin < 5:
        frame = wire.read_frame()
        if frame is None:
            break
        opcodes.append(frame[0])
        if frame[0] == 8:
            assert int.from_bytes(frame[1][:2], "big") == 4000
            break
    # The wire never answers: pinged, then closed. The other answers pings by itself, and stays.
    assert 9 in opcodes and opcodes[-1] == 8, opcodes
    assert time.monotonic() - begin > 0.5
    quiet.alive()


def test_any_frame_keeps_a_connection(make_server):
    server = make_server(environment={"PARLEY_HEARTBEAT_MS": "300"})
    wire = Wire(server).upgraded(server.api.new_user().token)
    from wire import frame

    for _ in range(10):
        wire.send(frame(1, b'{"op":"ping"}'))
        time.sleep(0.2)
    wire.socket.settimeout(2)
    pongs = 0
    while pongs < 10:
        got = wire.read_frame()
        assert got is not None and got[0] != 8
        pongs += got[0] == 1 and b'"pong"' in got[1]


def test_a_token_that_expires(make_server):
    server = make_server(environment={"PARLEY_ACCESS_TOKEN_SECONDS": "3"})
    user = server.api.new_user()
    refreshed = server.api.new_user()
    plain, renewed = user.socket(), refreshed.socket()
    answer = server.api.call(
        "POST", "/v1/sessions/refresh", json={"refresh_token": refreshed.refresh_token}
    )
    time.sleep(1.5)
    answer = server.api.call(
        "POST", "/v1/sessions/refresh", json={"refresh_token": answer.json()["refresh_token"]}
    )
    renewed.send("hello", token=answer.json()["access_token"])
    renewed.expect("welcome")
    plain.expect_close(4003, timeout=6, skip=set())
    refused(user.get("/v1/me"), 401, "token_expired")
    Socket(server, user.token).expect_close(4003, skip=set())
    renewed.alive()
    # A new token, and everything is as before.
    answer = server.api.call(
        "POST", "/v1/sessions/refresh", json={"refresh_token": user.refresh_token}
    )
    user.token = answer.json()["access_token"]
    assert user.get("/v1/me").status_code == 200


def test_tls(make_server, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )
    trust = ssl.create_default_context(cafile=certificate)
    server = make_server("--tls-cert", str(certificate), "--tls-key", str(key), verify=trust)
    user = server.api.new_user()
    room = user.room()
    watcher, sender = (user.socket(room, ssl=trust) for _ in range(2))
    for size in (1, 4000):
        for _ in range(50):
            sender.send("send", room_id=room, nonce=new_nonce(), type="TEXT", content="x" * size)
        for _ in range(50):
            assert len(watcher.expect("message")["message"]["content"]) == size
    own = Socket(server, user.token, ssl=trust, origin=server.url)
    own.expect("welcome")
    with pytest.raises(InvalidStatus):
        Socket(server, user.token, ssl=trust, origin=server.url.replace("https", "http"))
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert b"200 OK" not in plain.recv(1000)
        except ConnectionError:
            pass
    assert server.stop() == 0


def test_connections_beyond_the_cap_are_refused(make_server):
    server = make_server(environment={"PARLEY_CONNECTIONS_MAX": "20"})
    user = server.api.new_user()
    server.api.close()
    opened, answers = [], []
    for _ in range(30):
        wire = Wire(server)
        opened.append(wire)
        answers.append(wire.handshake(user.token))
    statuses = [answer[0] if answer else None for answer in answers]
    assert 15 <= statuses.count(101) <= 20
    assert set(statuses) <= {101, 503, None}
    for wire in opened:
        wire.socket.close()
    server.api = Api(server)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            Socket(server, user.token).expect("welcome")
            return
        except (InvalidStatus, OSError, EOFError):
            time.sleep(0.1)
    pytest.fail("there is room again, but no way in")


def test_a_full_disk_refuses_sends_and_recovers(make_server):
    """A limit on the size of files stands for a full disk: it needs no mount."""
    server = make_server(start=False)
    server.start(restore_signals=False)  # SIGXFSZ stays ignored, so that a write fails instead
    server.api = Api(server)
    user = server.api.new_user()
    room = user.room()
    sender = user.socket()
    first = sender.say(room, "there was room")["message"]
    biggest = max(path.stat().st_size for path in server.data.iterdir())
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (biggest + 300_000, hard))
    answers, unknown = [], None
    for _ in range(3000):
        nonce = new_nonce()
        sender.send("send", room_id=room, nonce=nonce, type="TEXT", content="x" * 4000)
        frame = sender.receive()
        answers.append(frame)
        if frame["op"] == "error":
            assert frame["code"] == "unavailable" and frame["nonce"] == nonce
            unknown = nonce
            break
    assert unknown, "the disk never filled"
    for attempt in range(5):
        answer = user.call(
            "POST",
            f"/v1/rooms/{room}/messages",
            may_fail=True,
            json={"nonce": unknown, "type": "TEXT", "content": "x" * 4000},
        )
        refused(answer, 503, "unavailable")
        readiness = httpx.get(f"{server.url}/readyz", trust_env=False)
        if readiness.status_code == 503:
            break
        # A write of the server's own (who is online) was small enough to go through in between.
    assert readiness.status_code == 503 and "written" in readiness.text
    assert user.history(room, after="1", limit=1) == [first], "reading goes on"
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (soft, hard))
    sent = sender.say(room, "x" * 4000, nonce=unknown)
    assert httpx.get(f"{server.url}/readyz", trust_env=False).status_code == 200
    stored = {m["id"] for m in user.whole_history(room)}
    acknowledged = {a["message"]["id"] for a in answers if a["op"] == "sent"} | {
        sent["message"]["id"]
    }
    assert stored == acknowledged | {first["id"]}
    assert server.stop() == 0


def test_limits_are_on_by_default(make_server):
    server = make_server(environment={"PARLEY_LIMITS_ENABLED": None})
    user = server.api.new_user()
    room = user.room()
    sender = user.socket(room)
    assert sender.welcome["limits"]["sends_per_second"] > 0
    refusal = None
    for _ in range(400):
        sender.send("send", room_id=room, nonce=new_nonce(), type="TEXT", content="x")
    for _ in range(400):
        frame = sender.receive()
        if frame["op"] == "error":
            refusal = frame
            break
    assert refusal and refusal["code"] == "rate_limited" and refusal["nonce"]
    assert refusal["retry_after_ms"] > 0
