"""The line on which market data goes to Redis: a real Redis, and one that is not there."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence

import pytest
import redis

from apps.exchanges.market_data.line import Command, RedisLine

pytestmark = pytest.mark.integration

REDIS_DATABASE = 12


def client(url: str | None = None) -> redis.Redis:
    own = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{REDIS_DATABASE}"
    return redis.Redis.from_url(url or own, protocol=2, socket_timeout=1.0)


async def sent(line: RedisLine, *commands: Command) -> Exception | None:
    """Send and wait for the word on it."""
    told: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
    line.send(commands, told.set_result)
    return await asyncio.wait_for(told, 5.0)


def run(url: str | None, *batches: Sequence[Command]) -> list[Exception | None]:
    async def session() -> list[Exception | None]:
        line = RedisLine(client(url))
        try:
            return [await sent(line, *batch) for batch in batches]
        finally:
            line.close()

    return asyncio.run(session())


def test_commands_arrive_in_the_database_of_the_address() -> None:
    with client() as redis_client:
        assert (
            run(None, [("SET", "line:a", b"\x00\r\n\xff"), ("SET", "line:b", 2)], [], [("DEL", "line:b")]) == [None] * 3
        )
        assert redis_client.getdel("line:a") == b"\x00\r\n\xff"
        assert not redis_client.exists("line:b")


def test_a_command_that_is_refused_is_told_of_and_the_line_goes_on() -> None:
    first, second = run(None, [("SET", "line:c", "x"), ("INCR", "line:c"), ("DEL", "line:c")], [("PING",)])
    assert isinstance(first, redis.ResponseError)
    assert second is None


def test_a_connection_that_was_cut_is_made_anew() -> None:
    async def session() -> list[Exception | None]:
        with client() as redis_client:
            line = RedisLine(redis_client)
            before = await sent(line, ("PING",))
            redis_client.client_kill_filter(_type="normal", skipme=True)
            answers = [await sent(line, ("PING",)) for _ in range(2)]
            line.close()
            return [before, answers[-1]]

    assert asyncio.run(session()) == [None, None]


def test_nobody_there_and_nobody_answering_are_errors_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        (refused,) = run(f"redis://127.0.0.1:{port}/0", [("PING",)])
        silent.listen()
        (unanswered,) = run(f"redis://127.0.0.1:{port}/0", [("PING",)])
    assert isinstance(refused, redis.ConnectionError)
    assert isinstance(unanswered, redis.TimeoutError)
    assert "no answer within 1 s" in str(unanswered)
