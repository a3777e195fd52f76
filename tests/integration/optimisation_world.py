"""A made-up past on a shelf, and searches over it."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection

from apps.strategies.backtest.requests.request import BacktestRequest
from apps.strategies.optimise.plan import Plan
from apps.strategies.optimise.space import Real, Space, Whole
from apps.strategies.registry import preset

FILE = "binance-usdm_BTCUSDT_15m.parquet"
STEP_MS = 15 * 60_000
SPACE = Space((Whole("length", 5, 60), Real("entry_z", 0.5, 3.0), Real("stop_z", 0.5, 6.0)))


def write_bars(folder, count=800, seed=3):
    """Write `count` bars of a price that wanders and comes back."""
    rng = np.random.default_rng(seed)
    level = 100 + 3 * np.sin(np.arange(count) / 25) + np.cumsum(rng.normal(0, 0.15, count))
    close = np.round(level, 2)
    open_ = np.concatenate(([close[0]], close[:-1]))
    high = np.round(np.maximum(open_, close) + rng.uniform(0, 0.3, count), 2)
    low = np.round(np.minimum(open_, close) - rng.uniform(0, 0.3, count), 2)
    stamps = 1_700_006_400_000 + STEP_MS * np.arange(count, dtype=np.int64)
    columns = {"ts": stamps, "open": open_, "high": high, "low": low, "close": close, "volume": np.full(count, 1000.0)}
    pq.write_table(pa.table(columns), folder / FILE)


def plan(folder="", **fields):
    base = preset("mean_reversion", "canonical").model_copy(update={"trend_interval": "none", "hold_half_lives": 0.0})
    request = BacktestRequest("mean_reversion", base.model_dump(mode="json"), (FILE,))
    settings = {
        "sampler": "tpe",
        "objectives": ("net",),
        "trials": 24,
        "folds": 2,
        "purge_bars": 10,
        "min_trades": 2,
        "seed": 5,
    }
    return Plan(request, SPACE, folder=str(folder), **{**settings, **fields})


def environment(shelf, broker=""):
    """Return what a process of its own needs to meet the test's database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path="/" + connection.settings_dict["NAME"])
    return {
        "DJANGO_SETTINGS_MODULE": "moondev.settings.dev",
        "DATABASE_URL": database.geturl(),
        "MOONDEV_DATA_DIR": str(shelf),
        **({"BROKER_URL": broker} if broker else {}),
    }
