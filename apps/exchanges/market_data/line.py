"""One connection to Redis on which a stream process writes without waiting: the loop reads on meanwhile.

The library's own asynchronous client passes every answer through four coroutines, each a turn of the loop later; in a
flood a turn is long, and at five hundred writes a second that is most of what a write costs. Here the protocol itself
counts the answers and says at once when the last one is there.
https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import aiofastnet
import hiredis
import redis

Command = tuple[str | bytes | int, ...]
Done = Callable[[Exception | None], None]


class RedisLine:
    """Sends commands in one go and tells when they are done. Connects when needed; one `send` at a time."""

    def __init__(self, client: redis.Redis) -> None:
        """Take the address and the time-outs of `client`."""
        self._given: Mapping[str, Any] = client.connection_pool.connection_kwargs
        self._timeout = float(self._given.get("socket_timeout") or 5.0)
        self._answers: _Answers | None = None
        self._connecting: asyncio.Task[None] | None = None

    def send(self, commands: Sequence[Command], done: Done) -> None:
        """Send `commands` now; `done` is called once, on the loop, when Redis has done them.

        It is given a redis.RedisError when Redis has not done them, or not all; then nobody knows which. The next ones
        go over a new connection.
        """
        packed = _packed(commands)
        if self._answers is not None and self._answers.usable:
            self._answers.ask(packed, len(commands), done)
        else:
            self._connecting = asyncio.get_running_loop().create_task(self._connect(packed, len(commands), done))

    def close(self) -> None:
        """Give the connection back; what is under way fails."""
        if self._answers is not None:
            self._answers.abort("closed")
        self._answers = None

    async def _connect(self, packed: bytes, count: int, done: Done) -> None:
        try:
            self._answers = answers = await asyncio.wait_for(self._open(), self._timeout)
        except (OSError, TimeoutError) as error:
            done(redis.ConnectionError(f"cannot connect to Redis: {error!r}"))
            return
        greeting = _greeting(self._given)
        answers.ask(_packed(greeting) + packed, len(greeting) + count, done)

    async def _open(self) -> _Answers:
        loop, make = asyncio.get_running_loop(), partial(_Answers, self._timeout)
        if "path" in self._given:
            opened = await aiofastnet.create_unix_connection(loop, make, self._given["path"])
        else:
            address = (self._given.get("host", "localhost"), self._given.get("port", 6379))
            opened = await aiofastnet.create_connection(loop, make, *address, ssl=_tls(self._given))
        return opened[1]


class _Answers(asyncio.Protocol):
    """Counts the answers that one connection still owes."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._reader = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._owed = 0
        self._done: Done | None = None
        self._overdue: asyncio.TimerHandle | None = None
        self._error: Exception | None = None

    @property
    def usable(self) -> bool:
        """Return whether the connection stands."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, packed: bytes, count: int, done: Done) -> None:
        """Send `count` packed commands; call `done` when all are answered."""
        self._owed, self._error, self._done = count, None, done
        if self._transport is None or not count:
            self._finish(None)
            return
        overdue = f"no answer within {self._timeout:g} s"
        self._overdue = asyncio.get_running_loop().call_later(self._timeout, self.abort, overdue)
        self._transport.write(packed)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while self._owed and (answer := self._reader.gets()) is not False:
            self._owed -= 1
            if isinstance(answer, hiredis.ReplyError):
                self._error = self._error or redis.ResponseError(str(answer))
        if not self._owed:
            self._finish(self._error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(redis.ConnectionError(f"the connection to Redis broke: {exc}"))

    def abort(self, reason: str) -> None:
        """Give up what is under way and the connection with it: a late answer would be taken for another's."""
        if self._transport is not None:
            self._transport.abort()
        self._finish(redis.TimeoutError(reason))

    def _finish(self, error: Exception | None) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
        done, self._done = self._done, None
        if done is not None:
            done(error)


def _packed(commands: Sequence[Command]) -> bytes:
    # The library's types know commands of one word only.
    return b"".join([hiredis.pack_command(command) for command in commands])  # type: ignore[arg-type]


def _greeting(given: Mapping[str, Any]) -> list[Command]:
    """Return who we are and which database we mean."""
    commands: list[Command] = []
    if given.get("password"):
        commands.append(("AUTH", given.get("username") or "default", given["password"]))
    if given.get("db"):
        commands.append(("SELECT", given["db"]))
    return commands


def _tls(given: Mapping[str, Any]) -> ssl.SSLContext | None:
    """Return the encryption that a rediss:// address asks for; None for a plain one."""
    if "ssl_cert_reqs" not in given:
        return None
    context = ssl.create_default_context(cafile=given.get("ssl_ca_certs"))
    if given["ssl_cert_reqs"] in {"none", ssl.CERT_NONE}:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if given.get("ssl_certfile"):
        context.load_cert_chain(given["ssl_certfile"], given.get("ssl_keyfile"))
    return context
