"""Runs the parts of the test suite and adds up what they counted.

Each part is a function that prints as it goes and returns a Tally. `./test` calls this file; see `./test --list`.
"""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import toxiproxy
from test_builds import BuildsBeside, build, configure, target_exists

ROOT = Path(__file__).resolve().parent.parent
# Clones share what ccache has compiled, wherever they stand.
os.environ.setdefault("CCACHE_BASEDIR", str(ROOT))
os.environ.setdefault("CCACHE_NOHASHDIR", "true")
CACHE = ROOT / ".cache"
JOBS = str(os.cpu_count() or 2)


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)
    unsteady: list = field(default_factory=list)  # failed beside others, passed alone

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures
        self.unsteady += other.unsteady

    def again(self, second):
        """What failed was run once more, alone: only what failed then too has failed."""
        self.unsteady += [name for name in self.failures if name not in second.failures]
        self.passed += second.passed
        self.failed, self.failures = second.failed, second.failures


def run(command, timeout_s=1200, env=None, echo=True):
    """Runs a command, echoing its output; answers (exit code, output)."""
    merged = {**os.environ, **(env or {})}
    process = subprocess.Popen(
        command, cwd=ROOT, env=merged, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    lines, deadline = [], time.monotonic() + timeout_s
    try:
        for line in process.stdout:
            lines.append(line)
            if echo:
                print("    " + line.rstrip(), flush=True)
            if time.monotonic() > deadline:
                process.kill()
                lines.append(f"killed after {timeout_s} s\n")
        return process.wait(), "".join(lines)
    finally:
        process.kill()


def one(name, command, again=False, **options):
    """A command that is one test: passes when it exits with 0, is skipped on 77."""
    code, output = run(command, **options)
    if code == 0:
        return Tally(passed=1)
    if code == 77:
        print(f"    SKIPPED {name}: {output.strip().splitlines()[-1] if output.strip() else 'no reason given'}")
        return Tally(skipped=1)
    tally = Tally(failed=1, failures=[name])
    if again:
        print("    once more, what failed:")
        tally.again(one(name, command, again=False, **options))
    return tally


def gtest(binary, env=None, arguments=(), timeout_s=900, again=True):
    """Runs a GoogleTest program quietly; prints it whole only when it fails, and then runs once more what failed."""
    name = f"{binary.parent.relative_to(ROOT)}/{binary.name}"
    started = time.monotonic()
    code, output = run([str(binary), "--gtest_brief=0", *arguments], env=env, echo=False, timeout_s=timeout_s)
    passed = len(re.findall(r"^\[       OK \]", output, re.M))
    failed = sorted(set(re.findall(r"^\[  FAILED  \] ([^ ,\n]+)", output, re.M)))
    skipped = len(re.findall(r"^\[  SKIPPED \] \S+ \(", output, re.M))
    failed = [f for f in failed if "." in f]
    if code != 0 and not failed:
        failed = [f"{name} (exit code {code})"]
    print(f"    {name}: {passed} passed, {len(failed)} failed in {time.monotonic() - started:.1f} s", flush=True)
    if code != 0:
        print(output[-12000:])
    for line in re.findall(r"^.*\bskip\w*\b.*$", output, re.M | re.I) if skipped else []:
        print("    " + line)
    tally = Tally(passed, len(failed), skipped, [f"{name}: {f}" for f in failed])
    if again and failed and all("." in f for f in failed):
        print("    once more, what failed:")
        tally.again(gtest(binary, env, [f"--gtest_filter={':'.join(failed)}"], timeout_s, again=False))
    return tally


def test_programs(preset):
    return sorted(p for p in (ROOT / "build" / preset).rglob("parley_*_tests") if p.is_file())


def gtests(preset, names=None, without=(), env=None, arguments=()):
    tally = Tally()
    for program in test_programs(preset):
        if (names is None or program.name in names) and program.name not in without:
            tally.add(gtest(program, env=env, arguments=arguments))
    return tally


# Real servers under a sanitizer take minutes: the adapters' own programs, and the suites on PostgreSQL.
SERVERS = {"parley_kafka_tests", "parley_redis_tests", "parley_postgres_tests"}
WITHOUT_SERVERS = ["--gtest_filter=-*postgres*"]


def venv():
    """A virtual environment with what the Python tests need, made anew when the requirements change."""
    files = [ROOT / f"tests/{part}/requirements.txt" for part in ("e2e", "web", "clients")]
    wanted = "".join(file.read_text() for file in files)
    folder = CACHE / "venv"
    python = folder / "bin/python"
    mark = folder / "requirements.txt"
    if not mark.exists() or mark.read_text() != wanted:
        print("    making the Python environment", flush=True)
        run([sys.executable, "-m", "venv", str(folder)], echo=False)
        options = [word for file in files for word in ("-r", str(file))]
        code, output = run([str(python), "-m", "pip", "install", "-q", *options], echo=False)
        if code != 0:
            print(output)
            raise SystemExit("pip install failed")
        mark.write_text(wanted)
    return python


def pytest(*arguments, timeout_s=1500, env=None, again=True):
    """Runs tests, and once more, one at a time, those that failed: unless `again` is false, because they break
    things on purpose and must never fail."""
    command = [str(venv()), "-m", "pytest", "-q", "-rfE", "--tb=short", *arguments]
    code, output = run(command, timeout_s=timeout_s, env=env)
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|skipped|errors?)", output.splitlines()[-1])}
    failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    if code != 0 and failed == 0:
        failed = 1
    names = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.M)
    tally = Tally(counts.get("passed", 0), failed, counts.get("skipped", 0), names)
    if again and names and len(names) == failed:
        print("    once more, what failed:")
        alone = [each for each in arguments if each not in AT_ONCE]
        tally.again(pytest(*alone, "--last-failed", timeout_s=timeout_s, env=env, again=False))
    return tally


