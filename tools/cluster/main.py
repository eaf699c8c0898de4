"""The commands of ./cluster (see `./cluster --help`)."""

import argparse
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.cluster.cluster import OPTIONS, Cluster, Refused  # noqa: E402
from tools.cluster.parts import NotReady  # noqa: E402
from tools.cluster.state import State  # noqa: E402


def signal_of(text):
    name = text.lstrip("-").upper().removeprefix("SIG")
    if name.isdigit():
        return signal.Signals(int(name))
    try:
        return signal.Signals[f"SIG{name}"]
    except KeyError:
        raise Refused(f"{text} is no signal") from None


def say(text):
    print(text, flush=True)


def up(cluster, arguments):
    # What is not said stays as it was at the last up.
    options = {name: getattr(arguments, name) for name in ("host", "port", "partitions")}
    options = {name: value for name, value in options.items() if value is not None}
    options["fast"] = arguments.fast
    options["sticky"] = not arguments.no_sticky
    options["environment"] = {k: v for k, v in os.environ.items() if k.startswith("PARLEY_")}
    options["environment"].pop("PARLEY_BINARY", None)
    cluster.up(**options)


def down(cluster, arguments):
    cluster.down(delete=arguments.delete)
    say("==> everything has ended" + ("; the data is gone" if arguments.delete else ""))


def status(cluster, _):
    rows = cluster.status()
    say(f"{'ROLE':12} {'PID':>8} {'PORT':>6}  {'STATE':8} READY")
    for name, pid, port, state, ready in rows:
        say(f"{name:12} {pid or '-':>8} {port:>6}  {state:8} {'yes' if ready else 'no'}")
    return 0 if all(ready for *_, ready in rows) else 1


def logs(cluster, arguments):
    cluster.must_exist()
    names = [arguments.name] if arguments.name else [part.name for part in cluster.parts()]
    files = [file for name in names if (file := State(arguments.dir).log(name)).exists()]
    if not files:
        raise Refused(f"no log of {arguments.name or 'anything'} in {arguments.dir}/logs")
    lines = ["-n", str(arguments.lines)]
    os.execvp("tail", ["tail", *lines, *(["-F"] if arguments.follow else []), *map(str, files)])


def kill(cluster, arguments):
    number = signal_of(arguments.signal)
    hit = cluster.kill(arguments.name, number)
    say(f"==> {number.name} to {', '.join(hit)}" if hit else f"==> no {arguments.name} is running")
    return 0 if hit else 1


def start(cluster, arguments):
    cluster.start(arguments.name)


def restart(cluster, arguments):
    cluster.restart(arguments.name)


def scale(cluster, arguments):
    role, _, count = arguments.what.partition("=")
    if not count.isdigit():
        raise Refused("scale takes ROLE=N, e.g. chat=3")
    cluster.scale(role, int(count))


def parley(cluster, arguments):
    cluster.must_exist()
    flags = cluster.settings_environment()
    binary = cluster.options["binary"]
    os.execvpe(binary, [binary, *arguments.words], {**cluster.environment(), **flags})


def parser():
    main = argparse.ArgumentParser(prog="./cluster", description="A Parley cluster on this machine")
    main.add_argument("--dir", type=Path, default=ROOT / ".cluster", help="its folder (.cluster)")
    commands = main.add_subparsers(required=True, metavar="COMMAND")

    def command(function, help, *arguments):
        one = commands.add_parser(function.__name__, help=help)
        for names, options in arguments:
            one.add_argument(*names, **options)
        one.set_defaults(function=function)

    name = (["name"], {"metavar": "ROLE[.N]", "help": "e.g. chat, chat.2, shard.0"})
    command(
        up,
        "start what is missing",
        (["--port"], {"type": int, "help": f"of Nginx ({OPTIONS['port']})"}),
        (["--host"], {"help": f"of Nginx ({OPTIONS['host']}); everything else is on loopback"}),
        (["--partitions"], {"type": int, "help": f"of the log ({OPTIONS['partitions']})"}),
        (["--fast"], {"action": "store_true", "help": "a JVM that starts fast and runs slower"}),
        (["--no-sticky"], {"action": "store_true", "help": "sockets go to any chat node"}),
    )
    delete = {"action": "store_true", "help": "and forget everything"}
    command(down, "end everything", (["--delete"], delete))
    command(status, "who runs, and who is ready")
    command(
        logs,
        "what they have printed",
        (["name"], {"nargs": "?", "metavar": "NAME"}),
        (["-n", "--lines"], {"type": int, "default": 20}),
        (["-f", "--follow"], {"action": "store_true"}),
    )
    kill_help = "send a signal: kill chat.1, kill kafka -STOP"
    command(kill, kill_help, name, (["signal"], {"nargs": "?", "default": "KILL"}))
    command(start, "start what is missing of a role", name)
    command(restart, "stop and start, one after the other (an upgrade)", name)
    command(scale, "e.g. scale chat=3; shard=3 adds one", (["what"], {"metavar": "ROLE=N"}))
    words = {"nargs": argparse.REMAINDER, "metavar": "WORD"}
    command(parley, "a command of the program, on this cluster: parley user list", (["words"], words))
    return main


def main(words):
    # -9 and -STOP are no options of ours.
    if "kill" in words:
        words = [w.lstrip("-") if w[:1] == "-" and w[1:2] not in "-h" else w for w in words]
    arguments = parser().parse_args(words)
    try:
        return arguments.function(Cluster(arguments.dir, say), arguments) or 0
    except (Refused, NotReady) as problem:
        print(f"cluster: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
