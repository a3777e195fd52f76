"""``docker/services``: make sure that RabbitMQ, PostgreSQL and Redis run, and end what was started.

A server named by DATABASE_URL, BROKER_URL or REDIS_URL that answers is used as it is. For the others a private
instance is started, and written down together with its pids. ``env`` in the state folder has the three addresses.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from moondev.servers import location, packages, postgres, rabbitmq, redis, state
from moondev.servers.errors import ServiceError
from moondev.servers.instance import Instance
from moondev.servers.probes import reachable
from moondev.servers.users import User, server_user


@dataclass(frozen=True, slots=True)
class Service:
    """One of the three: its variable, its Debian package, how to find its program and start it."""

    name: str
    variable: str
    package: str
    find: Callable[[], Path | None]
    start: Callable[[Path, User, Path], Instance]


SERVICES = (
    Service("postgres", "DATABASE_URL", "postgresql", postgres.debian_binaries, postgres.start_postgres),
    Service("redis", "REDIS_URL", "redis-server", redis.debian_redis, redis.start_redis),
    Service("rabbitmq", "BROKER_URL", "rabbitmq-server", rabbitmq.debian_rabbitmq, rabbitmq.start_rabbitmq),
)


def start_all(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Make sure that all three run; return their addresses by variable and write them to ``folder/env``.

    Running it twice, or twice at once, starts nothing twice.

    Raises:
        ServiceError: a server could not be installed or started.
    """
    with state.locked(folder):
        running = {name: instance for name, instance in state.load(folder).items() if _up(instance)}
        given = {service.variable: _given(service, environment) for service in SERVICES}
        missing = [s for s in SERVICES if given[s.variable] is None and s.name not in running]
        _install(missing)
        # Ordinary leftovers of a half-dead instance are ended before a new one takes its place.
        _stop(folder, keep=running)
        for service in missing:
            running[service.name] = _start(service, folder)
            state.save(folder, running)
        urls = {s.variable: given[s.variable] or running[s.name].url for s in SERVICES}
        state.write_private(folder / "env", "".join(f"{name}={url}\n" for name, url in urls.items()))
        return urls


def stop_all(folder: Path) -> None:
    """End every process that ``start_all`` started in this folder, and nothing else."""
    with state.locked(folder):
        _stop(folder, keep={})
        for name in ("env", "state.json"):
            (folder / name).unlink(missing_ok=True)


def status(folder: Path) -> list[tuple[str, int, bool]]:
    """Return (process, pid, running) of everything that was started in this folder."""
    return [
        (process.name, process.pid, process.alive())
        for instance in state.load(folder).values()
        for process in instance.processes
    ]


def main(arguments: Sequence[str], folder: Path) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="services", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status", "run"])
    parser.add_argument("program", nargs="*", help="for run: the program to run while the servers are up")
    parser.add_argument("--folder", type=Path, default=folder, help="where state and data are kept (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        return _obey(options.command, options.folder.resolve(), options.program)
    except ServiceError as error:
        print(f"services: {error}", file=sys.stderr)  # noqa: T201  this is a command
        return 1


def run_with(folder: Path, program: Sequence[str]) -> int:
    """Run a program while the servers are up; end them afterwards unless they were up before. Return its exit code."""
    was_up = bool(status(folder))
    # An end by SIGTERM must pass through ``finally`` as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        urls = start_all(folder, os.environ)
        return subprocess.run(program, check=False, env={**os.environ, **urls}).returncode
    finally:
        if not was_up:
            stop_all(folder)


def _obey(command: str, folder: Path, program: Sequence[str]) -> int:
    if command == "run":
        return run_with(folder, program)
    if command == "start":
        start_all(folder, os.environ)
        print(f"ready; addresses are in {folder / 'env'}")  # noqa: T201  a command
        return 0
    if command == "stop":
        stop_all(folder)
        print("stopped")  # noqa: T201  a command
        return 0
    rows = status(folder)
    for name, pid, alive in rows:
        print(f"{name:<10} pid {pid:<8} {'running' if alive else 'gone'}")  # noqa: T201  a command
    if not rows:
        print("nothing was started here")  # noqa: T201  a command
    return 0 if rows and all(alive for _, _, alive in rows) else 3


def _given(service: Service, environment: Mapping[str, str]) -> str | None:
    """Return the address from the environment when a server answers there."""
    url = environment.get(service.variable, "")
    if not url:
        return None
    if reachable(url):
        return url
    print(f"services: nothing answers at {service.variable}; starting a private one", file=sys.stderr)  # noqa: T201  a command
    return None


def _up(instance: Instance) -> bool:
    return all(process.alive() for process in instance.processes) and reachable(instance.url)


def _install(missing: Sequence[Service]) -> None:
    wanted = [service.package for service in missing if service.find() is None]
    if wanted:
        packages.install(wanted)


def _start(service: Service, folder: Path) -> Instance:
    program = service.find()
    if program is None:
        raise ServiceError(f"{service.package} is installed but its programs are not where Debian puts them")
    user = server_user()
    data = location.data_folder(folder, user)
    return service.start(location.fresh(data / service.name), user, program)


def _stop(folder: Path, *, keep: Mapping[str, Instance]) -> None:
    """End what is written down, except ``keep``, and remove its data."""
    ended = {name: instance for name, instance in state.load(folder).items() if name not in keep}
    for instance in ended.values():
        instance.stop()
    if ended:
        data = location.data_folder(folder, server_user())
        for name in ended:
            location.fresh(data / name)
        location.remove_if_empty(data)
    state.save(folder, keep)
