"""Open a market: the instruments, the feed that moves them, and the clock they run on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.engine.feed.setup import SYNTHETIC, Setup, prepare
from moondev.domain.clock import Clock, LiveClock, ReplayClock, process_clock

NO_FEED = "none"


@dataclass(frozen=True, slots=True)
class MarketOptions:
    """What to open.

    `feed` is "synthetic", "none" (empty books, for scenarios) or the path of a recording. A recording
    brings its own coin; `coins` are of the synthetic market. `speed` is a recording's, when the process
    has no replay clock of its own.
    """

    feed: str = SYNTHETIC
    coins: Sequence[str] = ("BTC", "ETH", "SOL")
    seed: int = 1
    speed: float = 1.0


def open_market(options: MarketOptions) -> tuple[Exchange, Clock]:
    """Return an exchange that is fed, and its clock. Raises InvalidValue for what cannot be opened."""
    empty = options.feed == NO_FEED
    setup = prepare(SYNTHETIC if empty else options.feed, options.coins, options.seed)
    clock = _clock(setup, options.speed)
    exchange = Exchange(setup.specs, clock, setup.marks)
    if not empty:
        exchange.attach(setup.feed)
    return exchange, clock


def _clock(setup: Setup, speed: float) -> Clock:
    """Return the process's clock; for a recording without one, a replay clock that starts with it."""
    clock = process_clock()
    if setup.start is None or not isinstance(clock, LiveClock):
        return clock
    return ReplayClock(setup.start, clock.now(), speed)
