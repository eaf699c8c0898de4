"""A TCP proxy between two parts of a cluster, that breaks what goes through it: one of Toxiproxy's.

    with TcpProxy(target_port) as link:
        link.port                       # what is connected to in place of the target
        link.blackhole()                # nothing goes through, nobody is told; new connections too
        link.refuse()                   # all connections are reset, and new ones refused
        link.delay(0.5)                 # each piece comes so much later, either way
        link.slice(1, 0.001)            # in pieces of one byte
        link.bandwidth(8_000)           # bytes a second of each connection and direction; whole thousands
        link.limit(4_000)               # a connection is reset after so many bytes of an answer from now on
        link.answer(b"HTTP/1.1 500 ...")  # to whoever says something, in place of the target
        link.reset()                    # those that are open now; a moment long new ones are refused
        link.heal()                     # as it was; those that were stuck are reset
        link.served                     # connections that came to the target so far

Each of them takes the place of the one before. They are there when the call returns; ProxyError: Toxiproxy does not
do it. One server serves all proxies of a process; it ends with the process, however that ends. It may hang when a
client resets its connection in just the moment in which something else is to go wrong with it (it waits for each
connection under a lock that those that end want too): then it is killed, and the next proxy has another one.

Threading: the methods from any thread; the first proxy is made by one that lasts (PR_SET_PDEATHSIG).
"""

import atexit
import contextlib
import http.client
import itertools
import json
import os
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from tools import toxiproxy  # noqa: E402
from tools.kafka import answers, free_port  # noqa: E402

LOOPBACK = "127.0.0.1"
PIECE = 64 * 1024
CALL_S = 30  # Toxiproxy itself gives up after 25
PORTS_TRIED = 5  # somebody else may take one first
BOTH = ("upstream", "downstream")
# It does nothing to what goes through. Where it is, Toxiproxy ends each connection by a reset in place of an orderly
# end: at their death processes and machines are not more polite than that.
RESETS = {"name": "resets", "type": "reset_peer", "stream": "downstream", "toxicity": 0, "attributes": {}}


class ProxyError(Exception):
    """The text says what Toxiproxy was asked for, and its answer."""


