"""The connection to a live venue: kept up, watched for silence, and honest about how old its news is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from apps.exchanges.mock.relay.dialects import DIALECTS, Dialect
from apps.exchanges.mock.relay.seen import GapError, Seen
from moondev.domain.clock import monotonic

logger = logging.getLogger(__name__)

Hear = Callable[[Seen], None]
_UNREADABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)
_LARGEST_MESSAGE = 16_777_216


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in real seconds.

    Nothing heard for `silence`: the connection is given up. Nothing heard for `stale`: the market stands still, and
    says so. Pauses between two attempts double from the first to the longest, with up to half of them by chance.
    """

    connect: float = 10.0
    silence: float = 15.0
    stale: float = 5.0
    ping: float = 10.0
    first_pause: float = 0.5
    longest_pause: float = 30.0


class Source:
    """One venue's public stream, told to everybody who follows it."""

    def __init__(
        self, venue: str, coins: Sequence[str], address: str | None = None, patience: Patience | None = None
    ) -> None:
        """Follow `coins` at `venue`; `address` None is the venue's own. Nothing is sent before `run`."""
        self.venue, self.coins = venue, tuple(coins)
        self.address = address or DIALECTS[venue](coins).address
        self.connections = self.unreadable = self.gaps = 0
        self._patience = patience or Patience()
        self._followers: list[Hear] = []
        self._heard_at: float | None = None
        self._why = "not connected yet"

    def follow(self, hear: Hear) -> None:
        """Tell `hear` everything from now on."""
        self._followers.append(hear)

    @property
    def age_seconds(self) -> float | None:
        """Return how long ago something was heard, None before the first time."""
        return None if self._heard_at is None else monotonic() - self._heard_at

    @property
    def stale(self) -> bool:
        """Return whether what is known is too old to be called the market."""
        age = self.age_seconds
        return age is None or age > self._patience.stale

    def health(self) -> dict[str, object]:
        """Return what people should know about the connection."""
        age = self.age_seconds
        return {
            "kind": "relay",
            "venue": self.venue,
            "address": self.address,
            "stale": self.stale,
            "age_seconds": None if age is None else round(age, 3),
            "connections": self.connections,
            "gaps": self.gaps,
            "unreadable": self.unreadable,
            "last_failure": self._why,
        }

    async def run(self) -> None:
        """Stay connected until cancelled."""
        pause = self._patience.first_pause
        async with aiohttp.ClientSession() as session:
            while True:
                before = self._heard_at
                try:
                    await self._listen(session)
                except GapError as error:
                    self.gaps += 1
                    self._why = str(error)
                except (aiohttp.ClientError, OSError, TimeoutError) as error:
                    self._why = f"{type(error).__name__}: {error}"
                if self._heard_at != before:
                    pause = self._patience.first_pause
                logger.warning("relay of %s: connection ended (%s); again in %.1f s", self.venue, self._why, pause)
                await asyncio.sleep(pause * (1 + random.random() / 2))  # noqa: S311 - a pause, not a secret
                pause = min(2 * pause, self._patience.longest_pause)

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        dialect = DIALECTS[self.venue](self.coins)
        async with asyncio.timeout(self._patience.connect):
            socket = await session.ws_connect(self.address, max_msg_size=_LARGEST_MESSAGE)
        self.connections += 1
        pinging = asyncio.create_task(self._ping(socket, dialect))
        try:
            for request in dialect.requests():
                await socket.send_str(_text(request))
            while True:
                message = await socket.receive(timeout=self._patience.silence)
                if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    self._why = f"the venue hung up: {message.type.name}"
                    return
                self._take(dialect, message.data)
        finally:
            pinging.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await pinging
            await socket.close()

    def _take(self, dialect: Dialect, data: str | bytes) -> None:
        """Tell what a message says; one that makes no sense is counted, and said once."""
        if data == dialect.greeting:
            return
        try:
            seen = dialect.read(orjson.loads(data))
        except _UNREADABLE as error:
            self.unreadable += 1
            if self.unreadable == 1:
                logger.warning("relay of %s: cannot read %.200r: %r", self.venue, data, error)
            return
        if seen:
            self._heard_at = monotonic()
        for one in seen:
            for hear in self._followers:
                hear(one)

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse, dialect: Dialect) -> None:
        while dialect.ping is not None:
            await asyncio.sleep(self._patience.ping)
            await socket.send_str(_text(dialect.ping))


def _text(request: dict[str, Any]) -> str:
    return orjson.dumps(request).decode()
