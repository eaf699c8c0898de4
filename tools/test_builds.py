"""Builds of the test suite: CMake presets, and those that run beside tests which mostly wait.

A build beside the tests has the lowest priority, in a session of its own (the kernel shares the processor by session
before it looks at priorities), and ends with this process.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JOBS = str(os.cpu_count() or 2)
PATIENCE_S = 2400


def configure(preset, *options):
    result = subprocess.run(["cmake", "--preset", preset, *options], cwd=ROOT, text=True, capture_output=True)
    if result.returncode != 0:
        print(result.stdout + result.stderr)
        raise SystemExit(f"configuring {preset} failed")


def target_exists(preset, target):
    return f"build {target}:" in (ROOT / f"build/{preset}/build.ninja").read_text()


def build(preset, *targets):
    started = time.monotonic()
    process = _start(preset, targets)
    _check(preset, process.wait(PATIENCE_S), process)
    print(f"    built {preset} in {time.monotonic() - started:.0f} s", flush=True)


class BuildsBeside:
    """Builds one preset after the other in the background; await_build() waits for one of them."""

    def __init__(self):
        self._done, self._failed, self._running = {}, {}, None
        atexit.register(self._stop)

    def start(self, presets):
        """Of the presets (name to a function that tells its targets, once it is configured)."""
        self._done = {preset: threading.Event() for preset in presets}
        threading.Thread(target=self._work, args=(presets,), daemon=True).start()

    def await_build(self, preset, targets_of):
        if preset not in self._done:
            configure(preset)
            build(preset, *targets_of())
            return
        started = time.monotonic()
        if not self._done[preset].is_set():
            self._hurry()
        self._done[preset].wait(PATIENCE_S)
        if preset in self._failed:
            print(self._failed[preset])
            raise SystemExit(f"building {preset} failed")
        print(f"    built {preset} beside other parts, waited for {time.monotonic() - started:.0f} s", flush=True)

    def _work(self, presets):
        for preset, targets_of in presets.items():
            try:
                configure(preset)
                self._running = _start(preset, targets_of(), beside=True)
                _check(preset, self._running.wait(PATIENCE_S), self._running)
            except (SystemExit, OSError, subprocess.SubprocessError) as problem:
                self._failed[preset] = str(problem)
            self._done[preset].set()

    def _hurry(self):
        """Somebody waits for it now: it is beside nothing any more."""
        with contextlib.suppress(OSError, AttributeError):
            Path(f"/proc/{self._running.pid}/autogroup").write_text("0")

    def _stop(self):
        if self._running and self._running.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._running.pid, signal.SIGKILL)


def _start(preset, targets, beside=False):
    command = ["cmake", "--build", f"build/{preset}", "-j", JOBS]
    if targets:
        command += ["--target", *targets]
    log = ROOT / f"build/{preset}/build.log"
    with log.open("w") as output:
        return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
                                preexec_fn=_take_what_is_left if beside else None)


def _take_what_is_left():
    os.setsid()
    os.nice(19)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("19")


def _check(preset, code, process):
    if code != 0:
        process.kill()
        output = (ROOT / f"build/{preset}/build.log").read_text(errors="replace")
        print(output[-6000:])
        raise SystemExit(f"building {preset} failed")
