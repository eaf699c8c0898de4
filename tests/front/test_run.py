"""The front door: ./run builds, starts, prints the link, and stops on Ctrl-C."""

import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def start(folder, *arguments, **environment):
    return subprocess.Popen(
        ["./run", "--", "--listen", "127.0.0.1:0", "--data", str(folder), *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )


def link_of(process, within_s):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        found = re.search(r"(http://\S+)", line)
        if found:
            return found.group(1)
        if not line and process.poll() is not None:
            break
    raise AssertionError(f"no link; {process.stderr.read()}")


def test_run_starts_prints_the_link_and_stops_on_ctrl_c(tmp_path):
    process = start(tmp_path / "data")
    try:
        link = link_of(process, 1200)
        with urllib.request.urlopen(link + "/readyz", timeout=5) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(link + "/", timeout=5) as answer:
            assert b"<html" in answer.read().lower()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()


def test_build_only_leaves_the_program():
    done = subprocess.run(["./run", "--build-only"], cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    assert os.access(ROOT / "build/parley", os.X_OK)


def test_an_unknown_option_of_run_is_refused():
    done = subprocess.run(["./run", "--frobnicate"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "--frobnicate" in done.stderr


def test_a_bad_setting_stops_the_start_and_says_what_was_expected(tmp_path):
    done = subprocess.run(["build/parley", "--threads", "many", "--data", str(tmp_path)], cwd=ROOT,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "threads" in done.stderr and "many" in done.stderr and "whole number" in done.stderr


def test_settings_layers_file_environment_flags(tmp_path):
    file = tmp_path / "parley.toml"
    file.write_text('listen = "127.0.0.1:1111"\nthreads = 3\nheartbeat_ms = 1000\n[log]\nlevel = "warning"\n')
    env = {**os.environ, "PARLEY_THREADS": "4", "PARLEY_HEARTBEAT_MS": "2000", "PARLEY_CONFIG": str(file)}
    done = subprocess.run(["build/parley", "config", "--heartbeat-ms", "3000"], cwd=ROOT, env=env,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    for line in ['listen = "127.0.0.1:1111"', "threads = 4", "heartbeat_ms = 3000", 'log_level = "warning"']:
        assert line in done.stdout.splitlines()


def test_an_unknown_setting_in_the_file_is_an_error(tmp_path):
    file = tmp_path / "parley.toml"
    file.write_text("lisen = 1\n")
    done = subprocess.run(["build/parley", "config", "--config", str(file)], cwd=ROOT,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "lisen" in done.stderr
