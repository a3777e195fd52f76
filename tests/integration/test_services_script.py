"""``docker/services`` in folders of its own: what it starts it finds again, and ends."""

import os
import pwd
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from moondev.servers.probes import reachable

PROJECT_ROOT = Path(__file__).resolve().parents[2]
SCRIPT = PROJECT_ROOT / "docker" / "services"
SYSTEM_PYTHON = Path("/usr/bin/python3")
NAMES = ("DATABASE_URL", "BROKER_URL", "REDIS_URL")

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def services(folder: Path, command: str, **options) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in NAMES}
    arguments = [options.pop("python", sys.executable), "-I", str(SCRIPT), command, "--folder", str(folder)]
    environment |= options.pop("environment", {})
    return subprocess.run(
        arguments, check=False, capture_output=True, text=True, env=environment, timeout=280, **options
    )


def addresses(folder: Path) -> dict[str, str]:
    lines = (folder / "env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def processes_with(text: str) -> list[str]:
    """Return the command lines of running processes in which ``text`` occurs."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def pids(folder: Path) -> dict[str, int]:
    rows = services(folder, "status").stdout.splitlines()
    return {row.split()[0]: int(row.split()[2]) for row in rows}


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "services"
    assert services(tmp_path / "services", "stop").returncode == 0


def test_starts_once_even_when_asked_twice_at_once_and_leaves_nothing_running(folder):
    with ThreadPoolExecutor(2) as both:
        results = list(both.map(lambda _: services(folder, "start"), range(2)))
    assert [result.returncode for result in results] == [0, 0], results
    started = pids(folder)
    assert set(started) == {"postgres", "redis", "rabbitmq", "epmd"}
    urls = addresses(folder)
    assert set(urls) == set(NAMES)
    assert all(reachable(url) for url in urls.values())
    assert (folder / "env").stat().st_mode & 0o077 == 0

    again = services(folder, "start")
    assert again.returncode == 0
    assert pids(folder) == started
    assert addresses(folder) == urls

    # One server dies: only that one is started anew.
    os.kill(started["redis"], 9)
    assert services(folder, "status").returncode != 0
    assert services(folder, "start").returncode == 0
    replaced = pids(folder)
    assert {name for name in started if replaced[name] != started[name]} == {"redis"}

    epmd_port = Path(f"/proc/{started['epmd']}/cmdline").read_bytes().decode().split("\0")[4]
    assert services(folder, "stop").returncode == 0
    assert not any(Path(f"/proc/{pid}/status").exists() and not zombie(pid) for pid in replaced.values())
    assert not processes_with(f"-port {epmd_port}")
    assert not any(reachable(url) for url in urls.values())
    assert services(folder, "status").stdout.strip() == "nothing was started here"


def zombie(pid: int) -> bool:
    return "State:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")


def test_uses_servers_of_the_environment_and_does_not_stop_them(folder, tmp_path):
    owner = tmp_path / "owner"
    try:
        assert services(owner, "start").returncode == 0
        given = addresses(owner)
        assert services(folder, "start", environment=given).returncode == 0
        assert addresses(folder) == given
        assert services(folder, "status").stdout.strip() == "nothing was started here"
        assert services(folder, "stop").returncode == 0
        assert all(reachable(url) for url in given.values())
    finally:
        assert services(owner, "stop").returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
@pytest.mark.skipif(not SYSTEM_PYTHON.exists(), reason="an ordinary user needs the system's Python")
def test_works_as_an_ordinary_user(tmp_path_factory):
    version = subprocess.run([SYSTEM_PYTHON, "-V"], check=True, capture_output=True, text=True).stdout.split()[1]
    if tuple(int(part) for part in version.split(".")[:2]) < (3, 11):
        pytest.skip(f"the system's Python is {version}, needed is 3.11")
    nobody = pwd.getpwnam("nobody")
    home = Path("/var/tmp") / f"moondev-test-{os.getpid()}"
    home.mkdir(mode=0o755)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    as_nobody = {
        "python": str(SYSTEM_PYTHON),
        "user": nobody.pw_uid,
        "group": nobody.pw_gid,
        "extra_groups": [],
        "cwd": "/",
    }
    try:
        result = services(home / "services", "start", **dict(as_nobody))
        if "Permission denied" in result.stderr and str(SCRIPT) in result.stderr:
            pytest.skip("the checkout cannot be read by an ordinary user")
        assert result.returncode == 0, result.stderr
        urls = addresses(home / "services")
        assert all(reachable(url) for url in urls.values())
        assert services(home / "services", "stop", **dict(as_nobody)).returncode == 0
        assert not any(reachable(url) for url in urls.values())
    finally:
        services(home / "services", "stop")
        subprocess.run(["rm", "-rf", str(home)], check=True)


def test_names_the_packages_when_it_may_not_install_them(tmp_path, monkeypatch):
    from moondev.servers import packages
    from moondev.servers.errors import ServiceError

    monkeypatch.setattr(packages, "_root_prefix", lambda: None)
    with pytest.raises(ServiceError, match="apt-get install -y --no-install-recommends rabbitmq-server"):
        packages.install(["rabbitmq-server"])
