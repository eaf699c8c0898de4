"""A collector of traces that keeps what it is sent: OTLP over HTTP with JSON, as `otlp-endpoint` sends it.

    with OtlpCollector() as collector:
        collector.endpoint              # for the setting
        collector.status = 503          # what it answers from now on
        collector.wait_s = 10           # how long it waits before each answer
        collector.spans(message_id)     # a message's spans, by name: {"store": [Span, ...], ...}

Threading: the server has threads of its own; the methods from any thread.
"""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Span:
    trace: str
    id: str
    parent: str  # "": none
    name: str
    begin: int  # nanoseconds
    end: int
    service: str
    node: str
    attributes: dict


def attributes_of(owner):
    return {each["key"]: next(iter(each["value"].values())) for each in owner["attributes"]}


def spans_in(document):
    for resource in document["resourceSpans"]:
        about = attributes_of(resource["resource"])
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                times = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
                ids = span["traceId"], span["spanId"], span.get("parentSpanId", "")
                names = about["service.name"], about["service.instance.id"]
                yield Span(*ids, span["name"], *times, *names, attributes_of(span))


class OtlpCollector:
    def __init__(self):
        self.status, self.wait_s, self.calls = 200, 0.0, []
        self.lock, self.known = threading.Lock(), []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(self.path, dict(self.headers), body)
                time.sleep(collector.wait_s)
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self, path, headers, body):
        with self.lock:
            self.calls.append((path, headers))
            if self.status == 200 and not self.wait_s:
                self.known += spans_in(json.loads(body))

    def all_spans(self):
        with self.lock:
            return list(self.known)

    def spans(self, message_id):
        found = defaultdict(list)
        for span in self.all_spans():
            if span.attributes["parley.message_id"] == str(message_id):
                found[span.name].append(span)
        return found

    def wait_for(self, message_id, names, seconds=30):
        """Until each of these stages of the message was told of."""
        end = time.monotonic() + seconds
        while not set(names) <= set(found := self.spans(message_id)):
            assert time.monotonic() < end, f"of {message_id} only {sorted(found)} came"
            time.sleep(0.1)
        return found


def check_parents(spans):
    """One trace, one root, every parent in it, and nobody ends before it began."""
    everything = [span for some in spans.values() for span in some]
    assert len({span.trace for span in everything}) == 1
    assert len({span.id for span in everything}) == len(everything)
    (root,) = spans["message"]
    assert root.parent == ""
    (sequence,) = spans["sequence"]
    for name, parent in (("produce", root), ("sequence", root), ("store", sequence), ("deliver", sequence)):
        assert all(span.parent == parent.id for span in spans.get(name, [])), name
    assert all(span.begin <= span.end for span in everything)
