"""Apache Kafka for ./cluster and for tests, without an installation: its jars by Maven, kept in .cache/kafka.

    python3 tools/kafka.py                      fetches what is missing and prints the folder of the jars
    python3 tools/kafka.py broker FOLDER PORT CONTROLLER_PORT
                                                makes a short-lived broker in FOLDER and prints the command that runs
                                                it, one word a line

Beside the jars stands broker.jsa, an archive of loaded classes, which makes a start a third shorter; a broker runs
without it, too. Run twice it does nothing; two at a time wait for each other. Needs mvn and java (17).
"""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".cache/kafka"
VERSION = "4.4.0"
LOG4J_VERSION = "2.25.5"  # without a binding a broker says nothing about its end
CLUSTER_ID = "cGFybGV5LWNsdXN0ZXItMQ"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>parley</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>{LOG4J_VERSION}</version></dependency>
  </dependencies>
</project>
"""
# Of a broker that is to be up soon; what lasts is better off with the second compiler and more memory.
SHORT_LIVED = ["-Xms64m", "-Xmx256m", "-Xss512k", "-XX:TieredStopAtLevel=1"]
LASTING = ["-Xms256m", "-Xmx512m"]


def fetch():
    """The folder of the jars, which are all there."""
    named = os.environ.get("PARLEY_KAFKA_LIBS")
    if named:
        return Path(named)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        libs = FOLDER / "libs"
        if not (libs / f"kafka_2.13-{VERSION}.jar").is_file():
            _download(libs)
        if not archive_of(libs).is_file():
            _make_archive(libs)
    return libs


def archive_of(libs):
    return libs.parent / "broker.jsa"


def java(libs, main, *arguments, options=SHORT_LIVED, archive=True):
    """The command that runs a class of Kafka's."""
    command = ["java", *options, "-XX:+UseSerialGC", "-Dlog4j2.level=WARN"]
    if archive and archive_of(libs).is_file():
        command.append(f"-XX:SharedArchiveFile={archive_of(libs)}")
    return [*command, "-cp", f"{libs}/*", main, *map(str, arguments)]


def properties(folder, port, controller_port, relayed=None, **more):
    """Settings of a single broker that is its own controller; soon it misses whoever is dead. `relayed`: further
    ports of its own, and for each that under which clients who come by it know the broker."""
    listeners = {"PLAINTEXT": (port, port)}
    listeners |= {f"RELAYED{number}": ports for number, ports in enumerate((relayed or {}).items())}
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": addresses({name: own for name, (own, _) in listeners.items()} | {"CONTROLLER": controller_port}),
        "advertised.listeners": addresses({name: known for name, (_, known) in listeners.items()}),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in [*listeners, "CONTROLLER"]),
        "log.dirs": f"{folder}/data",
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.min.session.timeout.ms": 1000,
        "group.initial.rebalance.delay.ms": 0,
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
        "num.network.threads": 2,
        "num.io.threads": 2,
        "log.cleaner.dedupe.buffer.size": 2 * 1024 * 1024,
    }
    settings.update({name.replace("_", "."): value for name, value in more.items()})
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def addresses(listeners):
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items())


def format_storage(libs, config):
    """Once, before the first start."""
    command = java(libs, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER_ID, "-c", config)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def free_port():
    """Below those that the kernel gives to whoever connects: one of these may be taken by then."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _download(libs):
    print(f"==> Fetching Apache Kafka {VERSION} by Maven", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        (Path(folder) / "pom.xml").write_text(POM)
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}/libs"]
        subprocess.run(["mvn", "-q", "-B", *goal], cwd=folder, check=True, stdout=sys.stderr)
        shutil.rmtree(libs, ignore_errors=True)
        archive_of(libs).unlink(missing_ok=True)
        (Path(folder) / "libs").rename(libs)


def _make_archive(libs):
    """Starts a broker once and lets it write down what it loaded; without luck there is no archive."""
    with tempfile.TemporaryDirectory() as folder:
        config, port = Path(folder) / "server.properties", free_port()
        config.write_text(properties(folder, port, free_port()))
        format_storage(libs, config)
        made = Path(folder) / "broker.jsa"
        options = [*SHORT_LIVED, f"-XX:ArchiveClassesAtExit={made}"]
        command = java(libs, "kafka.Kafka", config, options=options, archive=False)
        broker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while not answers(port) and broker.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            time.sleep(1)
            broker.send_signal(signal.SIGTERM)
            broker.wait(60)
        except subprocess.TimeoutExpired:
            pass
        finally:
            broker.kill()
            broker.wait()
        if made.is_file():
            shutil.move(made, archive_of(libs))


def _make_broker(folder, port, controller_port):
    libs, config = fetch(), Path(folder) / "server.properties"
    config.write_text(properties(folder, port, controller_port))
    format_storage(libs, config)
    print("\n".join(java(libs, "kafka.Kafka", config)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["broker"]:
        _make_broker(*sys.argv[2:])
    else:
        print(fetch())
