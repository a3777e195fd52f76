"""The whole platform on one machine: no container engine runs here, so what it would be told is held to rules."""

import os
import re
import subprocess
import sys

import pytest

from moondev.domain.clock import LiveClock
from moondev.heartbeat.beat import Beat
from moondev.heartbeat.local import LocalBeats
from moondev.settings.env import env_secret
from tests.support.config_files import DOCKER, PROJECT_ROOT, complaints, documents, variables
from tests.support.platform_commands import VENUES, is_known, platform_commands, require_parses, signs

COMPOSE = DOCKER / "compose.yml"
# Once, and a second one of a kind: of no process of its own.
BESIDE = {"migrate", "web-2"}


@pytest.fixture(scope="module")
def compose():
    (document,) = documents(COMPOSE)
    return document


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


def ours(services):
    return {name: service for name, service in services.items() if "MOONDEV_PROCESS" in service.get("environment", {})}


def test_it_is_what_compose_takes(compose):
    assert complaints(compose, "compose.json") == []


def test_the_schema_refuses_what_it_does_not_know(compose):
    service = {**compose["services"]["ticks"], "restarts": "always"}
    assert complaints({**compose, "services": {"ticks": service}}, "compose.json")


def test_every_process_is_a_service_and_runs_as_on_a_machine_without_containers(services, settings):
    expected = platform_commands(settings)
    assert set(ours(services)) == set(expected) | BESIDE
    for name, command in expected.items():
        assert services[name]["command"] == command, name
        assert services[name]["environment"]["MOONDEV_PROCESS"] == name
        require_parses(command)
    require_parses(services["migrate"]["command"])


def test_a_venue_but_the_first_is_there_when_it_is_asked_for(services):
    for name, service in ours(services).items():
        venue = next((venue for venue in VENUES[1:] if name.endswith(f"-{venue}")), None)
        expected = [venue] if venue else ["telegram"] if name == "telegram" else None
        assert service.get("profiles") == expected, name


def test_every_variable_is_one_that_somebody_reads(services):
    for name, service in ours(services).items():
        unknown = {variable for variable in service["environment"] if not is_known(variable)}
        assert not unknown, name
    assert not is_known("MOONDEV_VENUE")


def test_nothing_of_ours_may_write_but_where_it_must_or_be_more_than_it_need_be(services):
    for name, service in services.items():
        assert service["read_only"] or name in {"elasticsearch", "kibana"}, name
        assert service.get("user") != "root" or name == "filebeat"
        assert service["restart"] == "unless-stopped" or name in {"migrate", "logging-setup"}
        assert "healthcheck" in service or name in {"migrate", "logging-setup"}
        assert all(not port.startswith("0.0.0.0") and ":-127.0.0.1:" in port for port in service.get("ports", [])), name
    for service in ours(services).values():
        assert "ports" not in service
        assert "cap_add" not in service


def test_secrets_are_files_and_nowhere_else(compose, services):
    used = {
        secret if isinstance(secret, str) else secret["source"]
        for service in services.values()
        for secret in service.get("secrets", [])
    }
    assert used == set(compose["secrets"])
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("SECRET|PASSWORD|TOKEN|AUTH|_URL$", variable) and "://" not in value:
                assert value.startswith(("/run/secrets/", "${")) or value == "", f"{name} {variable}"
    for service in ours(services).values():
        for variable, value in service["environment"].items():
            if variable.endswith("_FILE") and value.startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_only_who_signs_has_keys_and_only_who_sends_notices_has_channels(services):
    held = {name: service["env_file"][0]["path"] for name, service in services.items() if "env_file" in service}
    assert {name for name, path in held.items() if "KEYS" in path} == {name for name in services if signs(name)}
    assert [name for name, path in held.items() if "CHANNELS" in path] == ["notices"]


