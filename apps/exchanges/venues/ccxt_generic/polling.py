"""A `Stream` where there is no websocket: it asks again and again, and keeps the same promises.

It is up once a whole round has been answered, down when one fails, and up again, with the time of the silence, when
the next one succeeds. Its age is that of the last answer, so a venue that no longer answers is seen by its age here
as on a socket.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from apps.exchanges.ports import Connected, Disconnected, ParseError, Refused, Unreadable
from moondev.domain.clock import Clock, monotonic
from moondev.domain.errors import InvalidValue, RateLimited, TradingError, VenueRejected

logger = logging.getLogger(__name__)

# After so many odd answers in a row of logs nobody learns more from another line.
LOGGED_IN_FULL = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait between rounds, in real seconds: after a good one, and at least and at most after bad ones."""

    every: float = 0.5
    first_pause: float = 0.5
    longest_pause: float = 15.0


class Round(Protocol):
    """Asks everything once. Not thread-safe; called by one thread at a time."""

    def ask(self) -> Iterable[object]:
        """Return the events in the answers. Raises what the questions raise."""
        ...

    def close(self) -> None:
        """Give back the connections."""
        ...


class PollingStream:
    """Asks in a thread of its own and hands events on in the event loop's."""

    def __init__(self, what: str, rounds: Round, handler: Callable[[Any], None], clock: Clock, pace: Pace) -> None:
        """Prepare; nothing is asked before `run`. `what` is for the log."""
        self._what, self._round, self._handler, self._clock, self._pace = what, rounds, handler, clock, pace
        self._stopping = asyncio.Event()
        self._connected = False
        self._heard_at: datetime | None = None
        self._heard_monotonic: float | None = None
        self._failures = 0
        self._unreadable = 0

    @property
    def connected(self) -> bool:
        """Return whether the last round was answered."""
        return self._connected

    @property
    def age_seconds(self) -> float:
        """Return real seconds since the last round that was answered; infinite before the first."""
        return float("inf") if self._heard_monotonic is None else monotonic() - self._heard_monotonic

    @property
    def unreadable(self) -> int:
        """Return how many answers or rows could not be read since the start."""
        return self._unreadable

    async def run(self) -> None:
        """Ask until stopped. Raises what the handler raised, and what only a person can mend."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="polling") as thread:
            try:
                while not self._stopping.is_set():
                    pause = self._pace.every
                    try:
                        events = list(await loop.run_in_executor(thread, lambda: list(self._round.ask())))
                    except TradingError as error:
                        pause = self._failed(error)
                    else:
                        self._answered(events)
                    await self._wait(pause)
            finally:
                self._connected = False
                self._round.close()

    def stop(self) -> None:
        """Ask `run` to return once the question under way is answered."""
        self._stopping.set()

    def _answered(self, events: Iterable[object]) -> None:
        now, silent_since = self._clock.now(), self._heard_at
        self._heard_at, self._heard_monotonic, self._failures = now, monotonic(), 0
        if not self._connected:
            self._connected = True
            self._handler(Connected(silent_since, now))
        for event in events:
            if isinstance(event, Unreadable):
                self._odd(*event.reasons)
            self._handler(event)

    def _failed(self, error: TradingError) -> float:
        """Go down and return for how long to stay so. Raises an error that asking again cannot mend."""
        if isinstance(error, InvalidValue):
            raise error
        if isinstance(error, ParseError):
            self._odd(str(error))
        refused = isinstance(error, VenueRejected)
        logger.log(logging.ERROR if refused else logging.WARNING, "%s is down: %s", self._what, error)
        if refused:
            self._handler(Refused(str(error), self._clock.now()))
        if self._connected:
            self._connected = False
            self._handler(Disconnected(str(error), self._clock.now()))
        self._failures += 1
        # Full jitter: after an outage of the venue not every process knocks in the same instant.
        ceiling = min(self._pace.longest_pause, self._pace.first_pause * 2 ** min(self._failures - 1, 16))
        pause = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - not a secret
        return max(pause, error.retry_after_seconds) if isinstance(error, RateLimited) else pause

    def _odd(self, *reasons: str) -> None:
        for reason in reasons:
            self._unreadable += 1
            if self._unreadable <= LOGGED_IN_FULL:
                logger.error("%s: %s", self._what, reason)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
