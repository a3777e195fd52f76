"""A made-up market that swings, a strategy that trades its swings, and what it takes to train a filter on it."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.data import RecordedBars, content_hash
from apps.strategies.backtest.record import Origin
from apps.strategies.backtest.requests.setting import Prepared
from apps.strategies.backtest.results import DataSource
from apps.strategies.backtest.setting import Market, Setting
from apps.strategies.library.learned.features import NAMES
from apps.strategies.ml.samples import Samples
from apps.strategies.orchestrator.loader import Loaded, load
from apps.strategies.registry import preset
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import BarSeries
from moondev.domain.values import Money, Quantity

MINUTES = timedelta(minutes=15)
START_MS, STEP_MS = 1_700_006_400_000, 900_000
CHANGED = {"trend_interval": "none", "hold_half_lives": 0.0, "entry_z": 1.2, "length": 10, "rsi_oversold": 0.0}
BITCOIN = Instrument(
    "binance", "BTCUSDT", "BTC", "USDT", PriceGrid(Decimal("0.01")), Quantity("0.001"), Money(Decimal(10), "USDT"), 20
)
needs_pytorch = pytest.mark.skipif(
    find_spec("torch") is None, reason="PyTorch is an extra that is not installed: pip install -r requirements-ml.txt"
)


def swinging_bars(count: int = 1_600) -> BarSeries:
    """Return quarters of an hour of a market that swings about a slow walk from 100."""
    rng = np.random.default_rng(7)
    close = np.round(100 + 3 * np.sin(np.arange(count) / 9) + np.cumsum(rng.normal(0, 0.1, count)), 2)
    open_ = np.concatenate((close[:1], close[:-1]))
    high, low = np.maximum(open_, close) + 0.1, np.minimum(open_, close) - 0.1
    stamps = START_MS + STEP_MS * np.arange(count, dtype=np.int64)
    return BarSeries(MINUTES, stamps, open_, high, low, close, rng.exponential(1000, count))


def setting(count: int = 1_600) -> Setting:
    """Return that market with fees."""
    bars = swinging_bars(count)
    recorded = RecordedBars(bars, DataSource("made up", content_hash(bars)), "USDT")
    return Setting((Market(BITCOIN, recorded, Costs(2.0, 5.0)),))


def inner() -> dict[str, Any]:
    """Return the parameters of the strategy that is filtered."""
    return {**preset("mean_reversion", "canonical").model_dump(mode="json"), **CHANGED}


def filtered(**values: Any) -> Loaded:
    """Return the filter around it."""
    return load("filtered", filtered_parameters(**values))


def filtered_parameters(**values: Any) -> dict[str, Any]:
    """Return the filter's parameters as an operator would write them."""
    return {"inner": "mean_reversion", "inner_parameters": json.dumps(CHANGED), **values}


def prepared(count: int = 1_600) -> Prepared:
    """Return what a filter is trained on."""
    return Prepared(load("mean_reversion", inner()), setting(count), Origin("test"))


def made_up(count: int = 600, told: float = 1.0, seed: int = 2) -> Samples:
    """Return trades whose outcome hangs on the first feature as much as `told` says."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, len(NAMES)))
    won = (told * rows[:, 0] + rng.normal(size=count) > 0).astype(np.int64)
    entered = np.arange(count, dtype=np.int64) * 1_000_000
    return Samples(rows, won, np.where(won == 1, 0.01, -0.01), entered, entered + 500_000)
