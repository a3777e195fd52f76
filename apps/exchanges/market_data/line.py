"""One connection to Redis on which a stream process writes without waiting: the loop reads on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection

Command = tuple[str | bytes | int, ...]

# What a connection of either kind is made from; the rest concerns pools.
_FIELDS = ("host", "port", "path", "db", "username", "password", "socket_timeout", "socket_connect_timeout", "protocol")
_TLS = ("ssl_keyfile", "ssl_certfile", "ssl_cert_reqs", "ssl_ca_certs", "ssl_ca_data", "ssl_check_hostname")


class RedisLine:
    """Sends commands in one go and takes their answers. Connects when needed; one `send` at a time."""

    def __init__(self, client: redis.Redis) -> None:
        """Take the address and the time-outs of `client`."""
        pool = client.connection_pool
        self._given: dict[str, Any] = pool.connection_kwargs
        self._kind = pool.connection_class
        self._connection: AbstractConnection | None = None

    async def send(self, commands: Sequence[Command]) -> None:
        """Send `commands` and wait until Redis has done them.

        Raises redis.RedisError when it has not, or not all; then nobody knows which, and the line is made anew.
        """
        connection = self._connection or await self._connect()
        try:
            await connection.send_packed_command(connection.pack_commands(commands))
            for _ in commands:
                await connection.read_response()
        except BaseException:
            # Cancelled too: an answer that nobody took would be taken for the next command's.
            self._connection = None
            await connection.disconnect(nowait=True)
            raise

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect()

    async def _connect(self) -> AbstractConnection:
        made = self._made()
        await made.connect()  # type: ignore[no-untyped-call]  # the library's own gap
        self._connection = made
        return made

    def _made(self) -> AbstractConnection:
        fields = {name: self._given[name] for name in _FIELDS if name in self._given}
        if issubclass(self._kind, redis.UnixDomainSocketConnection):
            return UnixDomainSocketConnection(**fields)
        if issubclass(self._kind, redis.SSLConnection):
            return SSLConnection(**fields, **{name: self._given[name] for name in _TLS if name in self._given})
        return Connection(**fields)
