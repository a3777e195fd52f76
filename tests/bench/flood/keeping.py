"""What keeping data costs: an order book per difference, rows a second into the lake and into the database."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from apps.exchanges.market_data.book import DepthBook
from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey
from apps.exchanges.market_data.history.store import open_store
from tests.bench.figures import Spread
from tests.bench.results import Row

LEVELS, CHANGES, UPDATES = 1_000, 10, 5_000
LAKE_ROWS, STORE_ROWS = 500_000, 200_000
BATCH = 20_000
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TICKS = SeriesKey("bench", Kind.TRADES, "BTC")
BARS = SeriesKey("bench", Kind.CANDLES, "BTC", timedelta(minutes=1))


def keeping_rows() -> list[Row]:
    """Return one row per thing that is kept."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        into_lake = _rate("trades into the lake", LAKE_ROWS, lambda rows: lake.write(TICKS, rows), _trades)
    with open_store() as store:
        into_store = _rate("trades into the database", STORE_ROWS, lambda rows: store.write(TICKS, rows), _trades)
        bars = _rate("candles into the database", STORE_ROWS, lambda rows: store.write(BARS, rows), _bars)
    return [*_book_rows(), into_lake, into_store, bars]


def _book_rows() -> list[Row]:
    """Return what one difference costs in a deep book, and what reading its best 20 levels adds."""
    chance, book = random.Random(5), DepthBook()
    bids = [(100 - step * 0.01, 1.0) for step in range(1, LEVELS + 1)]
    asks = [(100 + step * 0.01, 1.0) for step in range(1, LEVELS + 1)]
    book.replace(bids, asks)
    apply, read = [], []
    for _ in range(UPDATES):
        # As depth differences are: mostly near the top, a third of them a price that goes.
        places = [min(int(chance.expovariate(0.05)), LEVELS - 1) for _ in range(CHANGES)]
        sizes = [0.0 if chance.random() < 0.33 else chance.uniform(0.1, 9) for _ in range(CHANGES)]
        changes = list(zip(places, sizes, strict=True))
        began = time.perf_counter()
        book.update([(bids[p][0], size) for p, size in changes[::2]], [(asks[p][0], size) for p, size in changes[1::2]])
        applied = time.perf_counter()
        book.top(20, NOON, NOON)
        apply.append((applied - began) * 1000)
        read.append((time.perf_counter() - applied) * 1000)
    setting = f"{LEVELS} levels a side"
    note = f"{np.median(apply) * 1000:.0f} us for {CHANGES} changed levels, {setting}"
    best = f"{np.median(read) * 1000:.0f} us for the best 20 levels a side"
    return [
        Row("order book: difference", Spread.of(apply), note=note),
        Row("order book: read", Spread.of(read), note=best),
    ]


def _rate(name: str, count: int, write: Callable[[pa.Table], object], make: Callable[[int, int], pa.Table]) -> Row:
    batches = [make(start, BATCH) for start in range(0, count, BATCH)]
    samples, began = [], time.perf_counter()
    for rows in batches:
        start = time.perf_counter()
        write(rows)
        samples.append((time.perf_counter() - start) * 1000)
    rate = count / (time.perf_counter() - began)
    note = f"{rate:,.0f} rows/s in pieces of {BATCH:,}"
    return Row(name, Spread.of(samples), note=note, facts={"rows_per_second": rate})


def _trades(start: int, count: int) -> pa.Table:
    stamps = int(NOON.timestamp() * 1000) + (start + np.arange(count)) // 50
    ids = pa.array([str(start + number) for number in range(count)])
    price = 100 + np.sin(np.arange(count) / 500)
    columns = [pa.array(stamps), ids, pa.array(np.ones(count, np.int8)), pa.array(price), pa.array(price / 50)]
    return pa.table(columns, schema=SCHEMAS[Kind.TRADES])


def _bars(start: int, count: int) -> pa.Table:
    stamps = int(NOON.timestamp() * 1000) + 60_000 * (start + np.arange(count))
    close = 100 + np.sin(np.arange(count) / 500)
    columns = [stamps, close, close + 1, close - 1, close, np.ones(count)]
    return pa.table([pa.array(values) for values in columns], schema=SCHEMAS[Kind.CANDLES])
