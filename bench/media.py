"""What large files cost: memory, and speed beside programs that do nothing else.

    python3 bench/media.py [--megabytes 1000] [--runs 3] [--slow 1000] [--binary build/release/parley]

Prints a Markdown table for docs/benchmarks.md:

- an upload, and the growth of the server's memory during it, beside a sink of a few lines that
  writes the same bytes from a socket to a new file on the same disk and syncs it;
- a download beside Nginx's (sendfile) of the same file;
- the latency of chat (`parley_load`), alone and beside many uploads that go on at 2 KB/s each.

Runs of a kind are made in turn, and the middle one counts: quote the ratios. Needs nginx, and
parley_load beside the binary (cmake --preset release -DPARLEY_BENCH=ON).
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIECE = 1 << 20
SINK = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
buffer = memoryview(bytearray(256 * 1024))
for number in range(1000):  # a new file each time, as for the server: its pages are not warm
    connection = listener.accept()[0]
    left = int.from_bytes(connection.recv(8), "big")
    file = os.open(sys.argv[1] + str(number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    while left:
        got = connection.recv_into(buffer)
        os.write(file, buffer[:got])
        left -= got
    os.fsync(file)
    connection.sendall(b"1")
    os.close(file)
    connection.close()
"""


def resident(pid):
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


class Watch:
    """The most memory that a process had meanwhile, beyond what it had before."""

    def __init__(self, pid):
        self.pid, self.growth, self.stop = pid, 0, threading.Event()

    def __enter__(self):
        self.before = resident(self.pid)
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()
        return self

    def look(self):
        while not self.stop.wait(0.02):
            self.growth = max(self.growth, resident(self.pid) - self.before)

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


@contextlib.contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


class Server:
    def __init__(self, binary, folder):
        self.folder = folder
        environment = {**os.environ, "PARLEY_LIMITS_ENABLED": "false"}
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--data", str(folder / "data")]
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", self.log.read_text())):
            if self.process.poll() is not None:
                sys.exit(self.log.read_text())
            time.sleep(0.01)
        self.port, self.pid = int(found[1]), self.process.pid
        name = f"bench{time.time_ns() % 10**9}"
        account = {"username": name, "email": f"{name}@example.org", "password": "a fair measure"}
        self.token = self.call("POST", "/v1/users", account)["access_token"]
        self.room = self.call("POST", "/v1/rooms", {"kind": "group", "name": name})["id"]

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "token"):
            headers["Authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode() if body is not None else None
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as answer:
            return json.loads(answer.read() or b"null")

    def ticket(self, size):
        offer = {"filename": "film.mp4", "content_type": "video/mp4", "size": size}
        return self.call("POST", f"/v1/rooms/{self.room}/media", offer)

    def begin_upload(self, size):
        """A connection that waits for the bytes of a file; and whose file."""
        made = self.ticket(size)
        target = urllib.parse.urlsplit(made["upload"]["url"])
        connection = socket.create_connection(("127.0.0.1", self.port))
        head = f"PUT {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Length: {size}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in made["upload"]["headers"].items())
        connection.sendall(head.encode() + b"\r\n")
        return connection, made["media_id"]

    def download_path(self, media):
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/media/{media}",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        try:
            urllib.request.build_opener(Stay).open(request)
        except urllib.error.HTTPError as answer:
            return urllib.parse.urlsplit(answer.headers["Location"]).path
        sys.exit("no redirect")


def send_file(connection, path):
    with path.open("rb") as file:
        connection.sendfile(file)


def upload(server, path):
    size = path.stat().st_size
    connection, media = server.begin_upload(size)
    with Watch(server.pid) as watch:
        began = time.monotonic()
        send_file(connection, path)
        answer = connection.recv(4096)
        seconds = time.monotonic() - began
    connection.close()
    if b" 200 " not in answer.split(b"\r\n")[0]:
        sys.exit(f"the upload was refused: {answer!r}")
    message = {"nonce": str(time.time_ns()), "type": "MEDIA", "content": "", "media_id": media}
    server.call("POST", f"/v1/rooms/{server.room}/messages", message)
    return size / seconds, watch.growth, media


def sink(port, path):
    size = path.stat().st_size
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.monotonic()
        connection.sendall(size.to_bytes(8, "big"))
        send_file(connection, path)
        connection.recv(1)
        return size / (time.monotonic() - began)


def download(port, path, size):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.monotonic()
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        buffer = memoryview(bytearray(PIECE))
        got = connection.recv_into(buffer)
        head, _, rest = bytes(buffer[:got]).partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            sys.exit(f"no file: {head!r}")
        total = len(rest)
        while total < size and (got := connection.recv_into(buffer)):
            total += got
        if total != size:
            sys.exit(f"{total} bytes of {size} came")
        return size / (time.monotonic() - began)


@contextlib.contextmanager
def nginx(folder, root):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;"
        f"user root; events {{}} http {{ access_log off; sendfile on; tcp_nopush on; {temporary}"
        f"server {{ listen 127.0.0.1:{port}; root {root}; }} }}"
    )
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin") or sys.exit("nginx is missing")
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with ended(subprocess.Popen(command, stderr=subprocess.DEVNULL)):
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.01)
        yield port


