"""Market data in SQL: COPY in, COPY out, nothing twice, partitions as they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import text

from apps.exchanges.market_data.history import partitions
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey
from apps.exchanges.market_data.history.store import HistoryStore, open_store
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

MINUTE = timedelta(minutes=1)
START = datetime(2026, 3, 31, 23, 0, tzinfo=UTC)
BTC = SeriesKey("hyperliquid", Kind.CANDLES, "BTC", MINUTE)
TICKS = SeriesKey("hyperliquid", Kind.TRADES, "BTC")


@pytest.fixture
def store(transactional_db) -> Iterator[HistoryStore]:
    with open_store() as opened:
        empty_it(opened)
        yield opened
        empty_it(opened)


def empty_it(store: HistoryStore) -> None:
    with store.transaction() as connection:
        tables = "exchanges_series, exchanges_candle, exchanges_trade, exchanges_funding_rate"
        connection.execute(text(f"TRUNCATE {tables}"))


def candles(count: int, *, close: float = 100.0, start: datetime = START) -> pa.Table:
    stamps = milliseconds(start) + 60_000 * np.arange(count)
    column = np.full(count, close)
    rows = [stamps, column, column + 1, column - 1, column, np.arange(count) / 8]
    return pa.table([pa.array(values) for values in rows], schema=SCHEMAS[Kind.CANDLES])


def trades(*rows: tuple[int, str, int, float, float]) -> pa.Table:
    return pa.table([pa.array(list(values)) for values in zip(*rows, strict=True)], names=SCHEMAS[Kind.TRADES].names)


def read(store: HistoryStore, key: SeriesKey = BTC) -> pa.Table:
    return store.read(key, START - timedelta(days=400), START + timedelta(days=400))


def test_rows_come_back_as_they_went_in_across_the_border_of_a_partition(store):
    assert store.write(BTC, candles(120)) == 120
    assert read(store).equals(candles(120))
    assert store.last(BTC) == START + 119 * MINUTE
    with store.transaction() as connection:
        names = {partition.name for partition in partitions.existing(connection, Kind.CANDLES)}
    assert {"exchanges_candle_202603", "exchanges_candle_202604"} <= names


def test_odd_numbers_keep_every_bit(store):
    rows = candles(1).set_column(5, "volume", pa.array([0.1 + 0.2]))
    store.write(BTC, rows)
    assert read(store).column("volume")[0].as_py() == 0.1 + 0.2


def test_the_same_rows_again_change_nothing_and_new_numbers_replace_old_ones(store):
    store.write(BTC, candles(10))
    assert store.write(BTC, candles(10)) == 0
    assert store.write(BTC, candles(4, close=200.0)) == 4
    assert read(store).column("close").to_pylist() == [200.0] * 4 + [100.0] * 6


def test_a_row_told_twice_in_one_batch_is_stored_once_with_its_last_numbers(store):
    assert store.write(BTC, pa.concat_tables([candles(3), candles(3, close=150.0)])) == 3
    assert read(store).column("close").to_pylist() == [150.0] * 3


def test_trades_of_one_millisecond_stay_apart_and_in_the_order_of_their_numbers(store):
    at = milliseconds(START)
    rows = trades((at, "1000", 1, 100.0, 1.0), (at, "999", -1, 99.0, 2.0), (at, "999", -1, 99.0, 2.0))
    assert store.write(TICKS, rows) == 2
    assert store.write(TICKS, rows) == 0
    assert read(store, TICKS).column("trade_id").to_pylist() == ["999", "1000"]


def test_many_series_are_one_transaction(store):
    good = SeriesKey("bybit", Kind.CANDLES, "ETHUSDT", MINUTE)
    broken = candles(2).set_column(2, "high", pa.array([1.0, 1.0]))
    with pytest.raises(InvalidValue, match="high >= open"):
        store.write_many({good: candles(2), BTC: broken})
    assert store.extents() == []
    assert (
        store.write_many({good: candles(2), BTC: candles(3), TICKS: trades((1_700_000_000_000, "1", 1, 1.0, 1.0))}) == 6
    )
    assert [(str(extent.key), extent.rows) for extent in store.extents()] == [
        ("bybit ETHUSDT candles 1m", 2), ("hyperliquid BTC candles 1m", 3), ("hyperliquid BTC trades", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shift_ms", "match"), [(500, "multiple of 60000 ms"), (-1_700_000_000_000, "milliseconds, 2000 to 2099")]
)
def test_stamps_off_the_grid_or_in_another_unit_are_refused_and_nothing_is_stored(store, shift_ms, match):
    rows = candles(3)
    shifted = rows.set_column(0, "ts", pa.array(rows.column("ts").to_numpy() + shift_ms))
    with pytest.raises(InvalidValue, match=match):
        store.write(BTC, shifted)
    assert len(read(store)) == 0


def test_a_series_nobody_stored_is_empty(store):
    assert len(read(store)) == 0
    assert store.last(BTC) is None
