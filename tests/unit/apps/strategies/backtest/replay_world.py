"""Made markets for the replay: bars of a minute with the prices a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import numpy as np

from apps.strategies.backtest.costs import FREE, Costs
from apps.strategies.backtest.data import RecordedBars
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Market
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries
from moondev.domain.values import Money, Quantity

MINUTE = timedelta(minutes=1)
START_MS = 1_700_000_100_000  # a multiple of five minutes
D = Decimal


def instrument_of(symbol: str = "BTC", venue: str = "made", lot: str = "0.01") -> Instrument:
    """Return an instrument with a fine grid."""
    return Instrument(venue, symbol, symbol, "USDC", PriceGrid(D("0.01")), Quantity(D(lot)), Money(D(1), "USDC"), 50)


def market_of(
    rows: Sequence[tuple[float, float, float, float]],
    costs: Costs = FREE,
    symbol: str = "BTC",
    minutes: Sequence[int] | None = None,
) -> Market:
    """Return a market of bars (open, high, low, close), one a minute or at `minutes` after the start."""
    prices = np.array(rows, dtype=np.float64)
    at = np.arange(len(rows)) if minutes is None else np.array(minutes)
    columns = (np.ascontiguousarray(column) for column in prices.T)
    bars = BarSeries(MINUTE, START_MS + at * 60_000, *columns, np.full(len(rows), 1_000.0))
    return Market(instrument_of(symbol), RecordedBars(bars, DataSource("made", ""), "USDC"), costs)
