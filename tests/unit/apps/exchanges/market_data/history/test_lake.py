import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.reader import Gap, gaps_between, read_bars
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey, interval_of
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import InvalidValue

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BTC = SeriesKey("hyperliquid", Kind.CANDLES, "BTC", MINUTE)
PROJECT = Path(__file__).resolve().parents[6]

# Writes files as fast as it can until it is killed; says so after each.
WRITER = """
import sys
import numpy as np, pyarrow as pa
from pathlib import Path
from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey
key = SeriesKey("hyperliquid", Kind.TRADES, "BTC")
for number in range(10_000):
    n = 20_000
    ts = 1_772_323_200_000 + number * n + np.arange(n)
    ids = pa.array([f"{number}-{i}" for i in range(n)])
    ones = np.random.default_rng(number).random(n) + 1.0
    columns = [pa.array(ts), ids, pa.array(np.ones(n, dtype=np.int8)), pa.array(ones), pa.array(ones)]
    Lake(Path(sys.argv[1])).write(key, pa.table(columns, schema=SCHEMAS[Kind.TRADES]))
    print(number, flush=True)
"""


def candles(count: int, *, start: datetime = NOON, close: float = 100.0) -> pa.Table:
    stamps = milliseconds(start) + 60_000 * np.arange(count)
    column = np.full(count, close)
    rows = [stamps, column, column, column, column, np.ones(count)]
    return pa.table([pa.array(values) for values in rows], schema=SCHEMAS[Kind.CANDLES])


def files(lake: Lake) -> list[str]:
    return sorted(path.relative_to(lake.root).as_posix() for path in lake.root.rglob("*.parquet"))


def test_rows_lie_in_a_folder_per_venue_kind_symbol_and_day(tmp_path):
    lake = Lake(tmp_path)
    assert lake.write(BTC, candles(900)) == 900
    folder = "venue=hyperliquid/kind=candles_1m/symbol=BTC"
    assert files(lake) == [
        f"{folder}/date=2026-03-01/part-000001.parquet", f"{folder}/date=2026-03-02/part-000001.parquet",
    ]  # fmt: skip
    assert lake.read(BTC, NOON, NOON + DAY).equals(candles(900))
    assert pq.ParquetFile(tmp_path / files(lake)[0]).metadata.row_group(0).column(1).compression == "ZSTD"


def test_a_symbol_with_a_slash_is_one_folder_and_comes_back(tmp_path):
    key = SeriesKey("okx", Kind.CANDLES, "BTC/USDT:USDT", MINUTE)
    lake = Lake(tmp_path)
    lake.write(key, candles(1))
    assert lake.series() == [key]


@pytest.mark.parametrize("symbol", ["../../etc", "", "a b", "/BTC", "BTC\n"])
def test_a_symbol_that_could_leave_the_lake_is_refused(symbol):
    with pytest.raises(InvalidValue, match="symbol is"):
        SeriesKey("okx", Kind.TRADES, symbol)


def test_what_was_told_last_holds_before_and_after_compaction(tmp_path):
    lake = Lake(tmp_path)
    lake.write(BTC, candles(10))
    lake.write(BTC, candles(5, close=120.0))
    expected = [120.0] * 5 + [100.0] * 5
    assert lake.read(BTC, NOON, NOON + DAY).column("close").to_pylist() == expected
    done = lake.compact(BTC)
    assert (done.dates, done.files_before, done.files_after) == (1, 2, 1)
    assert lake.read(BTC, NOON, NOON + DAY).column("close").to_pylist() == expected
    lake.write(BTC, candles(1, close=130.0))
    assert lake.read(BTC, NOON, NOON + MINUTE).column("close").to_pylist() == [130.0]


def test_extents_are_read_from_the_footers(tmp_path):
    lake = Lake(tmp_path)
    assert lake.extent(BTC) is None
    lake.write(BTC, candles(900))
    extent = lake.extent(BTC)
    assert extent is not None
    assert (extent.first_ms, extent.rows) == (milliseconds(NOON), 900)
    assert extent.last_ms == milliseconds(NOON) + 899 * 60_000
    assert extent.size_bytes == sum((tmp_path / name).stat().st_size for name in files(lake))


