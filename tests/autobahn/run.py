#!/usr/bin/env python3
"""Runs Autobahn's WebSocket cases against the net module's echo server.

usage: run.py ECHO_SERVER_PROGRAM [--edge] [--cache DIR] [--cases 1.*,2.*]

With --edge the cases go through Nginx, with a cluster's settings of it.

By default the 301 core cases and 25 of permessage-deflate; with PARLEY_AUTOBAHN=all also the rest
of those 216, which takes a quarter of an hour.

Autobahn's test suite is Python 2 only: it is installed once into the cache directory by a
python2.7 (the system's, or one of pyenv). A machine without one: exit 77, said loudly.
Ends with 'N passed, N failed'; exit 1 if a case failed, or was not strict in any group but 9.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

VERSION = "25.10.1"
CORE = "1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.*,10.*"
# Of each kind of payload and of offer, messages of 16 bytes and of 1 KiB; and one kind in fragments.
DEFLATE_SOME = ",".join(f"{group}.{size}" for group in
                        ("12.1", "12.2", "12.3", "12.4", "12.5", "13.1", "13.2", "13.3", "13.4", "13.5", "13.6", "13.7")
                        for size in (1, 4)) + ",12.1.11"
DEFLATE = "12.*,13.*"
STRICT_GROUPS = {"1", "2", "3", "4", "5", "6", "7", "10", "12", "13"}
ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
sys.path.append(str(ROOT))

from tools.cluster import nginx  # noqa: E402


def python2():
    """The command and environment of a Python 2.7 that has pip, or None."""
    candidates = [pathlib.Path(p) for p in filter(None, [shutil.which("python2.7")])]
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    candidates += sorted(pyenv.glob("versions/2.7*/bin/python2.7"))
    for candidate in candidates:
        probe = subprocess.run([candidate, "-m", "pip", "--version"], capture_output=True)
        if probe.returncode == 0:
            return candidate
    return None


def install(python, directory):
    done = directory / ("installed-" + VERSION)
    if done.exists():
        return
    print(f"installing autobahntestsuite {VERSION} into {directory} (about a minute)", flush=True)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                    "--target", directory, "autobahntestsuite==" + VERSION],
                   check=True, stderr=subprocess.DEVNULL)
    # --target leaves out the namespace package's own file.
    (directory / "zope" / "__init__.py").touch()
    done.touch()


@contextlib.contextmanager
def edge_before(port):
    """Nginx as a cluster has it, with the echo server for its chat node; its port."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program, "nginx is missing"
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        text = nginx.render(f"127.0.0.1:{own}", [f"127.0.0.1:{port}"], [f"127.0.0.1:{port}"], prefix=folder,
                            workers=1, connections=1024, open_files=4096, error_log=f"{folder}/error.log",
                            run_as="root" if os.geteuid() == 0 else None)
        config = pathlib.Path(folder) / "nginx.conf"
        config.write_text("daemon off;\n" + text)
        process = subprocess.Popen([program, "-p", folder, "-c", config], stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 10
            while socket.socket().connect_ex(("127.0.0.1", own)) != 0:
                assert process.poll() is None and time.monotonic() < end, "Nginx did not start"
                time.sleep(0.02)
            yield own
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)


def run_cases(python, packages, port, cases, report):
    spec = report / "spec.json"
    spec.write_text(json.dumps({
        "outdir": str(report),
        "servers": [{"agent": "parley", "url": f"ws://127.0.0.1:{port}/v1/ws"}],
        "cases": cases.split(","), "exclude-cases": [], "exclude-agent-cases": {},
    }))
    code = ("import sys; sys.argv = ['wstest', '-m', 'fuzzingclient', '-s', sys.argv[1]];"
            "from autobahntestsuite.wstest import run; run()")
    environment = dict(os.environ, PYTHONPATH=str(packages))
    with open(report / "wstest.log", "w") as log:
        subprocess.run([python, "-c", code, spec], env=environment, check=True, timeout=3600,
                       stdout=log, stderr=log)
    index = report / "index.json"
    if not index.exists():  # Twisted ends with 0 also when it is asked to end (SIGTERM)
        raise SystemExit("wstest ended before its last case:\n" + (report / "wstest.log").read_text()[-3000:])
    return json.loads(index.read_text())["parley"]


def judge(results):
    bad = []
    for case in sorted(results, key=lambda c: [int(n) for n in c.split(".")]):
        result = results[case]
        strict = case.split(".")[0] in STRICT_GROUPS
        allowed = {"OK", "INFORMATIONAL"} | (set() if strict else {"NON-STRICT"})
        if result["behavior"] not in allowed or result["behaviorClose"] not in allowed:
            bad.append(f"{case}: {result['behavior']}, close: {result['behaviorClose']}")
    return bad


def main():
    whole = os.environ.get("PARLEY_AUTOBAHN") == "all"
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("server")
    arguments.add_argument("--cache", type=pathlib.Path, default=ROOT / ".cache" / "autobahn")
    arguments.add_argument("--edge", action="store_true", help="through Nginx")
    arguments.add_argument("--cases", default=f"{CORE},{DEFLATE if whole else DEFLATE_SOME}")
    options = arguments.parse_args()
    python = python2()
    if python is None:
        print("SKIPPED: Autobahn needs Python 2.7 with pip, and this machine has none.")
        return SKIPPED
    packages = options.cache.resolve() / "packages"
    try:
        install(python, packages)
    except subprocess.CalledProcessError as error:
        print("SKIPPED: pip could not install autobahntestsuite (no network?):", error)
        return SKIPPED
    server = subprocess.Popen([options.server, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        port = int(server.stdout.readline())
        way = edge_before(port) if options.edge else contextlib.nullcontext(port)
        with way as port, tempfile.TemporaryDirectory() as report:
            results = run_cases(python, packages, port, options.cases, pathlib.Path(report))
    finally:
        server.stdin.close()
        code = server.wait(timeout=10)
    bad = judge(results)
    for line in bad:
        print("failed or not strict:", line)
    if code != 0:
        print(f"the echo server ended with {code}")
    print(f"{len(results) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad or code != 0 or not results else 0


if __name__ == "__main__":
    sys.exit(main())
