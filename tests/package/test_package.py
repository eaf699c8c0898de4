"""The .deb: built twice, then installed, used, upgraded, removed and purged in a root of its own.

The root is an overlay over this machine's in a mount namespace of its own (unshare), on a tmpfs: dpkg works on it as
on a real system, and nothing of it is left when the script ends. It needs root; there is no systemd in it, so the
service is started as the unit says, by hand.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
VERSIONS = ("0.1.0", "0.1.1")


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deb")
    run("cmake", "--build", BUILD, "--target", "package_files")
    for version in VERSIONS:
        run("cpack", "-G", "DEB", "-B", folder / version, "-D", f"CPACK_PACKAGE_VERSION={version}",
            "--config", BUILD / "CPackConfig.cmake", cwd=BUILD)
    return [next((folder / version).glob("parley_*.deb")) for version in VERSIONS]


def test_what_is_in_the_package(packages):
    listing = run("dpkg-deb", "--contents", packages[0])
    for path in ("/usr/bin/parley", "/lib/systemd/system/parley.service", "/etc/parley/parley.toml",
                 "/usr/share/man/man1/parley.1.gz", "/usr/share/bash-completion/completions/parley",
                 "/usr/share/zsh/vendor-completions/_parley", "/usr/share/doc/parley/copyright"):
        assert re.search(rf" \.{re.escape(path)}$", listing, re.M), f"no {path}:\n{listing}"
    assert all(" root/root " in line for line in listing.splitlines()), "every file belongs to root"
    fields = run("dpkg-deb", "--field", packages[0])
    for name in ("libc6", "libsqlite3-0", "libssl3", "libmimalloc2.0", "adduser"):
        assert name in fields, fields
    assert run("dpkg-deb", "--info", packages[0], "conffiles").split() == ["/etc/parley/parley.toml"]


def test_the_manual_page_has_every_command_and_its_options():
    page = (ROOT / "deploy/man/parley.1").read_text()
    text = re.sub(r"\\f.|\\", "", page)
    commands = run(BUILD / "parley", "completions", "fish")
    assert "doctor" in commands
    for line in run(BUILD / "parley", "--help").split("Settings:")[0].splitlines():
        found = re.match(r"  ([a-z]\S*) ", line)
        if not found:
            continue
        word, names = found.group(1), [found.group(1)]
        if line.split()[1] == "...":
            group = run(BUILD / "parley", word, "--help")
            names = re.findall(rf"^  ({word} \S+)", group, re.M)
        for name in names:
            assert f"parley {name}" in text, f"parley {name} is not in the manual page"
            options = run(BUILD / "parley", *name.split(), "--help").split("Options:")[1].split("Settings:")[0]
            for option in re.findall(r"^  (--[\w-]+)", options, re.M):
                assert option in text, f"{option} of parley {name} is not in the manual page"


def test_the_manual_page_is_well_formed():
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", str(ROOT / "deploy/man/parley.1")],
                          capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


def test_the_unit_is_hardened(tmp_path):
    unit = tmp_path / "parley.service"
    text = (ROOT / "deploy/systemd/parley.service").read_text()
    unit.write_text(text.replace("/usr/bin/parley", str(BUILD / "parley")))
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert "parley.service" not in checked.stderr, checked.stderr
    report = run("systemd-analyze", "security", "--offline=true", unit)
    assert float(re.search(r"exposure level for \S+ ([\d.]+)", report).group(1)) <= 2.0, report


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make the isolated system")
def test_install_use_upgrade_remove_purge(packages):
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", str(ROOT / "tests/package/life.sh"),
         *map(str, packages)], capture_output=True, text=True, timeout=180)
    if done.returncode == 77:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    for step in ("installed", "chatted", "upgraded", "removed", "purged"):
        assert f"== {step}" in done.stdout, done.stdout + done.stderr
