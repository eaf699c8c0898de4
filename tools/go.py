"""Go, for what tests build with it, and how they do (Program). It is the machine's own where that is new enough
(Debian 12's is not), else one from the Go module proxy, kept in .cache/go.

    python3 tools/go.py             fetches what is missing and prints the program

GOPROXY names another proxy, as for Go itself. What comes is held against the hash that Go's own checksum database
has of it. Run twice it does nothing; two at a time wait for each other.
"""

import base64
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
FOLDER = CACHE / "go"
NEEDED = (1, 25)  # by VersityGW
VERSION = "v0.0.1-go1.25.11"  # of the module golang.org/toolchain
PROXY = "https://proxy.golang.org"
# As https://sum.golang.org/lookup/golang.org/toolchain@VERSION says.
HASHES = {
    "linux-amd64": "h1:AUChz5pzC7L9cEGXaGD6Z0N5m2H2JDiTZywfitOXskU=",
    "linux-arm64": "h1:xECt3BbXgL2kOva+7PTvmnAtuKYl/KoAReEXu0E8cYs=",
}


class NotHere(Exception):
    """The text says why."""


def fetch():
    """The program; NotHere."""
    own = shutil.which("go")
    if own and version_of(own) >= NEEDED:
        return Path(own)
    system = f"{platform.system().lower()}-{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(platform.machine()) }"
    if system not in HASHES:
        raise NotHere(f"no Go {NEEDED[0]}.{NEEDED[1]} or newer here, and none to fetch for {system}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        name = f"{VERSION}.{system}"
        if not (FOLDER / name).is_dir():
            _download(name, HASHES[system])
        return FOLDER / name / "bin/go"


class Program:
    """One that is built by Go once, of one version of a module, and kept in .cache/NAME. The variable PARLEY_NAME
    names one that is there already. Two processes that want it wait for each other."""

    def __init__(self, name, package, version):
        self.name, self.package, self.version = name, package, version
        self.folder, self.variable = CACHE / name, f"PARLEY_{name.upper()}"

    def fetch(self):
        """The program, which is there; NotHere, or what the building of it raises."""
        named = os.environ.get(self.variable)
        if named:
            if not Path(named).is_file():
                raise NotHere(f"{self.variable} names {named}, which is not there")
            return Path(named)
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            program = self.folder / f"{self.name}-{self.version}"
            if not program.is_file():
                self._build(program)
        return program

    def why_not(self):
        """Why fetch() does not come to a program; None: it is there now."""
        try:
            self.fetch()
        except (NotHere, OSError, subprocess.CalledProcessError) as problem:
            return str(problem)
        return None

    def _build(self, program):
        compiler = fetch()
        print(f"==> Building {self.name} {self.version} by Go", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            environment = {**os.environ, "GOBIN": folder, "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
            environment.pop("GOROOT", None)  # of another one
            install = [str(compiler), "install", "-trimpath", "-ldflags=-s -w", f"{self.package}@{self.version}"]
            subprocess.run(install, env=environment, check=True, stdout=sys.stderr)
            (Path(folder) / self.package.rpartition("/")[2]).rename(program)


def version_of(program):
    told = subprocess.run([str(program), "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\bgo(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def hash_of(archive):
    """As Go hashes a module: of the sorted list of its files and their hashes."""
    lines = []
    for name in sorted(archive.namelist()):
        with archive.open(name) as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def proxies():
    named = re.split("[,|]", os.environ.get("GOPROXY", PROXY))
    return [each.rstrip("/") for each in named if re.match("(https?|file)://", each)] or [PROXY]


def _download(name, expected):
    path = f"/golang.org/toolchain/@v/{name}.zip"
    print(f"==> Fetching Go ({name}), about 60 MB", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        file = Path(folder) / "go.zip"
        _save([proxy + path for proxy in proxies()], file)
        with zipfile.ZipFile(file) as archive:
            if (found := hash_of(archive)) != expected:
                raise NotHere(f"Go as it was fetched has the hash {found}, not {expected}")
            archive.extractall(folder)
        home = Path(folder) / f"golang.org/toolchain@{name}"
        for tool in [*home.glob("bin/*"), *home.glob("pkg/tool/*/*")]:
            tool.chmod(0o755)
        # A module's archive can have no go.mod below its top.
        for hidden in home.glob("src/**/_go.mod"):
            hidden.rename(hidden.with_name("go.mod"))
        home.rename(FOLDER / name)


def _save(addresses, file):
    why = None
    for address in addresses:
        try:
            with urllib.request.urlopen(address, timeout=60) as answer, file.open("wb") as out:
                shutil.copyfileobj(answer, out, 1 << 20)
            return
        except (OSError, urllib.error.URLError) as problem:
            why = f"{address}: {problem}"
    raise NotHere(f"Go could not be fetched: {why}")


if __name__ == "__main__":
    print(fetch())
