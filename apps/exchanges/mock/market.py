"""Open a market: the instruments, the feed that moves them, and the clock they run on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.engine.feed.profiles import opening_mark, profiles
from apps.exchanges.mock.engine.feed.synthetic import SyntheticConfig, SyntheticFeed
from moondev.domain.clock import Clock, process_clock

SYNTHETIC, NO_FEED = "synthetic", "none"


@dataclass(frozen=True, slots=True)
class MarketOptions:
    """What to open.

    `feed` is "synthetic", "none" (empty books, for scenarios) or the path of a recording. A recording
    brings its own coin; `coins` and `seed` are of the synthetic market. `speed` is a recording's, when
    the process has no replay clock of its own.
    """

    feed: str = SYNTHETIC
    coins: Sequence[str] = ("BTC", "ETH", "SOL")
    seed: int = 1
    speed: float = 1.0


def open_market(options: MarketOptions) -> tuple[Exchange, Clock]:
    """Return an exchange that is fed, and its clock. Raises InvalidValue for what cannot be opened."""
    if options.feed in {SYNTHETIC, NO_FEED}:
        return _made_up(options)
    return _recorded(Path(options.feed), options.speed)


def _made_up(options: MarketOptions) -> tuple[Exchange, Clock]:
    clock = process_clock()
    listed = profiles(options.coins)
    specs = [profile.spec(number) for number, profile in enumerate(listed)]
    marks = {profile.coin: opening_mark(profile, profile.price) for profile in listed}
    exchange = Exchange(specs, clock, marks)
    if options.feed == SYNTHETIC:
        exchange.attach(SyntheticFeed(SyntheticConfig(coins=options.coins, seed=options.seed)))
    return exchange, clock


def _recorded(path: Path, speed: float) -> tuple[Exchange, Clock]:
    raise NotImplementedError(path, speed)
