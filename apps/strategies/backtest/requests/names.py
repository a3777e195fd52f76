"""What the name of recorded data tells: venue, instrument and currency; and the data themselves behind it.

A name is ``lake:VENUE:SYMBOL:INTERVAL`` or a file's, which reads best as ``venue_SYMBOL_interval``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from apps.exchanges.market_data.history.lake import configured_lake
from apps.exchanges.market_data.history.reader import read_rows
from apps.exchanges.market_data.history.series import Kind, SeriesKey, column, interval_of, stamps
from apps.strategies.backtest.costs import FundingRates
from apps.strategies.backtest.data import Period, RecordedBars, bars_of_file, bars_of_history, funding_of_file
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

LAKE = "lake:"
_QUOTES = ("USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "BTC", "ETH")
_KINDS_OF_MARKET = re.compile(r"[-_](SWAP|PERP|SPOT)$")
# What a name does not tell is taken to be this, and the report says so.
ASSUMED_QUOTE = "USD"


@dataclass(frozen=True, slots=True)
class SeriesName:
    """What a name says. `quote` is "" when it does not tell; `interval` is None for a file, which knows its own."""

    text: str
    venue: str
    symbol: str
    asset: str
    quote: str
    interval: timedelta | None = None

    @property
    def of_lake(self) -> bool:
        """Return whether it is kept by this platform, not a file that somebody brought."""
        return self.text.startswith(LAKE)


def series_named(text: str) -> SeriesName:
    """Return what a name of recorded data says. Raises InvalidValue for a lake name of another form."""
    if text.startswith(LAKE):
        return _of_lake(text)
    stem = Path(text).name.partition(".")[0]
    words = stem.split("_")
    venue, symbol = (words[0], words[1]) if len(words) > 1 else ("file", words[0])
    asset, quote = coins_of(symbol)
    return SeriesName(text, venue.lower(), symbol, asset, quote)


def bars_named(name: SeriesName, folder: Path, period: Period) -> RecordedBars:
    """Return the checked bars behind a name; a file's is relative to `folder`. Raises InvalidValue as the checks do."""
    if not name.of_lake:
        return bars_of_file(folder / name.text, period)
    if name.interval is None:
        raise InvalidValue("data", name.text, "lake:VENUE:SYMBOL:INTERVAL, such as lake:hyperliquid:BTC:5m")
    key = SeriesKey(name.venue, Kind.CANDLES, name.symbol, name.interval)
    return bars_of_history(key, *_extent(key, period), configured_lake())


def funding_named(name: SeriesName, folder: Path) -> FundingRates:
    """Return the recorded funding behind a name. Raises InvalidValue for data that are none."""
    if not name.of_lake:
        return funding_of_file(folder / name.text)
    key = SeriesKey(name.venue, Kind.FUNDING, name.symbol)
    rows = read_rows(key, *_extent(key, Period()), configured_lake(), None)
    return FundingRates(stamps(rows), column(rows, "rate"))


def _extent(key: SeriesKey, period: Period) -> tuple[datetime, datetime]:
    """Return what of the period is kept. Raises InvalidValue when nothing is kept of the series at all."""
    extent = configured_lake().extent(key)
    if extent is None:
        raise InvalidValue("data", str(key), "a series that is kept: `manage.py data list` names them")
    first, last = from_milliseconds(extent.first_ms), from_milliseconds(extent.last_ms)
    return period.start or first, period.end or last + (key.interval or timedelta(milliseconds=1))


def _of_lake(text: str) -> SeriesName:
    parts = text.split(":")
    if len(parts) not in {3, 4} or not all(parts):
        raise InvalidValue("data", text, "lake:VENUE:SYMBOL:INTERVAL for bars, lake:VENUE:SYMBOL for funding")
    asset, quote = coins_of(parts[2])
    return SeriesName(text, parts[1], parts[2], asset, quote, interval_of(parts[3]) if len(parts) == 4 else None)


def coins_of(symbol: str) -> tuple[str, str]:
    """Return base and quote of a symbol such as BTCUSDT, BTC-USDT-SWAP or BTC/USDT:USDT; quote "" for one coin."""
    bare = _KINDS_OF_MARKET.sub("", symbol.upper()).partition(":")[0]
    for quote in _QUOTES:
        base = bare.removesuffix(quote).rstrip("-/")
        if bare.endswith(quote) and base:
            return base, quote
    return bare, ""