def test_everything_named_is_there(compose, services):
    for name, service in services.items():
        networks = service["networks"]
        assert set(networks) <= set(compose["networks"]), name
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (DOCKER / source).exists(), f"{name}: {source}"
            elif not source.startswith("/"):
                assert source in compose["volumes"], f"{name}: {source}"
        for config in service.get("configs", []):
            described = compose["configs"][config["source"]]
            assert "content" in described or (DOCKER / described["file"]).is_file()
        for other, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[other]
    mentioned = {volume.partition(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert set(compose["volumes"]) <= mentioned


def test_grafana_is_told_what_its_provisioning_asks_for(services):
    files = [*DOCKER.glob("grafana/provisioning/**/*.yml"), *DOCKER.glob("grafana/provisioning/**/*.yaml")]
    asked = {name for path in files for name in re.findall(r"\$\{?([A-Z][A-Z_]+)", path.read_text(encoding="utf-8"))}
    assert asked <= set(services["grafana"]["environment"])
    paths = [provider["options"]["path"] for path in files for provider in documents(path)[0].get("providers", [])]
    mounted = {volume.split(":")[1] for volume in services["grafana"]["volumes"]}
    assert set(paths) <= mounted


def test_no_password_has_a_default():
    text = COMPOSE.read_text(encoding="utf-8")
    for variable in variables(COMPOSE):
        if re.search("PASSWORD|TOKEN", variable):
            assert f"${{{variable}:-}}" in text, variable


def test_the_image_has_what_it_runs_and_nothing_of_this_machine():
    dockerfile = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    stages = re.findall(r"^FROM (\S+) AS (\w+)$", dockerfile, re.MULTILINE)
    assert [stage for _, stage in stages] == ["packages", "code", "platform"]
    assert re.search(r"^ARG PYTHON=3\.11\.\d+-slim-\w+$", dockerfile, re.MULTILINE)
    final = dockerfile[dockerfile.index("AS platform") :]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert "COPY . " not in dockerfile
    allowed = {line[1:] for line in (PROJECT_ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        for source in copied.split():
            assert (PROJECT_ROOT / source).exists(), source
            assert source in allowed, source
    for variable in re.findall(r"^\s+([A-Z][A-Z0-9_]+)=", final, re.MULTILINE):
        assert is_known(variable) or variable.startswith("PYTHON"), variable


def test_secrets_are_made_once_and_fit_together(tmp_path, compose, monkeypatch):
    folder = tmp_path / "secrets.d"
    script = [sys.executable, str(DOCKER / "secrets"), str(folder)]
    first = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    wanted = {secret["file"].removeprefix("./secrets.d/") for secret in compose["secrets"].values()}
    texts = {path.name: path.read_text() for path in folder.iterdir()}
    assert wanted <= set(texts)
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    assert subprocess.run(script, capture_output=True, text=True, check=True).stdout == "all there\n"
    assert {path.name: path.read_text() for path in folder.iterdir()} == texts
    for name, text in texts.items():
        assert text.strip() not in first, name
    assert texts["postgres_password"] in texts["database_url"]
    for password, address, config in (
        ("redis_password", "redis_url", "redis.conf"),
        ("rabbitmq_password", "broker_url", "rabbitmq.conf"),
    ):
        assert texts[password] in texts[address]
        assert texts[password] in texts[config]
    monkeypatch.setenv("DATABASE_URL_FILE", str(folder / "database_url"))
    assert env_secret("DATABASE_URL") == texts["database_url"]


def test_the_probe_tells_a_process_that_works_from_one_that_does_not(tmp_path):
    environment = {**os.environ, "MOONDEV_RUN_DIR": str(tmp_path), "MOONDEV_PROCESS": "ticks"}
    environment.pop("DJANGO_SETTINGS_MODULE", None)

    def probe(*arguments):
        command = [sys.executable, str(DOCKER / "probe"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert probe().returncode == 1
    now = LiveClock().now()
    beat = Beat(name="ticks", host="h", pid=os.getpid(), started=now, beaten=now, turned=now)
    LocalBeats(tmp_path / "beats").write(beat)
    well = probe()
    assert (well.returncode, well.stdout.split()[:2]) == (0, ["ticks:", "ok"]), well
    assert probe("orders-binance").returncode == 1
