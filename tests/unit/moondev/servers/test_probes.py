import socket
import threading

import pytest
from pytest_socket import enable_socket

from moondev.servers.probes import free_port, reachable


@pytest.fixture
def answering():
    """Start servers that answer every first message with given bytes."""
    enable_socket()
    servers = []

    def start(answer):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(64)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return server.getsockname()[1]

    yield start
    for server in servers:
        # Wakes the thread that waits in accept.
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize(
    ("scheme", "right", "wrong"),
    [
        ("amqp", b"\x01\x00\x00", b"AMQP\x00\x00\x09\x01"),
        ("redis", b"+PONG\r\n", b"HTTP/1.1 400\r\n"),
        ("redis", b"-NOAUTH Authentication required.\r\n", b"-ERR\r\n"),
        ("postgres", b"N", b"\x01"),
        ("postgresql", b"S", b"+PONG"),
    ],
)
def test_only_the_right_protocol_counts(answering, scheme, right, wrong):
    assert reachable(f"{scheme}://user:password@127.0.0.1:{answering(right)}/x")
    assert not reachable(f"{scheme}://user:password@127.0.0.1:{answering(wrong)}/x")


def test_a_closed_port_is_not_reachable():
    enable_socket()
    port = free_port()
    assert not any(reachable(f"{scheme}://127.0.0.1:{port}/") for scheme in ("amqp", "redis", "postgres", "rediss"))
