"""PostgreSQL, Redis and RabbitMQ of the tests' own, which may be stopped and started again in place."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from moondev.servers import rabbitmq, services, state
from moondev.servers.instance import Instance
from moondev.servers.probes import reachable
from moondev.servers.processes import identify
from moondev.servers.users import server_user
from tests.chaos.waiting import wait_until

START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Start:
    """How a running server was started, so that it can be started again in the same place."""

    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


class PrivateServers:
    """Servers nobody else uses: `urls` by variable; `stop`, `start` and `paused` by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.urls = services.start_all(folder, {})
        self._starts = {name: _start_of(name, instance) for name, instance in state.load(folder).items()}

    def url(self, name: str) -> str:
        """Return the address of one server."""
        return state.load(self._folder)[name].url

    def stop(self, name: str) -> None:
        """End a server as its operator would, and wait until it has gone."""
        state.load(self._folder)[name].processes[0].stop()

    def start(self, name: str) -> None:
        """Start a server again: same port, same data, same password."""
        start = self._starts[name]
        with (self._folder / f"{name}-again.log").open("ab") as log:
            child = subprocess.Popen(
                list(start.command),
                cwd=start.folder,
                env=dict(start.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **server_user().popen_arguments(),
            )
        process = identify(name, child.pid)
        # Nobody waits for this child here: it is ended by pid, like the one it follows.
        child.returncode = 0
        assert process is not None, f"{name} did not start"
        instances = state.load(self._folder)
        before = instances[name]
        again = type(process)(process.name, process.pid, process.started_ticks, before.processes[0].stop_signal)
        state.save(self._folder, instances | {name: Instance(before.url, (again, *before.processes[1:]))})
        wait_until(f"{name} to answer", lambda: reachable(before.url), START_SECONDS)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """Keep a server down while the block runs."""
        self.stop(name)
        try:
            yield
        finally:
            self.start(name)

    def close(self) -> None:
        """End all of them and remove what they kept."""
        services.stop_all(self._folder)


def _start_of(name: str, instance: Instance) -> Start:
    """Read from the kernel how a server was started; where it has rewritten that, say it ourselves."""
    at = Path(f"/proc/{instance.processes[0].pid}")
    command = (at / "cmdline").read_text().rstrip("\0").split("\0")
    variables = (at / "environ").read_text().rstrip("\0").split("\0")
    environment = dict(variable.split("=", 1) for variable in variables if "=" in variable)
    folder = (at / "cwd").resolve()
    if name == "rabbitmq":
        command = [str(rabbitmq.debian_rabbitmq())]
    if name == "redis":
        command = [command[0].split()[0], str(folder / "redis.conf")]
    if name == "postgres":
        folder = folder.parent
    return Start(command, environment, folder)
