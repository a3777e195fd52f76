"""The ports people and programs use, and whether they are free."""

import socket
from dataclasses import dataclass

from moondev.settings.env import env_int


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the mock exchange, the web pages and the metrics listen, all on 127.0.0.1. `metrics` 0: any free one."""

    mock: int
    web: int
    metrics: int = 0


def ports_from_environment() -> Ports:
    """Return the ports: 8001, 8000 and 9108, unless MOCK_PORT, WEB_PORT or METRICS_PORT differ."""
    return Ports(
        mock=env_int("MOCK_PORT", default=8001, minimum=1),
        web=env_int("WEB_PORT", default=8000, minimum=1),
        metrics=env_int("METRICS_PORT", default=9108, minimum=1),
    )


def busy_ports(ports: Ports) -> list[str]:
    """Return a sentence for every port that somebody else has."""
    named = {"MOCK_PORT": ports.mock, "WEB_PORT": ports.web, "METRICS_PORT": ports.metrics}
    return [
        f"port {port} is in use: end the program that has it, or choose another with {name}=..."
        for name, port in named.items()
        if not _free(port)
    ]


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # A port whose last user has just gone is free, although the kernel still remembers its connections.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