def test_old_dates_go_whole(tmp_path):
    lake = Lake(tmp_path)
    lake.write(BTC, candles(900))
    assert lake.drop_before(BTC, NOON) == 0
    assert lake.drop_before(BTC, NOON + DAY) == 1
    assert [str(day) for day in lake.dates(BTC)] == ["2026-03-02"]


@pytest.mark.parametrize(
    ("interval", "dates"),
    [("5m", ["2026-03-01", "2026-03-02", "2026-03-03"]), ("1h", ["2026-03", "2026-04"]), ("1d", ["2026", "2027"])],
)
def test_long_bars_share_a_folder_for_a_month_or_a_year(tmp_path, interval, dates):
    lake, length = Lake(tmp_path), interval_of(interval)
    key = SeriesKey("hyperliquid", Kind.CANDLES, "BTC", length)
    step, count = round(length.total_seconds() * 1000), {"5m": 500, "1h": 800, "1d": 400}[interval]
    first = milliseconds(NOON) // step * step
    rows = candles(count).set_column(0, "ts", pa.array(first + step * np.arange(count)))
    lake.write(key, rows)
    assert [str(day) for day in lake.dates(key)] == dates
    end = from_milliseconds(first + step * count)
    assert lake.read(key, from_milliseconds(first), end).equals(rows)
    assert len(lake.read(key, from_milliseconds(first + step), end)) == count - 1


def test_rows_that_cannot_have_happened_are_refused_and_no_file_appears(tmp_path):
    lake = Lake(tmp_path)
    with pytest.raises(InvalidValue, match="high >= open"):
        lake.write(BTC, candles(3).set_column(2, "high", pa.array([1.0, 1.0, 1.0])))
    assert files(lake) == []


def test_a_file_that_is_damaged_is_named(tmp_path):
    lake = Lake(tmp_path)
    lake.write(BTC, candles(3))
    (tmp_path / files(lake)[0]).write_bytes(b"PAR1 half a file")
    with pytest.raises(InvalidValue, match=r"part-000001\.parquet"):
        lake.read(BTC, NOON, NOON + DAY)


@pytest.mark.parametrize("delay_seconds", [0.0, 0.003, 0.011])
def test_a_writer_killed_at_any_moment_leaves_only_whole_files(tmp_path, delay_seconds):
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert writer.stdout is not None
    told = 0
    while told < 5:
        told = int(writer.stdout.readline()) + 1
    time.sleep(delay_seconds)
    os.kill(writer.pid, signal.SIGKILL)
    told += len(writer.stdout.read().split())
    writer.wait()
    writer.stdout.close()
    lake, key = Lake(tmp_path), SeriesKey("hyperliquid", Kind.TRADES, "BTC")
    names = files(lake)
    assert len(names) in {told, told + 1}
    assert all(pq.ParquetFile(tmp_path / name).metadata.num_rows == 20_000 for name in names)
    rows = len(lake.read(key, NOON - DAY, NOON + DAY))
    assert rows == 20_000 * len(names)
    # The lock went with the process; compaction clears the rest away.
    lake.compact(key)
    assert not list(tmp_path.rglob("*.tmp"))
    assert len(lake.read(key, NOON - DAY, NOON + DAY)) == rows


def test_bars_come_with_the_gaps_between_and_at_both_ends(tmp_path):
    lake = Lake(tmp_path)
    rows = candles(10)
    lake.write(BTC, pa.concat_tables([rows.slice(0, 3), rows.slice(5)]))
    history = read_bars(BTC, NOON - 2 * MINUTE, NOON + 11 * MINUTE, lake)
    start = milliseconds(NOON)
    assert len(history.bars) == 8
    assert history.gaps == (Gap(start - 120_000, 2), Gap(start + 180_000, 2), Gap(start + 600_000, 1))
    assert read_bars(BTC, NOON + 5 * MINUTE, NOON + 10 * MINUTE, lake).complete
    assert str(history.gaps[1]) == "2 missing from 2026-03-01 12:03"


def test_a_period_without_any_bar_is_one_gap():
    assert gaps_between(np.array([], dtype=np.int64), MINUTE, NOON, NOON + 5 * MINUTE) == [Gap(milliseconds(NOON), 5)]