def proxies():
    """For tests that break connections: Toxiproxy, built at the first time."""
    if why := toxiproxy.why_not():
        raise SystemExit(f"no Toxiproxy: {why}")
    return {"PARLEY_TOXIPROXY": str(toxiproxy.fetch())}


# Tests that mostly wait: several at a time, each worker with a server of its own.
AT_ONCE = ["-n", "4", "--dist", "loadfile"]
BESIDE = BuildsBeside()

# --- the parts -----------------------------------------------------------------------------------------------


def part_tidy():
    """Module table, style rules, documents that name what exists"""
    return one("tools/tidy.py", [sys.executable, "tools/tidy.py"])


def build_release():
    configure("release", "-DPARLEY_TESTS=ON")
    build("release")
    target = ROOT / "build/parley"
    target.unlink(missing_ok=True)
    os.link(ROOT / "build/release/parley", target)


def part_unit():
    """Unit, contract and simulator tests, release build"""
    build_release()
    return gtests("release")


def start_builds(wanted):
    """What the sanitizers need, beside the parts that come before them."""
    presets = {}
    if "asan" in wanted or "fuzz" in wanted:
        presets["asan"] = asan_targets if "asan" in wanted else fuzz_targets
    if "tsan" in wanted:
        presets["tsan"] = tsan_targets
    if presets and any(name not in ("asan", "fuzz", "tsan") for name in wanted):
        build_release()
        BESIDE.start(presets)


def asan_targets():
    """All: the fuzz targets are of the same build."""
    return []


def part_asan():
    """The same under AddressSanitizer and UndefinedBehaviorSanitizer"""
    BESIDE.await_build("asan", asan_targets)
    env = {
        "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PARLEY_SIM_SEEDS": "200",
    }
    return gtests("asan", without=SERVERS, env=env, arguments=WITHOUT_SERVERS)


THREADED = {"parley_base_tests", "parley_net_tests", "parley_service_tests", "parley_sqlite_tests",
            "parley_contract_tests", "parley_crypto_tests", "parley_gateway_tests"}


# Clang's own symbolizer would be a package of 100 MB more.
TSAN_OPTIONS = "halt_on_error=1:second_deadlock_stack=1:external_symbolizer_path=/usr/bin/addr2line"


def tsan_targets():
    return ["parley", *(name for name in sorted(THREADED) if target_exists("tsan", name))]


def part_tsan():
    """What has threads, under ThreadSanitizer"""
    BESIDE.await_build("tsan", tsan_targets)
    tally = gtests("tsan", names=THREADED, arguments=WITHOUT_SERVERS,
                   env={"TSAN_OPTIONS": TSAN_OPTIONS})
    tally.add(pytest("tests/e2e/test_socket.py", "tests/e2e/test_resume.py",
                     env={"PARLEY_BINARY": str(ROOT / "build/tsan/parley"), "PARLEY_THREADS": "2"}))
    return tally


def part_e2e():
    """The wire contract against the real server, with clients that are not ours"""
    build_release()
    return pytest("tests/e2e", *AT_ONCE)


def part_web():
    """The web client and /docs in a real browser, two people at once; its types"""
    build_release()  # which installs the packages of web/
    tally = one("web: types", ["npm", "run", "-s", "check", "--prefix", str(ROOT / "web")])
    tally.add(pytest("tests/web", *AT_ONCE))
    return tally


def part_clients():
    """Clients made from the API documents: validators, schemathesis, frames from AsyncAPI, Newman, a generated one"""
    build_release()
    return pytest("tests/clients", "--durations=5")


