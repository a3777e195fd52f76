"""From a word on the command line to a market: which instruments, which marks, which feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import floor, log10
from pathlib import Path

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.feed.depth import BookFeed
from apps.exchanges.mock.engine.feed.port import Feed
from apps.exchanges.mock.engine.feed.profiles import Profile, is_known, opening_mark, profile_of
from apps.exchanges.mock.engine.feed.recorded import PrintFeed
from apps.exchanges.mock.engine.feed.recording import DEFAULT_HISTORY_BARS, Kind, Recording, examined, load
from apps.exchanges.mock.engine.feed.synthetic import SyntheticConfig, SyntheticFeed

SYNTHETIC = "synthetic"
_MAX_SIZE_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything an Exchange needs. `recording` and `start` None mean the synthetic market."""

    specs: tuple[InstrumentSpec, ...]
    marks: Mapping[str, Decimal]
    feed: Feed
    recording: Recording | None = None

    @property
    def start(self) -> datetime | None:
        """Return the time the run's clock must start at."""
        return None if self.recording is None else self.recording.start


def prepare(
    source: str | Path = SYNTHETIC,
    coins: Sequence[str] = ("BTC", "ETH", "SOL"),
    seed: int = 1,
    history_bars: int | None = None,
    basis_bps: float = 0.0,
) -> Setup:
    """Return the market of `source`: the word ``synthetic`` or a recorded Parquet file.

    `coins` belong to the synthetic market; a recording has the one in its file name.
    `history_bars` None means 1,500 synthetic or 300 recorded bars. `basis_bps` lifts the synthetic market above
    the common one of its seed. Raises InvalidValue.
    """
    if str(source) == SYNTHETIC:
        bars = _or(history_bars, 1_500)
        return synthetic(SyntheticConfig(coins=tuple(coins), seed=seed, history_bars=bars, basis_bps=basis_bps))
    return recorded(source, seed, _or(history_bars, DEFAULT_HISTORY_BARS))


def synthetic(config: SyntheticConfig) -> Setup:
    """Return the seeded synthetic market."""
    feed = SyntheticFeed(config)
    specs = tuple(profile.spec(number) for number, profile in enumerate(feed.profiles))
    return Setup(specs, {profile.coin: opening_mark(profile, profile.price) for profile in feed.profiles}, feed)


def instruments(prices: Mapping[str, float]) -> tuple[tuple[InstrumentSpec, ...], dict[str, Decimal]]:
    """Return a perpetual for each coin of `prices` and its opening mark. Raises InvalidValue for no coin's name."""
    profiles = [_fitted(profile_of(coin), price) for coin, price in prices.items()]
    specs = tuple(profile.spec(number) for number, profile in enumerate(profiles))
    return specs, {profile.coin: opening_mark(profile, prices[profile.coin]) for profile in profiles}


def recorded(path: str | Path, seed: int, history_bars: int) -> Setup:
    """Return the market of a recorded file."""
    columns = load(path)
    recording = examined(columns, history_bars)
    profile = _fitted(profile_of(recording.coin), recording.price)
    if recording.kind in (Kind.CANDLES, Kind.TRADES):
        feed: Feed = PrintFeed(columns, recording, profile, seed)
    else:
        feed = BookFeed(columns, recording)
    marks = {recording.coin: opening_mark(profile, recording.price)}
    return Setup((profile.spec(0),), marks, feed, recording)


def _or(number: int | None, default: int) -> int:
    return default if number is None else number


def _fitted(profile: Profile, price: float) -> Profile:
    """Return `profile` with decimals that give five significant figures at `price`, if made up."""
    if is_known(profile.coin):
        return profile
    decimals = min(max(2 + floor(log10(price)), 0), _MAX_SIZE_DECIMALS)
    return replace(profile, sz_decimals=decimals, price=price)
