"""The latest market data, shared through Redis by one writer per venue and any number of readers.

Everything here can be rebuilt from the venue, so nothing here is ever the truth about money.
A reader keeps the bar blocks it has decoded: between two closes a view costs one round trip.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import cast

import msgspec
import redis
from django.conf import settings

from apps.exchanges.market_data.codec import LiveState, StoredState, pack_bars, unpack_bars
from apps.exchanges.market_data.line import Command
from moondev.domain.errors import Connectivity, InvalidValue
from moondev.domain.market_data import BarSeries, Book, InstrumentView, TradeTick

EVENTS_KEY = "md:events"
EVENTS_KEPT = 10_000
# Closed bars whose news Redis would not take are kept in memory up to this many.
BAR_EVENTS_KEPT = 1_000
REDIS_TIMEOUT_SECONDS = 1.0
HEALTH_KEPT_SECONDS = 10
TRADES_KEY = "md:trades"
# A batch is what came within a flush: some seconds of a flood, minutes of an ordinary day.
TRADE_BATCHES_KEPT = 2_000
# While Redis is away so many trades wait in memory for it.
TRADES_KEPT = 20_000
NEVER_HEARD = InstrumentView(bars={}, book=None, mark_price=None, age=timedelta.max)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(StoredState).decode


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a view of one instrument shall hold: closed bars per interval, and whether the book."""

    bars: Mapping[timedelta, int] = field(default_factory=dict)
    book: bool = True


def state_key(instrument: str) -> str:
    """Return the Redis key of an instrument's state."""
    return f"md:state:{instrument}"


def bars_key(instrument: str, seconds: int) -> str:
    """Return the Redis key of one bar series."""
    return f"md:bars:{instrument}:{seconds}"


class MarketCache:
    """Reads views. Not shared between threads that read at once; cheap to make."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._decoded: dict[tuple[str, int], BarSeries] = {}

    def views(self, wanted: Mapping[str, Wanted], now: datetime) -> dict[str, InstrumentView]:
        """Return a view of every instrument asked for; one never heard of has no data and infinite age.

        Raises Connectivity when Redis does not answer.
        """
        keys = list(wanted)
        states = {
            key: _decode(raw) for key, raw in zip(keys, self._read([state_key(k) for k in keys]), strict=True) if raw
        }
        self._fetch_bars(self._stale(wanted, states))
        return {key: self._view(key, wanted[key], states.get(key), now) for key in keys}

    def _stale(self, wanted: Mapping[str, Wanted], states: Mapping[str, StoredState]) -> list[tuple[str, int]]:
        stale = []
        for key, state in states.items():
            for seconds in (round(interval.total_seconds()) for interval in wanted[key].bars):
                newest = state.bars.get(seconds)
                known = self._decoded.get((key, seconds))
                if newest is not None and (known is None or len(known) == 0 or known.opened_ms[-1] < newest):
                    stale.append((key, seconds))
        return stale

    def _fetch_bars(self, series: list[tuple[str, int]]) -> None:
        blocks = self._read([bars_key(key, seconds) for key, seconds in series])
        for (key, seconds), block in zip(series, blocks, strict=True):
            if block:
                self._decoded[key, seconds] = unpack_bars(block, timedelta(seconds=seconds))

    def _view(self, key: str, wanted: Wanted, state: StoredState | None, now: datetime) -> InstrumentView:
        if state is None:
            return NEVER_HEARD
        bars = {}
        for interval, count in wanted.bars.items():
            series = self._decoded.get((key, round(interval.total_seconds())))
            if series is not None:
                bars[interval] = series.tail(count)
        mark = None if math.isnan(state.mark) else state.mark
        funding = None if math.isnan(state.funding) else state.funding
        book = _book_or_none(state) if wanted.book else None
        return InstrumentView(bars, book, mark, state.age(now), funding, state.mark_age(now))

    def _read(self, keys: list[str]) -> list[bytes | None]:
        if not keys:
            return []
        try:
            # decode_responses is off, so the answers are bytes; the library's type allows for both.
            return cast(list[bytes | None], self._redis.mget(keys))
        except redis.RedisError as error:
            raise Connectivity(f"market data cache: {error}") from error


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that changed since the last flush, as commands of Redis, and what is needed to put it up again."""

    commands: Sequence[Command]
    keys: frozenset[str]
    series: frozenset[tuple[str, int]]
    events: Sequence[dict[str, str]]
    trades: Sequence[TradeTick]

    def __len__(self) -> int:
        return len(self.keys) + len(self.series) + len(self.events) + len(self.trades)


