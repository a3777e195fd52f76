"""Ask a port whether the right server answers there, in a few bytes of its own protocol."""

import contextlib
import socket
import struct
from urllib.parse import urlsplit

_TIMEOUT_S = 1.0
_AMQP_GREETING = b"AMQP\x00\x00\x09\x01"
_AMQP_METHOD_FRAME = b"\x01"
# PostgreSQL's SSLRequest: length 8, code 80877103; answered with one byte, S or N, before any login.
_POSTGRES_SSL_REQUEST = struct.pack("!II", 8, 80_877_103)
_DEFAULT_PORTS = {"amqp": 5672, "redis": 6379, "postgres": 5432, "postgresql": 5432}


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers_amqp(host: str, port: int) -> bool:
    """Return whether an AMQP 0-9-1 broker completes the first step of a handshake."""
    return _ask(host, port, _AMQP_GREETING).startswith(_AMQP_METHOD_FRAME)


def answers_redis(host: str, port: int) -> bool:
    """Return whether a Redis server answers; one that asks for a password counts."""
    return _ask(host, port, b"PING\r\n").startswith((b"+PONG", b"-NOAUTH"))


def answers_postgres(host: str, port: int) -> bool:
    """Return whether a PostgreSQL server answers."""
    return _ask(host, port, _POSTGRES_SSL_REQUEST) in {b"S", b"N"}


def reachable(url: str) -> bool:
    """Return whether the server a URL names answers in its protocol (TLS ports only: whether they accept)."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    ask = {"amqp": answers_amqp, "redis": answers_redis, "postgres": answers_postgres, "postgresql": answers_postgres}
    if parts.scheme in ask:
        return ask[parts.scheme](host, port)
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=_TIMEOUT_S):
        return True
    return False


def _ask(host: str, port: int, question: bytes) -> bytes:
    """Return the first bytes a server answers, or nothing when it does not."""
    try:
        with socket.create_connection((host, port), timeout=_TIMEOUT_S) as connection:
            connection.sendall(question)
            return connection.recv(16)
    except OSError:
        return b""
