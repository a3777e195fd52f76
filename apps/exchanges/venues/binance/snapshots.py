"""Brings what the public stream does not tell: snapshots of books, and how often symbols pay funding."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.binance import parse, parse_market
from apps.exchanges.venues.binance.depth import SNAPSHOT_LEVELS
from apps.exchanges.venues.binance.messages import DepthAnswer
from apps.exchanges.venues.binance.rest import Calls, Rest
from moondev.domain.clock import Clock
from moondev.domain.errors import RateLimited, TradingError

logger = logging.getLogger(__name__)

_WEIGHT = 10
PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

Taker = Callable[[str, DepthAnswer, datetime], None]


class Snapshots:
    """Asks for one snapshot after the other. A symbol is asked for until its book is known."""

    def __init__(self, rest: Rest, clock: Clock) -> None:
        """Ask through `rest`, which belongs to the stream alone."""
        self._rest, self._clock = rest, clock
        self._wanted: dict[str, None] = {}
        self._news = asyncio.Event()

    def want(self, symbol: str) -> None:
        """Ask for a symbol's book soon; once, however often it is wanted meanwhile."""
        self._wanted[symbol] = None
        self._news.set()

    async def run(self, take: Taker) -> None:
        """Bring snapshots to `take` until cancelled, which wants again what it cannot use."""
        pause = PAUSE_SECONDS
        while True:
            await self._news.wait()
            symbol = next(iter(self._wanted), None)
            if symbol is None:
                self._news.clear()
                continue
            try:
                answer = await asyncio.to_thread(self._ask, symbol)
            except TradingError as error:
                logger.warning("no snapshot of %s: %s", symbol, error)
                # Behind the others: one symbol's trouble is not theirs.
                self._wanted[symbol] = self._wanted.pop(symbol, None)
                await asyncio.sleep(_wait_after(error, pause))
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            pause = PAUSE_SECONDS
            self._wanted.pop(symbol, None)
            take(symbol, answer, self._clock.now())

    def _ask(self, symbol: str) -> DepthAnswer:
        asked = {"symbol": symbol, "limit": SNAPSHOT_LEVELS}
        return parse.decoded("book", self._rest.ask(Calls.DEPTH.value.weighing(_WEIGHT), asked), DepthAnswer)


class FundingHours:
    """How many hours lie between payments, by symbol. Unknown until the venue was asked."""

    def __init__(self, rest: Rest) -> None:
        """Ask through `rest`."""
        self._rest = rest
        self._hours: Mapping[str, int] | None = None

    def of(self, symbol: str) -> int | None:
        """Return the hours of a symbol; None while the venue was not heard."""
        return None if self._hours is None else self._hours.get(symbol, parse_market.USUAL_FUNDING_HOURS)

    async def run(self) -> None:
        """Ask until there is an answer."""
        pause = PAUSE_SECONDS
        while self._hours is None:
            try:
                self._hours = await asyncio.to_thread(self._ask)
            except TradingError as error:
                logger.warning("funding intervals are not known: %s", error)
                await asyncio.sleep(_wait_after(error, pause))
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        # The stream ends with whatever runs beside it; this has nothing more to do.
        await asyncio.Event().wait()

    def _ask(self) -> Mapping[str, int]:
        return parse_market.funding_hours(self._rest.ask(Calls.FUNDING_INTERVALS))


def _wait_after(error: TradingError, pause: float) -> float:
    if isinstance(error, RateLimited):
        return max(error.retry_after_seconds, pause)
    return pause if not isinstance(error, ParseError) else LONGEST_PAUSE_SECONDS
