"""The rules of the house as a test: who may include whom, sizes, banned calls, documents that name what exists.

Exits with 1 and one line for each breach. Run from anywhere: python3 tools/tidy.py
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# The table of docs/ARCHITECTURE.md: what a module may include besides itself and its libraries.
MAY_INCLUDE = {
    "base": set(),
    "model": {"base"},
    "ports": {"base", "model"},
    "protocol": {"base", "model"},
    "chat": {"base", "model", "ports", "protocol"},
    "net": {"base"},
    "ingest": {"base", "model", "ports", "protocol", "chat"},
    "cluster": {"base", "model", "ports", "protocol", "chat", "service"},
    "service": {"base", "model", "ports", "protocol", "chat"},
    "gateway": {"base", "model", "ports", "protocol", "chat", "service", "net"},
    "api": {"base", "model", "ports", "protocol", "chat", "service", "net"},
    "adapters": {"base", "model", "ports", "net"},
    "app": {"base", "model", "ports", "protocol", "chat", "net", "ingest", "service", "gateway", "api"}
    | {"cluster", "adapters"},
}
# Each technology has one home.
LIBRARY_HOME = {
    "sqlite3.h": ["adapters/sqlite"],
    "libpq-fe.h": ["adapters/postgres"],
    "librdkafka/": ["adapters/kafka"],
    "hiredis/": ["adapters/redis"],
    "curl/": ["adapters/otlp", "adapters/s3"],
    "argon2.h": ["adapters/crypto"],
    "openssl/": ["adapters/crypto", "adapters/disk", "adapters/s3", "net"],
    "boost/beast": ["net"],
    "boost/json": ["api", "adapters/crypto", "app", "model"],
    "simdjson.h": ["protocol"],
    "spdlog/": ["adapters/system"],
    "CLI/": ["app"],
    "toml++/": ["app"],
    "utf8proc.h": ["chat"],
}
BANNED = [
    (r"\bsystem_clock::now\b", "time comes in by ports/clock.hpp", ("adapters/", "app/")),
    (r"\bsteady_clock::now\b", "time comes in by ports/clock.hpp", ("adapters/", "app/", "net/")),
    (r"\b(std::)?getenv\b", "settings come in by constructor", ("app/",)),
    (r"\bs?rand\(", "entropy comes in by ports/entropy.hpp", ()),
    (r"\bsleep(_for|_until)?\(", "nothing sleeps on a core", ("adapters/", "app/")),
    (r"\bco_spawn\([^;]*detached", "start coroutines through a Gate", ()),
    (r"\[=\]\s*\(\)\s*->\s*Task", "no capturing coroutine lambda", ()),
    (r"\bstd::cerr\b|\bprintf\(", "log through base/log.hpp", ("adapters/", "app/")),
    (r"\bTODO\b|\bFIXME\b|\bXXX\b", "unfinished work belongs in the tracker", ()),
]
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100  # of C++; 120 elsewhere

breaches = []


def breach(path, line, text):
    breaches.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def module_of(path):
    return path.relative_to(SRC).parts[0]


def home_of(path):
    parts = path.relative_to(SRC).parts
    return "/".join(parts[:2]) if parts[0] == "adapters" else parts[0]


def check_includes(path, lines):
    module, home, test = module_of(path), home_of(path), path.name.endswith("_test.cpp")
    for number, line in enumerate(lines, 1):
        own = re.match(r'\s*#include "([^"]+)"', line)
        if own:
            target = own.group(1)
            other = target.split("/")[0]
            if test and target.startswith("tests/support/"):
                continue
            if not (SRC / target).exists():
                breach(path, number, f'"{target}" is not a path below src/')
            elif other != module and other not in MAY_INCLUDE[module] and not test:
                breach(path, number, f"{module} may not include {other}")
            elif module == "adapters" and other == "adapters" and home_of(SRC / target) != home and not test:
                breach(path, number, f"{home} may not include {home_of(SRC / target)}")
        library = re.match(r"\s*#include <([^>]+)>", line)
        if library and not test:
            for prefix, homes in LIBRARY_HOME.items():
                if library.group(1).startswith(prefix) and home not in homes:
                    breach(path, number, f"<{library.group(1)}> has its home in {' and '.join(homes)}")


def check_source(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > FILE_LINES_MAX:
        breach(path, len(lines), f"{len(lines)} lines; split by noun (at most {FILE_LINES_MAX})")
    for number, line in enumerate(lines, 1):
        if len(line) > (LINE_COLUMNS_MAX if path.suffix in (".cpp", ".hpp") else 120):
            breach(path, number, f"{len(line)} columns")
    if path.is_relative_to(SRC):
        check_includes(path, lines)
        place = str(path.relative_to(SRC))
        for pattern, why, allowed in BANNED:
            if place.startswith(allowed) or path.name.endswith("_test.cpp"):
                continue
            for number, line in enumerate(lines, 1):
                if re.search(pattern, line.split("//")[0]):
                    breach(path, number, f"{line.strip()[:60]}: {why}")
        if path.suffix == ".hpp":
            if lines[0][:2] != "//":
                breach(path, 1, "a header opens with what it is for")
            if "#pragma once" not in lines:
                breach(path, 1, "no #pragma once")


def check_functions(paths):
    """At most 70 lines a function, by Universal Ctags."""
    command = ["ctags", "--languages=C++", "--kinds-C++=f", "--fields=+ne", "-f", "-", "-L", "-"]
    try:
        out = subprocess.run(command, input="\n".join(map(str, paths)), capture_output=True, text=True).stdout
    except FileNotFoundError:
        breaches.append("universal-ctags is not installed: function lengths cannot be checked")
        return
    for line in out.splitlines():
        found = re.search(r"^(\S+)\t(\S+)\t.*\tline:(\d+).*\tend:(\d+)", line)
        if found and int(found.group(4)) - int(found.group(3)) >= FUNCTION_LINES_MAX:
            length = int(found.group(4)) - int(found.group(3)) + 1
            breach(Path(found.group(2)), int(found.group(3)), f"{found.group(1)} has {length} lines (at most 70)")


def check_document(path):
    """Paths in backticks and links must exist; so must the commands ./NAME."""
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", line):
            if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                breach(path, number, f"link to {target}, which does not exist")
        for code in re.findall(r"`([^`]+)`", line):
            word = code.split()[0] if code.split() else ""
            if re.fullmatch(r"\./[a-z][\w./-]*", word):
                if not (ROOT / word).exists():
                    breach(path, number, f"command {word}, which does not exist")
            elif re.fullmatch(r"(src|tests|tools|docs|bench|web|cmake|deploy)/[\w./-]*", word):
                if not (ROOT / word).exists():
                    breach(path, number, f"path {word}, which does not exist")
        if re.search(r"\.\./shared|/work/", line):
            breach(path, number, "a path that is not part of this repository")


def tracked(*patterns):
    command = ["git", "ls-files", "-co", "--exclude-standard", *patterns]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return [ROOT / name for name in out.stdout.splitlines() if (ROOT / name).is_file()]


def main():
    for path in tracked("*.cpp", "*.hpp", "*.py", "*.js"):
        check_source(path)
    check_functions([path for path in tracked("*.cpp", "*.hpp") if not path.name.endswith("_test.cpp")])
    for path in tracked("*.md"):
        check_document(path)
    for line in breaches:
        print(line)
    print(f"tidy: {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