def large_files(server, folder, arguments):
    path = folder / "film.mp4"
    with path.open("wb") as file:
        file.write(b"\0\0\0\x18ftypisom\0\0\0\0isommp41")
        block = os.urandom(PIECE)
        for number in range(arguments.megabytes * 1_000_000 // PIECE):
            file.write(number.to_bytes(8, "big") + block[8:])
    size = path.stat().st_size
    ups, sinks, downs, others, growth = [], [], [], [], 0
    with ended(subprocess.Popen([sys.executable, "-c", SINK, str(folder / "sink")], stdout=subprocess.PIPE)) as process:
        sink_port = int(process.stdout.readline())
        upload(server, path)  # the first one grows what stays
        for run in range(arguments.runs):
            with path.open("r+b") as file:  # another file, or its content would be there already
                file.seek(1000)
                file.write(run.to_bytes(8, "big"))
            sinks.append(sink(sink_port, path))
            speed, grown, media = upload(server, path)
            ups.append(speed)
            growth = max(growth, grown)
    with nginx(folder, folder) as nginx_port:
        for _ in range(arguments.runs):
            others.append(download(nginx_port, "/film.mp4", size))
            with Watch(server.pid) as watch:
                downs.append(download(server.port, server.download_path(media), size))
            growth = max(growth, watch.growth)
    path.unlink()
    name = f"a file of {arguments.megabytes:,} MB"
    row(f"{name}: growth of the server's memory, up and down", f"{growth / 1e6:.1f} MB", "≤ 8 MB", growth <= 8e6)
    for what, ours, theirs, beside in (
        ("upload, synced", ups, sinks, "a sink"),
        ("download", downs, others, "Nginx"),
    ):
        mine, other = statistics.median(ours) / 1e6, statistics.median(theirs) / 1e6
        figure = f"{mine:,.0f} MB/s = {mine / other:.2f} × {beside} ({other:,.0f} MB/s)"
        row(f"{name}: {what}", figure, f"≥ 0.8 × {beside}", mine >= 0.8 * other)


def chat(server, arguments):
    command = [arguments.load, "--port", server.port, "--pid", server.pid, "--rooms", 50, "--members", 10]
    command += ["--rate", 500, "--seconds", arguments.seconds, "--user-prefix", "media", "--users", 50]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"a run that must not be quoted:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])["p99_ms"]


@contextlib.contextmanager
def dripping(opened):
    """Each connection gets 2 KB a second, each at a moment of its own."""
    stop, piece, gap = threading.Event(), b"x" * 2000, 1 / len(opened)

    def drip():
        due = time.monotonic()
        while not stop.is_set():
            for connection in opened:
                due += gap
                time.sleep(max(0, due - time.monotonic()))
                connection.sendall(piece)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for connection in opened:
            connection.close()


def slow_uploads(server, arguments):
    """Chat alone, and beside uploads that are at it the whole time, each begun at another length."""
    alone, beside, growth = [], [], 0
    chat(server, arguments)  # makes the accounts, warms up
    for _ in range(arguments.runs):
        alone.append(chat(server, arguments))
        opened = [server.begin_upload(1_000_000)[0] for _ in range(arguments.slow)]
        for number, connection in enumerate(opened):
            connection.sendall(b"x" * (number * 7919 % 16_000))
        with dripping(opened):
            before = resident(server.pid)
            beside.append(chat(server, arguments))
            growth = max(growth, resident(server.pid) - before)
        time.sleep(1)
    quiet, loud = statistics.median(alone), statistics.median(beside)
    figure = f"{quiet:.2f} / {loud:.2f} ms = {loud / quiet:.2f} ×; +{growth / 1e6:.0f} MB"
    row(f"{arguments.slow:,} slow uploads: p99 of chat, without / with", figure, "≤ 1.1 ×", loud <= 1.1 * quiet)


def row(work, figure, aim, met):
    print(f"| {work} | {figure} | {aim} | {'yes' if met else '**no**'} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=5, help="of each run of chat")
    parser.add_argument("--folder", type=Path, help="on the disk that is measured")
    parser.add_argument("--binary", default=str(ROOT / "build/release/parley"))
    parser.add_argument("--load", default=str(ROOT / "build/release/bench/parley_load"))
    arguments = parser.parse_args()
    print("| work | measured | aim | met |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="parley-media-", dir=arguments.folder) as name:
        folder = Path(name)
        server = Server(arguments.binary, folder)
        with ended(server.process):
            if arguments.megabytes:
                large_files(server, folder, arguments)
            if arguments.slow:
                slow_uploads(server, arguments)


if __name__ == "__main__":
    main()
