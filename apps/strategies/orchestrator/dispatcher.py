"""The dispatcher process: market events in, ticks out."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

import redis
from django.db import DatabaseError, InterfaceError, close_old_connections

from apps.exchanges.market_data.cache import MarketCache, Wanted
from apps.strategies.orchestrator.deadlines import real_time_from
from apps.strategies.orchestrator.dispatch import dispatch, expire_overdue, prune
from apps.strategies.orchestrator.due import BOOK, Directory, Due, MarketEvent, Noticing
from apps.strategies.orchestrator.event_stream import EventStream
from apps.strategies.orchestrator.missed import missed_bars
from apps.strategies.orchestrator.venues import venues_troubled
from apps.strategies.orchestrator.withdraw import withdraw_stopped
from moondev.domain.clock import Clock, ReplayClock, monotonic
from moondev.domain.errors import Connectivity

logger = logging.getLogger(__name__)

BLOCK_MS = 200
# How soon a waiting occasion is tried again, and for how long.
WAITING_BLOCK_MS = 20
WAITS = timedelta(seconds=10)
HOUSEKEEPING_SECONDS = 1.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0


class Dispatcher:
    """Reads events, finds who is due, dispatches; carries on when Redis or the database goes away for a while."""

    def __init__(
        self, clock: Clock, stream: EventStream, cache: MarketCache, turned: Callable[[], None] = lambda: None
    ) -> None:
        """Read events of `stream` and mids of `cache`, at the time of `clock`; call `turned` after each turn."""
        self._clock, self._stream, self._cache, self._turned = clock, stream, cache, turned
        self._noticing = Noticing(cadence_from_bars=isinstance(clock, ReplayClock))
        self._directory, self._down = Directory(), frozenset[str]()
        self._waiting: dict[int, Due] = {}
        self._missed: list[Due] = []
        self._kept_house = float("-inf")

    def run(self, stopped: threading.Event) -> None:
        """Run until `stopped` is set; every wait in here is bounded."""
        pause = FIRST_PAUSE_SECONDS
        while not stopped.is_set():
            try:
                self._turn()
                self._turned()
                pause = FIRST_PAUSE_SECONDS
            except (redis.RedisError, Connectivity) as error:
                logger.warning("dispatcher: no market events: %s", error)
                pause = self._wait(stopped, pause)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("dispatcher: no database: %s", error)
                close_old_connections()
                pause = self._wait(stopped, pause)

    def step(self, events: Sequence[MarketEvent]) -> None:
        """Act on `events` and on what is still waiting from before."""
        self._keep_house()
        now = self._clock.now()
        due = self._noticing.due(events, self._directory, self._mids(events), now, self._down)
        occasions = {o.strategy.strategy_id: o for o in (*self._missed, *self._waiting.values(), *due)}
        self._missed = []
        held = dispatch(list(occasions.values()), self._clock)
        self._waiting = {
            occasion.strategy.strategy_id: occasion
            for occasion in held
            if real_time_from(self._clock, occasion.at, WAITS) > now
        }

    def _turn(self) -> None:
        try:
            events = self._stream.read(WAITING_BLOCK_MS if self._waiting else BLOCK_MS)
        except redis.RedisError:
            # What waits, and what has passed its deadline, does not need Redis.
            self.step(())
            raise
        self.step(events)
        if events:
            self._stream.acted()

    def _keep_house(self) -> None:
        if monotonic() - self._kept_house < HOUSEKEEPING_SECONDS:
            return
        now = self._clock.now()
        expire_overdue(now)
        self._missed = missed_bars(now)
        prune(now)
        withdraw_stopped(self._clock)
        self._directory = Directory.read()
        self._down = self._silent(self._directory.home_venues)
        self._kept_house = monotonic()

    @staticmethod
    def _silent(venues: Collection[str]) -> frozenset[str]:
        """Return which of the venues do not answer; none while nobody can say."""
        try:
            return venues_troubled(venues).down if venues else frozenset()
        except Connectivity as error:
            logger.warning("dispatcher: no word of the venues: %s", error)
            return frozenset()

    def _mids(self, events: Sequence[MarketEvent]) -> dict[str, float]:
        keys = {event.instrument for event in events if event.kind == BOOK}
        views = self._cache.views({key: Wanted() for key in keys}, self._clock.now()) if keys else {}
        return {key: v.book.mid for key, v in views.items() if v.book is not None and v.book.bids and v.book.asks}

    @staticmethod
    def _wait(stopped: threading.Event, pause: float) -> float:
        stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  spreads reconnects, protects nothing
        return min(pause * 2, LONGEST_PAUSE_SECONDS)
