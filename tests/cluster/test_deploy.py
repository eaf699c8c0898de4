"""What is in deploy/ names what exists: metrics, settings, roles."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
sys.path[:0] = [str(ROOT / "tests/e2e")]

from parley_server import binary  # noqa: E402


def metrics_of_the_source():
    names = set()
    for path in (ROOT / "src").rglob("*.[ch]pp"):
        if not path.name.endswith("_test.cpp"):
            names |= set(re.findall(r'"(parley_[a-z_]+)"', path.read_text()))
    return names


@pytest.mark.parametrize("name", ["grafana/parley.json", "grafana/alerts.yaml"])
def test_metrics_exist(name):
    text = (DEPLOY / name).read_text()
    used = {re.sub("_bucket$", "", m) for m in re.findall(r"\bparley_[a-z_]+\b", text)}
    assert used and used <= metrics_of_the_source()


def test_the_dashboard_is_json_with_a_panel_for_each_query():
    board = json.loads((DEPLOY / "grafana/parley.json").read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)) > 15


def settings():
    printed = subprocess.run([str(binary()), "config"], capture_output=True, text=True, check=True)
    names = re.findall(r"^#? ?([a-z_0-9]+) =", printed.stdout, re.M)
    return {f"PARLEY_{name.upper()}" for name in names} | {"PARLEY_CONFIG"}


@pytest.mark.parametrize("name", ["compose/compose.yaml", "kubernetes/parley.yaml"])
def test_settings_exist(name):
    text = (DEPLOY / name).read_text()
    used = set(re.findall(r"\bPARLEY_[A-Z_]+\b", text))
    files = {each for each in used if each.endswith("_FILE")}  # of deploy/compose/entrypoint
    entrypoint = (DEPLOY / "compose/entrypoint").read_text()
    assert all(each in entrypoint for each in files)
    assert used - files <= settings(), used - files - settings()


def test_no_password_stands_in_deploy():
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            text = path.read_text(errors="replace")
            assert not re.search(r"password\s*[=:]\s*[\"']?[a-z0-9]{8}", text, re.I), path