SDK = ROOT / "clients/js"
SDK_NODE = 20  # as clients/js/package.json says; the web client is built by 18 too


def sdk_packages():
    """npm ci, once for each lock file."""
    lock, mark = (SDK / "package-lock.json").read_text(), SDK / "node_modules/.installed.json"
    if not mark.exists() or mark.read_text() != lock:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(SDK)]
        if run(command, timeout_s=600)[0] != 0:
            raise SystemExit("npm ci failed in clients/js")
        mark.write_text(lock)


def part_sdk():
    """The TypeScript SDK: its parts, the real server through random cuts (PARLEY_SDK_CUTS, 200), the package"""
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0] or 0) < SDK_NODE:
        print(f"    the SDK and its tests want Node {SDK_NODE}, here is {version}: left out", flush=True)
        return Tally(skipped=1)
    build_release()
    sdk_packages()
    if run(["npm", "run", "-s", "build", "--prefix", str(SDK)])[0] != 0:
        return Tally(failed=1, failures=["clients/js: npm run build"])
    tally = sdk_tests(sorted(map(str, (SDK / "test").glob("*.test.mjs"))))
    if tally.failed:
        print("    once more, all:")
        tally.passed = 0
        tally.again(sdk_tests(sorted(map(str, (SDK / "test").glob("*.test.mjs")))))
    return tally


def sdk_tests(files):
    command = ["node", "--test", "--test-reporter=tap", *files]
    code, output = run(command, timeout_s=3600, env=proxies(), echo=False)
    passed = sum(map(int, re.findall(r"^# pass (\d+)", output, re.M)))
    failed = re.findall(r"^not ok \d+ - (.+)", output, re.M) or (["node --test"] if code else [])
    for line in re.findall(r"^# (\d+ cuts,.*)", output, re.M):
        print("    " + line)
    if failed:
        print(output[-8000:])
    return Tally(passed, len(failed), 0, [f"clients/js: {name}" for name in failed])


def part_crash():
    """kill -9 at full speed; what was acknowledged against history and every observer"""
    build_release()
    return pytest("tests/crash", again=False)


def part_cluster():
    """./cluster, its Nginx, the wire contract through it, and the short faults, on real servers"""
    build_release()
    links = proxies()
    tally = pytest("tests/cluster")
    tally.add(pytest("tests/e2e", *AT_ONCE, env={"PARLEY_TARGET": "cluster"}))
    # Also where Nginx sends a client anywhere: what is about messages, members and coming back.
    spread = [f"tests/e2e/test_{name}.py" for name in ("messages", "resume", "members", "rooms")]
    tally.add(pytest(*spread, *AT_ONCE, env={"PARLEY_TARGET": "cluster", "PARLEY_STICKY": "off"}))
    tally.add(pytest("tests/faults/test_faults.py", timeout_s=1500, env=links, again=False))
    tally.add(pytest("tests/faults", "--ignore", "tests/faults/test_faults.py", env=links))
    return tally


def part_faults():
    """Every fault of a cluster, the long ones too (tests/faults/run.py)"""
    build_release()
    return pytest("tests/faults", timeout_s=3600, env={"PARLEY_FAULTS": "all", **proxies()}, again=False)


def part_cluster_sanitizers():
    """Every role of a cluster under ASan with UBSan, then TSan, under load and kills (PARLEY_SANITIZED_SECONDS, 60)"""
    seconds, tally = os.environ.get("PARLEY_SANITIZED_SECONDS", "60"), Tally()
    for preset in os.environ.get("PARLEY_SANITIZERS", "asan tsan").split():
        configure(preset)
        build(preset, "parley")
        command = [str(venv()), "tests/faults/sanitized.py", f"build/{preset}/parley", "--seconds", seconds]
        tally.add(one(f"cluster under {preset}", command, env=proxies()))
    return tally


def fuzz_targets():
    return ["parley_fuzzers"]


def part_fuzz():
    """Each fuzz target for a while (PARLEY_FUZZ_SECONDS, default 10)"""
    BESIDE.await_build("asan", fuzz_targets)
    seconds = os.environ.get("PARLEY_FUZZ_SECONDS", "10")
    tally, running = Tally(), []
    for program in sorted((ROOT / "build/asan/tests/fuzz").glob("*_fuzz")):
        name = program.name.removesuffix("_fuzz")
        work = CACHE / "fuzz" / name
        work.mkdir(parents=True, exist_ok=True)
        running.append((name, [str(program), f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=2048",
                               "-print_final_stats=1", f"-artifact_prefix={work}/", str(work),
                               str(ROOT / "tests/fuzz/corpus" / name)]))
    # Each has one thread: as many at a time as there are cores. Reported in order.
    with ThreadPoolExecutor(int(JOBS)) as pool:
        finished = list(pool.map(lambda each: run(each[1], echo=False, timeout_s=float(seconds) + 300), running))
    for (name, _), (code, output) in zip(running, finished):
        done = re.search(r"stat::number_of_executed_units: (\d+)", output)
        print(f"    {name}: {done.group(1) if done else '?'} inputs", flush=True)
        if code == 0:
            tally.add(Tally(passed=1))
        else:
            print(output[-4000:])
            tally.add(Tally(failed=1, failures=[f"fuzz {name}"]))
    return tally


