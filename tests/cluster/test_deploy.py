"""What is in deploy/ names what exists (metrics, settings, roles), and is what Kubernetes and Compose take."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
sys.path[:0] = [str(ROOT), str(ROOT / "tests/e2e")]

from parley_server import binary  # noqa: E402
from tools import go  # noqa: E402


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
    used = set(re.findall(r"\bPARLEY_[A-Z0-9_]+\b", text))
    files = {each for each in used if each.endswith("_FILE")}  # of deploy/compose/entrypoint
    entrypoint = (DEPLOY / "compose/entrypoint").read_text()
    assert all(each.removesuffix("_FILE") in entrypoint for each in files)
    assert used - files <= settings(), used - files - settings()


def test_no_password_stands_in_deploy():
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            text = path.read_text(errors="replace")
            assert not re.search(r"password\s*[=:]\s*[\"']?[a-z0-9]{8}", text, re.I), path


# The oldest that its makers or distributors still keep, and a new one; both from the package's own schemas.
KUBERNETES = ("1.29", "1.33")


def manifests():
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            name = f"{path.name}:{document['kind']}/{document['metadata']['name']}"
            yield pytest.param(document, id=name)


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("document", list(manifests()))
def test_kubernetes_takes_the_manifests(document, version):
    kubernetes_validate.validate(document, version, strict=True)


def test_a_manifest_with_a_field_that_is_none_is_found():
    (deployment,) = [p.values[0] for p in manifests() if p.id == "parley.yaml:Deployment/parley-chat"]
    wrong = copy.deepcopy(deployment)
    wrong["spec"]["template"]["spec"]["containers"][0]["ressources"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)


COMPOSE = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"  # what `docker compose` itself reads files with


def compose_config(file):
    """What `docker compose config` would say of it."""
    environment = {**os.environ, "GOFLAGS": "", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    environment.pop("GOROOT", None)
    command = [str(go.fetch()), "run", COMPOSE, "-format", "json", str(file)]
    return subprocess.run(
        command, cwd=file.parent, env=environment, capture_output=True, text=True, timeout=300
    )


def test_compose_takes_its_file(tmp_path):
    read = compose_config(DEPLOY / "compose/compose.yaml")
    assert read.returncode == 0, read.stderr
    services = json.loads(read.stdout)["services"]
    own = {"parley", "parley-media"}  # images, with a HEALTHCHECK of their own
    roles = {service["command"][0] for service in services.values() if service.get("image") in own}
    assert {"migrate", *ROLES} <= roles
    for service in services.values():
        for name, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert services[name].get("healthcheck") or services[name]["image"] in own, name
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((DEPLOY / "compose/compose.yaml").read_text().replace("restart:", "restarts:", 1))
    assert compose_config(wrong).returncode != 0


ROLES = {"chat": 2, "user": 2, "media": 2, "ingest": 2, "heartbeat": 2}


def compose():
    return yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())


def test_compose_has_every_role_and_what_it_needs():
    made = compose()
    services = made["services"]
    words = [service.get("command") for service in services.values()]
    for role, count in ROLES.items():
        assert sum(isinstance(w, list) and w[0] == role for w in words) == count, role
    for name, service in services.items():
        assert set(service.get("secrets", ())) <= set(made["secrets"]), name
        assert set(service.get("depends_on", ())) <= set(services), name
        volumes = {v.split(":")[0] for v in service.get("volumes", ()) if not v.startswith(".")}
        assert volumes <= set(made["volumes"]), name
        for variable, value in service.get("environment", {}).items():
            if variable.startswith("PARLEY_") and variable.endswith("_FILE"):
                assert Path(value).name in service["secrets"], (name, variable)
    settings = services["media1"]["environment"]
    for name in ("PARLEY_S3_ENDPOINT", "PARLEY_CDN_PURGE_URL"):
        host = re.search(r"//([a-z0-9]+):", settings[name])[1]
        assert "inside" in services[host]["networks"], name


def documents():
    texts = [(DEPLOY / "kubernetes" / f"{name}.yaml").read_text()
             for name in ("parley", "edge", "ingress", "namespace", "secret.example")]
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


def test_kubernetes_has_every_role_and_what_it_needs():
    made = {(each["kind"], each["metadata"]["name"]): each for each in documents()}
    for role, count in ROLES.items():
        deployment = made["Deployment", f"parley-{role}"]["spec"]
        (container,) = deployment["template"]["spec"]["containers"]
        assert container["args"] == [role] and deployment["replicas"] == count
        assert ("PodDisruptionBudget", f"parley-{role}") in made
    secret = made["Secret", "parley"]["stringData"]
    for name, value in made["ConfigMap", "parley"]["data"].items():
        if name.endswith("_FILE"):
            assert value.removeprefix("/secrets/") in secret, name
    for kind, name in made:
        if kind != "Ingress":
            continue
        for rule in made[kind, name]["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                assert ("Service", path["backend"]["service"]["name"]) in made, path


def test_compose_setup_makes_settings_that_nginx_takes(tmp_path):
    shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets", ".env", "nginx.conf"))
    (tmp_path / "tools/cluster").mkdir(parents=True)
    shutil.copy(ROOT / "tools/cluster/nginx.py", tmp_path / "tools/cluster")
    folder = tmp_path / "deploy/compose"
    environment = {**os.environ, "PUBLIC_HOST": "files.test"}
    for _ in range(2):
        subprocess.run([folder / "setup"], check=True, capture_output=True, env=environment)
    assert {file.name for file in (folder / "secrets").iterdir()} == {*compose()["secrets"], "cdn.conf"}
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700
    assert (folder / ".env").read_text() == "PUBLIC_HOST=files.test\n"
    edge = (folder / "secrets/cdn.conf").read_text()
    assert (folder / "secrets/cdn").read_text().strip() in edge and "Host files.test:9000" in edge
    hosts = "|".join(compose()["services"])
    for name, text in (("nginx", (folder / "nginx.conf").read_text()), ("edge", edge)):
        text = re.sub(rf"\b({hosts}):(\d+)", r"127.0.0.1:\2", text)  # names that only Docker knows
        text = re.sub(r"/(tmp|var/cache/nginx|dev)/", f"{tmp_path}/", text)
        (tmp_path / name).write_text(text)
        subprocess.run(["/usr/sbin/nginx", "-t", "-q", "-p", f"{tmp_path}/", "-c", str(tmp_path / name)], check=True)


def test_the_entrypoint_reads_secrets_from_files(tmp_path):
    names = ("PARLEY_REDIS_PASSWORD", "PARLEY_S3_ACCESS_KEY", "PARLEY_S3_SECRET_KEY", "PARLEY_CDN_SECRET")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    for name in names:
        (tmp_path / name).write_text(f"of {name}\n")
        environment[f"{name}_FILE"] = str(tmp_path / name)
    (tmp_path / "parley").write_text("#!/bin/sh\nenv; echo \"$@\"\n")
    (tmp_path / "parley").chmod(0o755)
    command = ["bash", str(DEPLOY / "compose/entrypoint"), "media", "--node-name", "a"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert told[-1] == "media --node-name a"
    assert {f"{name}=of {name}" for name in names} <= set(told)
    assert not [line for line in told if "_FILE=" in line]
