"""Spans of messages for a collector of traces (OTLP): what comes, and that a collector which does not take them costs
nobody anything."""

import re
import socket
import sys
import time
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from support.otlp_collector import OtlpCollector, check_parents  # noqa: E402


@pytest.fixture
def collector():
    with OtlpCollector() as collector:
        yield collector


@pytest.fixture
def traced(make_server, collector):
    def make(*flags, endpoint=collector.endpoint, **options):
        return make_server("--otlp-endpoint", endpoint, "--otlp-sample", "1", *flags, **options)

    return make


def spans_by_outcome(server):
    found = re.findall(r'^parley_spans_total\{outcome="(\w+)"\} (\d+)', server.metrics(), re.M)
    return {outcome: int(count) for outcome, count in found}


def wait_until(check, seconds=30):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


def talk(server, messages=1):
    """Ids of messages that ann said and bob heard."""
    ann, bob = server.api.new_user(), server.api.new_user()
    room = ann.room(bob)
    sender, reader = ann.socket(room), bob.socket(room)
    ids = [sender.say(room, "a secret word")["message"]["id"] for _ in range(messages)]
    for each in ids:
        reader.expect("message", id=each, timeout=20)
    return ids


def test_the_way_of_a_message(traced, collector):
    server = traced("--trace-messages", "0", environment={"PARLEY_OTLP_HEADERS": "X-Key=abc"})
    before = time.time_ns() - 10**9
    (message,) = talk(server)
    spans = collector.wait_for(message, ["message", "sequence", "store", "deliver"])
    check_parents(spans)
    assert "produce" not in spans  # there is no log elsewhere
    (root,), (stored,) = spans["message"], spans["store"]
    assert before < root.begin <= stored.end <= root.end < time.time_ns() + 10**9
    assert sum(int(each.attributes["parley.connections"]) for each in spans["deliver"]) == 2
    assert all(stored.end <= each.end for each in spans["deliver"])
    everything = collector.all_spans()
    assert {each.service for each in everything} == {"parley-serve"}
    assert "secret" not in str(everything)
    path, headers = collector.calls[0]
    assert path == "/v1/traces" and headers["X-Key"] == "abc"
    assert headers["Content-Type"] == "application/json"


def test_a_share_of_the_messages(traced, collector):
    server = traced("--otlp-sample", "0.5")
    ids = talk(server, 60)
    wait_until(lambda: spans_by_outcome(server).get("sent", 0) > 60)
    seen = {each for each in ids if collector.spans(each)}
    assert 10 < len(seen) < 50  # binomial: outside once in 10^7
    for each in seen:
        check_parents(collector.wait_for(each, ["message", "sequence", "store", "deliver"]))


def test_nothing_is_sent_without_an_endpoint(make_server, collector):
    server = make_server("--otlp-sample", "1")
    talk(server)
    assert "parley_spans_total" not in server.metrics() and not collector.calls


def test_what_is_left_goes_when_the_server_stops(traced, collector):
    server = traced()
    ids = talk(server, 3)
    assert server.stop() == 0
    for each in ids:
        check_parents(collector.wait_for(each, ["message", "sequence", "store", "deliver"], 1))


def test_a_collector_that_is_not_there(traced):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        server = traced(endpoint=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        talk(server, 20)
        wait_until(lambda: spans_by_outcome(server).get("failed", 0) >= 4)
        assert spans_by_outcome(server)["sent"] == 0
        assert server.log().count("the collector of traces takes no spans") == 1
        talk(server)
        assert server.stop() == 0


def test_a_collector_that_waits_holds_up_nobody(traced, collector):
    collector.wait_s = 60
    server = traced()
    talk(server)
    wait_until(lambda: collector.calls)
    begun = time.monotonic()
    talk(server, 200)
    assert time.monotonic() - begun < 30  # and not 200 times what the collector takes
    assert server.stop() == 0


def test_a_refusal_is_final_and_a_busy_collector_is_asked_again(traced, collector):
    collector.status = 400
    server = traced()
    talk(server)
    wait_until(lambda: spans_by_outcome(server)["failed"] > 0)
    lost, calls = spans_by_outcome(server)["failed"], len(collector.calls)
    assert calls <= lost
    collector.status = 503
    (message,) = talk(server)
    wait_until(lambda: len(collector.calls) > calls)
    collector.status = 200
    check_parents(collector.wait_for(message, ["message", "sequence", "store", "deliver"]))
    assert spans_by_outcome(server)["failed"] == lost
    assert "takes spans again" in server.log()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("otlp-endpoint", "collector:4318", "http://HOST:PORT"),
        ("otlp-endpoint", "http:///x", "http://HOST:PORT"),
        ("otlp-endpoint", "http://host/?q", "http://HOST:PORT"),
        ("otlp-sample", "1.5", "from 0 to 1"),
        ("otlp-sample", "nan", "from 0 to 1"),
        ("otlp-headers", "no-value", "NAME=VALUE"),
        ("otlp-headers", "a=b\nc=d", "NAME=VALUE"),
    ],
)
def test_bad_settings_stop_the_start(make_server, name, value, expected):
    server = make_server(f"--{name}", value, start=False)
    server.start(wait=False)
    assert server.process.wait(20) != 0
    assert name in server.log() and expected in server.log()
