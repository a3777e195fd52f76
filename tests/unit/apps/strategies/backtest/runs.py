"""Runs made from a few invented bars by the real engine, for tests of what is done with runs."""

from datetime import timedelta
from decimal import Decimal

import numpy as np

from apps.strategies.backtest.bars import run_targets
from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.data import RecordedBars
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.outcome import Subject, outcome
from apps.strategies.backtest.record import Origin, RunRecord, record_of
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Market, Setting
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries
from moondev.domain.values import Money, Quantity

HOUR = 3_600_000
START = 1_672_531_200_000
INSTRUMENT = Instrument(
    venue="bybit-linear",
    symbol="BTCUSDT",
    asset="BTC",
    quote="USDT",
    price_grid=PriceGrid(Decimal("0.1")),
    lot=Quantity(Decimal("0.001")),
    min_notional=Money(Decimal(10), "USDT"),
)


def walk(count: int, seed: int = 7) -> BarSeries:
    """Return hours of a random walk from 2023 on."""
    close = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, count)))
    start = np.concatenate(([100.0], close[:-1]))
    stamps = START + np.arange(count, dtype=np.int64) * HOUR
    top, bottom = np.maximum(start, close) * 1.002, np.minimum(start, close) * 0.998
    return BarSeries(timedelta(hours=1), stamps, start, top, bottom, close, np.ones(count))


def record(count: int = 3_000, every: int = 24, costs: Costs | None = None, title: str = "toy, canonical") -> RunRecord:
    """Return the record of a position that is turned `every` so many bars."""
    bars = walk(count)
    source = DataSource(f"invented_1h: {count} bars", "ab" * 32, ("GAP: one bar",))
    costs = costs or Costs(2, 5)
    targets = np.where(np.arange(count) // every % 2, -10.0, 10.0)
    run = run_targets(bars, targets, costs, FillRule.NEXT_OPEN, 10_000)
    setting = Setting((Market(INSTRUMENT, RecordedBars(bars, source, "USDT"), costs),), capital=Decimal(10_000))
    subject = Subject("toy", {"every": every, "mode": "<both>"}, "cd" * 32, INSTRUMENT.key)
    result = outcome(run, subject, source, FillRule.NEXT_OPEN)
    return record_of(result, setting, Origin(title, "canonical", {INSTRUMENT.key: "as asked"}))
