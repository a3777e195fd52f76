"""Market data that grows old: out of the database, into the lake, out of the lake; no row lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import text

from apps.exchanges.market_data.history import partitions, retention
from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.policy import FOR_EVER, Limits, hot_since, limits
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey
from apps.exchanges.market_data.history.store import HistoryStore, open_store
from apps.exchanges.models import HistoryPolicy
from apps.exchanges.tasks import history_keep
from moondev.domain.clock import milliseconds
from moondev.domain.errors import Invariant

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BARS = SeriesKey("hyperliquid", Kind.CANDLES, "BTC", timedelta(hours=1))
TICKS = SeriesKey("hyperliquid", Kind.TRADES, "ETH")
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))
ALWAYS = dict.fromkeys(Kind, FOR_EVER)


@pytest.fixture
def store(transactional_db) -> Iterator[HistoryStore]:
    with open_store() as opened:
        empty_it(opened)
        yield opened
        empty_it(opened)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def empty_it(store: HistoryStore) -> None:
    with store.transaction() as connection:
        for kind in (Kind.CANDLES, Kind.TRADES, Kind.FUNDING):
            for partition in partitions.existing(connection, kind):
                connection.execute(text(f"DROP TABLE {partition.name}"))
        connection.execute(text("TRUNCATE exchanges_series"))


def bars(start: datetime, count: int) -> pa.Table:
    opened = milliseconds(start) + 3_600_000 * np.arange(count)
    close = np.linspace(100, 110, count)
    columns = [opened, close, close + 1, close - 1, close, np.ones(count)]
    return pa.table([pa.array(values) for values in columns], schema=SCHEMAS[Kind.CANDLES])


def trades(start: datetime, count: int) -> pa.Table:
    at = milliseconds(start) + 60_000 * np.arange(count)
    ids, price = pa.array([f"{stamp}" for stamp in at]), pa.array(np.linspace(50, 60, count))
    columns = [pa.array(at), ids, pa.array(np.ones(count, np.int8)), price, price]
    return pa.table(columns, schema=SCHEMAS[Kind.TRADES])


def test_old_partitions_go_to_the_lake_and_every_row_stays_readable(store: HistoryStore, lake: Lake):
    rows, ticks = bars(NOW - 100 * DAY, 100 * 24), trades(NOW - 5 * DAY, 5 * 24 * 60)
    store.write_many({BARS: rows, TICKS: ticks})
    hot = {**ALWAYS, Kind.CANDLES: Limits(40 * DAY, None), Kind.TRADES: Limits(2 * DAY, None)}
    kept = retention.keep_house(store, lake, hot, NOW)
    assert kept.finished
    in_store, in_lake = store.read(BARS, *EVER), lake.read(BARS, *EVER)
    assert len(in_store) + len(in_lake) == len(rows)
    assert pa.concat_tables([in_lake, in_store]).equals(rows)
    assert min(in_store.column("ts").to_pylist()) == milliseconds(datetime(2026, 5, 1, tzinfo=UTC))
    assert pa.concat_tables([lake.read(TICKS, *EVER), store.read(TICKS, *EVER)]).equals(ticks)
    assert kept.rows_moved == len(in_lake) + len(lake.read(TICKS, *EVER))
    again = retention.keep_house(store, lake, hot, NOW)
    assert (again.made, again.moved, again.dropped) == (0, 0, 0)


def test_partitions_are_there_before_they_are_needed(store: HistoryStore, lake: Lake):
    ahead = {**ALWAYS, Kind.TRADES: Limits(None, None, partitions_ahead=3)}
    assert retention.keep_house(store, lake, ahead, NOW).made == 3 + 4 + 3
    with store.transaction() as connection:
        names = [partition.name for partition in partitions.existing(connection, Kind.TRADES)]
    assert names == [f"exchanges_trade_202606{day}" for day in (15, 16, 17, 18)]


def test_what_came_after_the_copy_keeps_its_partition(store: HistoryStore, lake: Lake, monkeypatch):
    store.write(TICKS, trades(NOW - 5 * DAY, 10))
    read = HistoryStore.read_partition

    def read_and_then_one_more(self: HistoryStore, partition: partitions.Partition) -> dict[SeriesKey, pa.Table]:
        found = read(self, partition)
        self.write(TICKS, trades(NOW - 5 * DAY + timedelta(hours=1), 1))
        return found

    hot = {**ALWAYS, Kind.TRADES: Limits(2 * DAY, None)}
    monkeypatch.setattr(HistoryStore, "read_partition", read_and_then_one_more)
    assert retention.keep_house(store, lake, hot, NOW).moved == 0
    assert len(store.read(TICKS, *EVER)) == 11
    monkeypatch.setattr(HistoryStore, "read_partition", read)
    assert retention.keep_house(store, lake, hot, NOW).moved == 1
    assert len(store.read(TICKS, *EVER)) == 0
    assert len(lake.read(TICKS, *EVER)) == 11


def test_a_lake_that_does_not_give_back_what_it_took_costs_nothing(store: HistoryStore, lake: Lake, monkeypatch):
    store.write(TICKS, trades(NOW - 5 * DAY, 10))
    monkeypatch.setattr(Lake, "write", lambda *_: 0)
    with pytest.raises(Invariant, match="0 of 10 rows of exchanges_trade_20260610; nothing was dropped"):
        retention.keep_house(store, lake, {**ALWAYS, Kind.TRADES: Limits(2 * DAY, None)}, NOW)
    assert len(store.read(TICKS, *EVER)) == 10


def test_the_lake_lets_go_of_what_is_too_old_and_joins_finished_days(store: HistoryStore, lake: Lake):
    for start in range(0, 48, 6):
        lake.write(TICKS, trades(NOW.replace(hour=0) - 9 * DAY + timedelta(hours=start), 60))
    lake.write(TICKS, trades(NOW - DAY, 60))
    lake.write(TICKS, trades(NOW - timedelta(hours=1), 10))
    lake.write(TICKS, trades(NOW - timedelta(minutes=30), 10))
    before = lake.read(TICKS, NOW - 8 * DAY, NOW)
    kept = retention.keep_house(store, lake, {**ALWAYS, Kind.TRADES: Limits(None, timedelta(days=8))}, NOW)
    assert (kept.dropped, kept.joined) == (1, 1)
    assert lake.read(TICKS, NOW - 8 * DAY, NOW).equals(before)
    assert [len(list(lake._parts_of(TICKS, day))) for day in lake.dates(TICKS)] == [1, 1, 2]


def test_one_at_a_time_and_not_for_too_long(store: HistoryStore, lake: Lake, monkeypatch):
    store.write(TICKS, trades(NOW - 9 * DAY, 7 * 24 * 60))
    hot = {**ALWAYS, Kind.TRADES: Limits(DAY, None)}
    with store.transaction() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": retention.LOCK})
        assert str(retention.keep_house(store, lake, hot, NOW)).startswith("0 partitions made, 0 moved")
    monkeypatch.setattr(retention, "BUDGET_SECONDS", 0.0)
    assert "more next time" in str(retention.keep_house(store, lake, hot, NOW))
    monkeypatch.undo()
    assert retention.keep_house(store, lake, hot, NOW).moved == 8


def test_the_operators_rows_are_the_limits_and_the_task_goes_by_them(store: HistoryStore, lake: Lake, settings):
    settings.MOONDEV_LAKE_DIR = lake.root
    HistoryPolicy.objects.update_or_create(kind="trades", defaults={"hot_days": 3, "partitions_ahead": 0})
    assert limits()[Kind.TRADES] == Limits(3 * DAY, None, 0)
    assert hot_since(NOW)[Kind.TRADES] == NOW - 3 * DAY
    assert Kind.FUNDING not in hot_since(NOW)
    now = datetime.now(tz=UTC)
    store.write(TICKS, trades(now - 9 * DAY, 100))
    assert "1 moved (100 rows)" in history_keep.run()
