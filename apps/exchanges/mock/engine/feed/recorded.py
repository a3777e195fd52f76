"""Replays of recorded candles and trades: every print happens, at its time and at its price."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from apps.exchanges.mock.engine.bars import Bar
from apps.exchanges.mock.engine.feed.ladder import Ladder
from apps.exchanges.mock.engine.feed.prints import (
    Print,
    candle_history,
    candle_prints,
    trade_history,
    trade_prints,
)
from apps.exchanges.mock.engine.feed.profiles import Profile
from apps.exchanges.mock.engine.feed.recording import Columns, Kind, Recording
from apps.exchanges.mock.engine.house import House
from apps.exchanges.mock.engine.market import Market
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue

_BPS = 10_000
_GAP_BPS = 1.0
_MARK_INTERVAL_MS = 1_000
_DAY_MS = 86_400_000
# A call handles this many prints at most, so that a late start does not block the venue.
_MAX_PER_CALL = 2_000


def require_replay_clock(recording: Recording, now_ms: int) -> None:
    """Raise InvalidValue unless `now_ms` lies in the recorded time: a live clock would skip it all.

    A day of run time before the start is allowed, for processes that are up early.
    """
    if not milliseconds(recording.start) - _DAY_MS <= now_ms < milliseconds(recording.last):
        allowed = f"a replay clock that starts at {recording.start.isoformat()}"
        raise InvalidValue("clock", from_milliseconds(now_ms).isoformat(), allowed)


class PrintFeed:
    """Quotes around each recorded print, lets a taker trade it, and counts it into the bars.

    A buy prints at the best ask and a sell at the best bid, so the bars that close are exactly the
    recorded ones, while people's orders are filled by the queue as the prints reach them.
    """

    def __init__(self, columns: Columns, recording: Recording, profile: Profile, seed: int) -> None:
        """Prepare; nothing happens before `start`."""
        self._columns = columns
        self._recording = recording
        self._profile = profile
        self._rng = Random(seed)  # noqa: S311 - a market, not a secret
        self._house: House | None = None
        self._prints: Iterator[Print] = iter(())
        self._next: Print | None = None
        self._next_mark_ms = 0

    @property
    def ended(self) -> bool:
        """Return whether the record has been played to its end."""
        return self._house is not None and self._next is None

    def start(self, house: House, now_ms: int) -> None:
        """Serve the history and open the market at the first print."""
        require_replay_clock(self._recording, now_ms)
        house.rewind(min(now_ms, milliseconds(self._recording.start)))
        self._house, self._market = house, house.market(self._recording.coin)
        self._market.bars.from_tape = True
        bars, self._prints = self._read(self._market)
        house.load(self._market, self._recording.interval or "1m", bars)
        self._next = next(self._prints, None)
        if self._next is not None:
            self._ladder = self._ladder_at(house, self._next.px)
            house.start(self._market, self._next.px)
            self._ladder.centre(*self._touch(self._market, self._next))

    def advance(self, now_ms: int) -> int:
        """Play the prints that are due."""
        reached_ms = now_ms
        for _ in range(_MAX_PER_CALL):
            due = self._next
            if due is None or due.time_ms > now_ms:
                return now_ms
            self._play(self._desk(), due)
            reached_ms = due.time_ms
            self._next = next(self._prints, None)
        return reached_ms

    def skip_to(self, now_ms: int) -> None:
        """Leave out the prints before `now_ms`."""
        while self._next is not None and self._next.time_ms < now_ms:
            self._next = next(self._prints, None)

    def _play(self, house: House, due: Print) -> None:
        market = self._market
        house.at(due.time_ms)
        self._ladder.centre(*self._touch(market, due))
        self._ladder.stir()
        if due.size:
            house.take(market, due.px, due.size, is_buy=due.is_buy)
        house.print(market, due.px, due.size)
        if due.time_ms >= self._next_mark_ms:
            self._next_mark_ms = due.time_ms + _MARK_INTERVAL_MS
            house.refresh_mark(market, due.px)

    def _touch(self, market: Market, due: Print) -> tuple[int, int]:
        """Return best bid and ask such that the print trades at one of them."""
        grid = market.grid
        spread = max(1, round(due.px * self._profile.spread_bps / _BPS))
        if due.is_buy:
            return max(1, grid.floor(due.px - spread)), due.px
        return due.px, grid.ceil(due.px + spread)

    def _read(self, market: Market) -> tuple[list[Bar], Iterator[Print]]:
        columns, recording, grid = self._columns, self._recording, market.grid
        if recording.kind is Kind.CANDLES:
            history = candle_history(columns, recording, grid)
            return history, candle_prints(columns, recording, grid, self._rng)
        return trade_history(columns, recording, grid), trade_prints(columns, recording, grid)

    def _ladder_at(self, house: House, px: int) -> Ladder:
        grid = self._market.grid
        step = grid.step_at(px)
        gap = max(step, round(px * _GAP_BPS / _BPS / step) * step)
        depth = self._profile.depth_notional / (px / grid.price_unit) * grid.size_unit
        return Ladder(house, self._market, gap, depth, self._rng)

    def _desk(self) -> House:
        if self._house is None:
            raise InvalidValue("feed", "not started", "a feed that is attached to an exchange")
        return self._house