class MarketWriter:
    """Collects what changed and writes it in one round trip. One per stream process.

    Of books and marks only the newest is written, of trades and closed bars every one.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._states: dict[str, LiveState] = {}
        self._changed: set[str] = set()
        self._series: dict[tuple[str, int], BarSeries] = {}
        self._changed_series: set[tuple[str, int]] = set()
        self._events: list[dict[str, str]] = []
        self._trades: list[TradeTick] = []
        self.trades_lost = 0

    def state(self, instrument: str) -> LiveState:
        """Return the instrument's state to be changed; it is written with the next flush."""
        self._changed.add(instrument)
        state = self._states.get(instrument)
        if state is None:
            state = self._states[instrument] = LiveState()
        return state

    def newest_book(self, instrument: str) -> Book | None:
        """Return the newest book of an instrument; None when none was heard yet."""
        state = self._states.get(instrument)
        return None if state is None else state.book

    def trades(self, ticks: Sequence[TradeTick]) -> None:
        """Put up trades."""
        self._trades.extend(ticks)

    def bars(self, instrument: str, series: BarSeries) -> None:
        """Put a series of closed bars up for writing, and name its newest bar in the state."""
        if len(series) == 0:
            return
        seconds = round(series.interval.total_seconds())
        self._series[instrument, seconds] = series
        self._changed_series.add((instrument, seconds))
        self.state(instrument).bars[seconds] = int(series.opened_ms[-1])

    def event(self, kind: str, instrument: str, event_id: str, at: datetime, interval: timedelta | None = None) -> None:
        """Put up a market event: ``bar``, ``book`` or ``fill``; the dispatcher turns it into ticks."""
        seconds = "" if interval is None else str(round(interval.total_seconds()))
        self._events.append(
            {"type": kind, "key": instrument, "interval": seconds, "id": event_id, "at": at.isoformat()}
        )

    @property
    def client(self) -> redis.Redis:
        """Return the connection to the cache."""
        return self._redis

    @property
    def dirty(self) -> bool:
        """Return whether something waits to be written."""
        return bool(self._changed or self._changed_series or self._events or self._trades)

    def take(self) -> Batch:
        """Return what waits, as commands; nothing waits afterwards.

        Bars go before the states that name them.
        """
        blocks: list[str | bytes | int] = []
        for name in self._changed_series:
            blocks += (bars_key(*name), pack_bars(self._series[name]))
        for key in self._changed:
            blocks += (state_key(key), _encode(self._states[key].stored()))
        commands: list[Command] = [("MSET", *blocks)] if blocks else []
        commands += [_add(EVENTS_KEY, EVENTS_KEPT, *chain.from_iterable(event.items())) for event in self._events]
        if self._trades:
            commands.append(_add(TRADES_KEY, TRADE_BATCHES_KEPT, "trades", _encode(self._trades)))
        batch = Batch(commands, frozenset(self._changed), frozenset(self._changed_series), self._events, self._trades)
        self._changed.clear()
        self._changed_series.clear()
        self._events, self._trades = [], []
        return batch

    def put_back(self, batch: Batch) -> None:
        """Put up again what Redis did not take: states, bars, trades, and the news of closed bars.

        Moves and fills are not: by then there are newer ones, while a bar closes once. Of trades and bars only so
        many are kept in memory.
        """
        self._changed |= batch.keys
        self._changed_series |= batch.series
        bars = [event for event in batch.events if event["type"] == "bar"]
        self._events = (bars + self._events)[-BAR_EVENTS_KEPT:]
        trades = [*batch.trades, *self._trades]
        self.trades_lost += max(len(trades) - TRADES_KEPT, 0)
        self._trades = trades[-TRADES_KEPT:]

    def flush(self) -> int:
        """Write what changed and wait for Redis; return how many keys, events and trades.

        Raises Connectivity when Redis does not take it; what must not be lost stays up for the next flush.
        """
        batch = self.take()
        pipe = self._redis.pipeline(transaction=False)
        for command in batch.commands:
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]  # the library's own gap
        try:
            pipe.execute()
        except redis.RedisError as error:
            self.put_back(batch)
            raise Connectivity(f"market data cache: {error}") from error
        return len(batch)

    def rewrite_if_forgotten(self, venue: str) -> None:
        """Put everything up again when Redis has lost its memory (flushed or restarted).

        Raises Connectivity when Redis does not answer.
        """
        try:
            fresh = self._redis.set(f"md:remembers:{venue}", "1", nx=True)
        except redis.RedisError as error:
            raise Connectivity(f"market data cache: {error}") from error
        if fresh:
            self._changed.update(self._states)
            self._changed_series.update(self._series)

    def health(self, venue: str, report: msgspec.Struct) -> None:
        """Write the stream's own health beside the data; it lapses when the process no longer writes it."""
        try:
            pipe = self._redis.pipeline(transaction=False)
            pipe.set(f"md:health:{venue}", msgspec.json.encode(report), ex=HEALTH_KEPT_SECONDS)
            pipe.execute()
        except redis.RedisError as error:
            raise Connectivity(f"market data cache: {error}") from error


def _add(key: str, kept: int, *fields: str | bytes) -> Command:
    """Return the command that adds an entry to a stream of about `kept` entries."""
    return ("XADD", key, "MAXLEN", "~", kept, "*", *fields)


def forget(client: redis.Redis, instruments: Iterable[str]) -> None:
    """Remove what is stored of `instruments`; for tests and for the start of a replay."""
    for instrument in instruments:
        keys = [state_key(instrument), *client.scan_iter(bars_key(instrument, 0)[:-1] + "*")]
        client.delete(*keys)


def redis_client() -> redis.Redis:
    """Return a new client of the cache with time-outs on every call."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        protocol=2,
    )


@lru_cache(maxsize=1)
def process_redis() -> redis.Redis:
    """Return this process's client of the cache, for a question now and then."""
    return redis_client()


@lru_cache(maxsize=1)
def market_cache() -> MarketCache:
    """Return this process's reader."""
    return MarketCache(redis_client())


def _book_or_none(state: StoredState) -> Book | None:
    """Return the book; None as well when it is crossed, which no strategy may decide on."""
    try:
        return state.book()
    except InvalidValue:
        return None
