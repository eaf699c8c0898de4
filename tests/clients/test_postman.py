"""The Postman collection is made of the documents as they are, and Newman runs it against a fresh server."""

import json
import subprocess
import sys
from pathlib import Path

import npm

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = ROOT / "docs/api/parley.postman_collection.json"
METHODS = ("get", "post", "put", "patch", "delete")


def test_it_is_up_to_date():
    done = subprocess.run([sys.executable, ROOT / "tools/postman.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_it_is_served_and_linked(server):
    assert server.api.http.get("/postman.json").content == COLLECTION.read_bytes()
    assert "/postman.json" in server.api.http.get("/docs.js").text


def test_newman_runs_it(server, tmp_path):
    report = tmp_path / "report.json"
    command = [
        "node", str(npm.packages() / "node_modules/newman/bin/newman.js"), "run", str(COLLECTION),
        "--env-var", f"base_url={server.url}", "--reporters", "json", "--reporter-json-export", str(report),
        "--timeout-request", "20000", "--color", "off",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    run = json.loads(report.read_text())["run"]
    failures = [
        f"{each.get('source', {}).get('name')}: {each['error']['test'] if 'test' in each['error'] else ''} "
        f"{each['error']['message']}"
        for each in run["failures"]
    ]
    assert failures == []
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((ROOT / "docs/api/openapi.json").read_text())
    calls = sum(method in item for item in document["paths"].values() for method in METHODS)
    assert run["stats"]["requests"]["total"] >= calls
    assert run["stats"]["assertions"]["total"] > 2 * run["stats"]["requests"]["total"]