class Server:
    """toxiproxy-server, a process of its own. Its log tells of the connections: its metrics know only their bytes,
    and these at their end."""

    only, making = None, threading.Lock()

    @classmethod
    def of_this_process(cls):
        with cls.making:
            cls.only = cls.only or cls()
            return cls.only

    def __init__(self):
        self.served = Counter()
        program = toxiproxy.fetch()
        for _ in range(PORTS_TRIED):
            if self.start(program, free_port()):
                atexit.register(self.stop)
                return
        raise ProxyError(f"toxiproxy-server does not start ({PORTS_TRIED} times)")

    def start(self, program, port):
        self.port, failed = port, threading.Event()
        command, environment = toxiproxy.command(program, port), {**os.environ, "LOG_LEVEL": "info"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment)
        threading.Thread(target=self.read, args=(self.process.stdout, failed), daemon=True).start()
        end = time.monotonic() + 10
        while time.monotonic() < end and not failed.is_set():
            if answers(port):
                return True
            time.sleep(0.01)
        self.stop()
        return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def read(self, log, failed):
        for line in log:
            try:
                told = json.loads(line)
            except ValueError:  # none of its log's
                sys.stderr.write(line.decode(errors="replace"))
                continue
            message = told.get("message")
            if message == "Accepted client":
                self.served[told["name"]] += 1
            elif message == "Unable to open connection to upstream":
                self.served[told["name"]] -= 1
            elif message == "Server finished with error":
                failed.set()
        failed.set()

    def give_up(self):
        with self.making:
            if Server.only is self:
                Server.only = None
        self.stop()

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=CALL_S)
        try:
            connection.request(method, path, body if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as problem:
            self.give_up()
            raise ProxyError(f"{method} {path}: {problem!r}") from problem
        finally:
            connection.close()
        if answer.status == 503:  # it has waited as long as it does
            self.give_up()
        if answer.status >= 300:
            raise ProxyError(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text) if text else None


class TcpProxy:
    numbers = itertools.count(1)

    def __init__(self, target_port):
        self.server, self.name = Server.of_this_process(), f"proxy-{next(self.numbers)}"
        self.lock = threading.RLock()
        self.target = f"{LOOPBACK}:{target_port}"
        self.toxics, self.now = [], {"upstream": self.target, "enabled": True}
        self.answering = None
        for attempt in range(PORTS_TRIED):
            # One that the kernel gives to nobody who connects while the proxy is disabled.
            self.port = free_port()
            try:
                made = {"name": self.name, "listen": f"{LOOPBACK}:{self.port}", "upstream": self.target}
                self.server.call("POST", "/proxies", made)
                break
            except ProxyError:
                if attempt + 1 == PORTS_TRIED:
                    raise
        self.server.call("POST", f"/proxies/{self.name}/toxics", RESETS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def served(self):
        return self.server.served[self.name]

    # --- what goes wrong
    def blackhole(self):
        self.set("timeout", timeout=0)

    def refuse(self):
        self.set(enabled=False)

    def delay(self, seconds):
        self.set("latency", latency=round(seconds * 1000))

    def slice(self, size, pause_s):
        self.set("slicer", average_size=size, size_variation=0, delay=round(pause_s * 1e6))

    def bandwidth(self, per_second):
        if per_second % 1000:
            raise ValueError("Toxiproxy counts in thousands of bytes")
        self.set("bandwidth", rate=per_second // 1000)

    def limit(self, most):
        self.set("limit_data", ["downstream"], bytes=most)

    def answer(self, data):
        answering = Answering(data)
        self.set(upstream=answering.address)
        self.answering = answering

    def reset(self):
        with self.lock:
            if self.now["enabled"]:
                self.change(enabled=False)
                self.change(enabled=True)

    def heal(self):
        self.set()

    def close(self):
        with self.lock:
            if self.target and self.server.process.poll() is None:
                self.server.call("DELETE", f"/proxies/{self.name}")
            self.target = None
            self.end_answering()

    # --- how Toxiproxy is told
    def set(self, toxic=None, streams=BOTH, *, upstream=None, enabled=True, **attributes):
        with self.lock:
            for name in self.toxics:
                self.server.call("DELETE", f"/proxies/{self.name}/toxics/{name}")
            self.toxics = []
            self.change(upstream=upstream or self.target, enabled=enabled)
            self.end_answering()
            for stream in streams if toxic else ():
                wanted = {"name": stream, "type": toxic, "stream": stream, "attributes": attributes}
                self.server.call("POST", f"/proxies/{self.name}/toxics", wanted)
                self.toxics.append(stream)

    def change(self, **wanted):
        """Another target, or no longer enabled: all connections are reset."""
        wanted = {**self.now, **wanted}
        if wanted != self.now:
            self.server.call("PATCH", f"/proxies/{self.name}", wanted)
            self.now = wanted

    def end_answering(self):
        if self.answering:
            self.answering.shutdown()
            self.answering.server_close()
            self.answering = None


class Answering(socketserver.ThreadingTCPServer):
    """Says the same to everybody who says something."""

    daemon_threads, block_on_close, request_queue_size = True, False, 512

    def __init__(self, data):
        super().__init__((LOOPBACK, 0), None)
        self.data, self.address = data, f"{LOOPBACK}:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), name="answering", daemon=True).start()

    def finish_request(self, request, client_address):
        request.settimeout(2)
        with contextlib.suppress(OSError):
            if request.recv(PIECE):
                request.sendall(self.data)
            # The rest of what it sends is taken, or it would be told of a reset before it reads.
            while request.recv(PIECE):
                pass
