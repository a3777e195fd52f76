import socket

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_socket import enable_socket

from apps.monitor.demo.ports import Ports, busy_ports, ports_from_environment


@pytest.fixture
def taken():
    enable_socket()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_busy_port_is_named_with_the_variable_that_moves_it(taken):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    assert busy_ports(Ports(mock=free, web=taken)) == [
        f"port {taken} is in use: end the program that has it, or choose another with WEB_PORT=..."
    ]


def test_ports_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("MOCK_PORT", "9001")
    assert ports_from_environment() == Ports(mock=9001, web=8000, metrics=9108)
    monkeypatch.setenv("WEB_PORT", "web")
    with pytest.raises(ImproperlyConfigured, match="WEB_PORT='web'"):
        ports_from_environment()