def part_autobahn():
    """RFC 6455 by the Autobahn testsuite, and once more through a cluster's Nginx"""
    build_release()
    command = [sys.executable, "tests/autobahn/run.py", str(ROOT / "build/release/tests/autobahn/parley_autobahn_echo")]
    tally = one("autobahn", command, again=True)
    tally.add(one("autobahn through Nginx", [*command, "--edge"], again=True))
    return tally


def part_storm():
    """A thousand clients cut at once, by themselves and with the server; a crowd that others join"""
    configure("release", "-DPARLEY_TESTS=ON", "-DPARLEY_BENCH=ON")
    build("release", "parley", "parley_load")
    return one("storm", [str(venv()), "tests/storm/run.py"], again=True)


SOAK_LOG = CACHE / "soak.log"
_soak = None


def start_soak():
    """In the background: it needs little of the machine, and a build that runs beside it costs no time."""
    global _soak
    build_release()
    python = str(venv())
    print("    the soak has begun beside this; its own part tells what came of it", flush=True)
    command = [python, "tests/soak/run.py"]
    _soak = subprocess.Popen(command, cwd=ROOT, stdout=SOAK_LOG.open("w"), stderr=subprocess.STDOUT)


def part_soak():
    """Mixed traffic for PARLEY_SOAK_SECONDS (180): memory, descriptors and threads flat, nothing lost"""
    if _soak is None:
        start_soak()
    seconds = float(os.environ.get("PARLEY_SOAK_SECONDS", "180"))
    try:
        code = _soak.wait(seconds + 300)
    except subprocess.TimeoutExpired:
        _soak.kill()
        code = "killed: it did not end"
    for line in SOAK_LOG.read_text(errors="replace").splitlines():
        print("    " + line)
    return Tally(passed=1) if code == 0 else Tally(failed=1, failures=[f"soak ({code})"])


def part_run():
    """./run itself: builds, starts, prints the link, stops on Ctrl-C"""
    return pytest("tests/front")


def part_package():
    """The .deb: built, installed in a root of its own, used, upgraded, removed"""
    build_release()
    return pytest("tests/package")


PARTS = {
    "tidy": part_tidy, "unit": part_unit, "e2e": part_e2e, "web": part_web,
    "clients": part_clients, "sdk": part_sdk, "crash": part_crash, "run": part_run,
    "storm": part_storm, "autobahn": part_autobahn,
    "cluster": part_cluster,
    "asan": part_asan, "soak": part_soak, "tsan": part_tsan, "fuzz": part_fuzz, "package": part_package,
}
# Only by their names.
LONG = {"faults": part_faults, "cluster-sanitizers": part_cluster_sanitizers}
QUICK = ["tidy", "unit", "e2e"]


def main(names):
    if names == ["--list"]:
        for name, part in [*PARTS.items(), *LONG.items()]:
            print(f"{name:18} {part.__doc__}" + (" (not of the whole)" if name in LONG else ""))
        print(f"{'quick':18} {' '.join(QUICK)}")
        return 0
    wanted = []
    for name in names or PARTS:
        wanted += QUICK if name == "quick" else [name]
    parts = PARTS | LONG
    unknown = [name for name in wanted if name not in parts]
    if unknown:
        print(f"test: no part {unknown[0]}; ./test --list names them", file=sys.stderr)
        return 2
    total, started, begun = Tally(), time.monotonic(), False
    for name in wanted:
        print(f"==> {name}: {parts[name].__doc__}", flush=True)
        part_started = time.monotonic()
        try:
            if name == "asan" and "soak" in wanted:
                start_soak()
            if not begun and name not in ("tidy", "unit"):
                start_builds(wanted)
                begun = True
            tally = parts[name]()
        except SystemExit as stop:
            tally = Tally(failed=1, failures=[f"{name}: {stop}"])
        print(f"<== {name}: {tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped "
              f"({time.monotonic() - part_started:.0f} s)", flush=True)
        total.add(tally)
    for name in total.unsteady:
        print(f"UNSTEADY {name}: failed at first, passed alone")
    for failure in total.failures:
        print(f"FAILED {failure}")
    print(f"all of it took {time.monotonic() - started:.0f} s")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
