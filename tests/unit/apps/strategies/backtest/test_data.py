"""Bars reach a backtest checked, or not at all."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.exchanges.market_data.history.lake import Lake
from apps.exchanges.market_data.history.series import SCHEMAS, Kind, SeriesKey
from apps.strategies.backtest.data import Period, bars_of_file, bars_of_history, funding_of_file, require_one_quote
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.recorded import FOLDER

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def rows(count=50, **changed):
    close = 100 + np.sin(np.arange(count))
    opened = np.concatenate(([100.0], close[:-1]))
    columns = {
        "ts": milliseconds(NOON) + np.arange(count) * 3_600_000,
        "open": opened, "high": np.maximum(opened, close) + 1, "low": np.minimum(opened, close) - 1,
        "close": close, "volume": np.ones(count),
    }  # fmt: skip
    return pa.table(columns | changed)


def written(folder, table, name="venue_BTCUSDT_1h"):
    path = folder / f"{name}.parquet"
    pq.write_table(table, path)
    return path


def test_good_bars_come_with_what_they_are_and_a_hash_of_their_numbers(tmp_path):
    recorded = bars_of_file(written(tmp_path, rows()))
    assert (len(recorded.bars), recorded.quote, recorded.source.warnings) == (50, "USDT", ())
    assert recorded.source.description == (
        "venue_BTCUSDT_1h.parquet: 50 bars of 1h, 2026-03-01 12:00 to 2026-03-03 13:00"
    )
    again = bars_of_file(written(tmp_path, rows(), "other_BTCUSDT_1h"))
    assert again.source.content_hash == recorded.source.content_hash
    volume = np.ones(50)
    volume[17] = 2
    other = bars_of_file(written(tmp_path, rows(volume=volume)))
    assert other.source.content_hash != recorded.source.content_hash


def test_a_period_cuts_the_bars_and_says_what_it_asks_for_beyond_them(tmp_path):
    path = written(tmp_path, rows())
    inside = bars_of_file(path, Period(NOON + 2 * HOUR, NOON + 12 * HOUR))
    assert len(inside.bars) == 10
    assert inside.source.warnings == ()
    beyond = bars_of_file(path, Period(NOON - 3 * HOUR, NOON + 52 * HOUR)).source.warnings
    assert beyond == (
        "the period begins before the data: 3 missing from 2026-03-01 09:00",
        "the period ends after the data: 2 missing from 2026-03-03 14:00",
    )


def test_gaps_are_flagged_and_not_filled(tmp_path):
    table = rows()
    holed = bars_of_file(written(tmp_path, pa.concat_tables([table.slice(0, 20), table.slice(25)])))
    assert len(holed.bars) == 45
    (warning,) = holed.source.warnings
    assert warning.startswith("GAP: 5 missing in 1 gaps")


def _spoilt(name, value, row=7):
    column = rows()[name].to_numpy().copy()
    column[row] = value
    return rows(**{name: column})


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (_spoilt("close", np.nan), "NUMBER: 1 bars .*first at row 7: 2026-03-01 19:00"),
        (_spoilt("open", -1.0), "NUMBER"),
        (_spoilt("high", 1.0), "OHLC: 1 bars .*row 7"),
        (_spoilt("ts", milliseconds(NOON)), "ORDER: .*DUPLICATE|DUPLICATE: .*ORDER"),
        (_spoilt("ts", milliseconds(NOON) + 7 * 3_600_000 + 1), "OFF_GRID: .*row 7"),
        (rows(ts=rows()["ts"].to_numpy() // 1000), "UNIT: .*seconds"),
        (rows(open=rows()["low"], low=rows()["open"]), "MISLABELLED|OHLC"),
    ],
)
def test_bad_bars_are_refused_with_what_and_where(tmp_path, table, what):
    with pytest.raises(InvalidValue, match=what):
        bars_of_file(written(tmp_path, table))


def test_stamps_of_another_unit_are_told_even_when_a_period_is_asked_for(tmp_path):
    path = written(tmp_path, rows(ts=rows()["ts"].to_numpy() // 1000))
    with pytest.raises(InvalidValue, match=r"UNIT: .*seconds"):
        bars_of_file(path, Period(NOON))


def test_too_little_history_and_files_of_another_kind_are_refused(tmp_path):
    path = written(tmp_path, rows())
    with pytest.raises(InvalidValue, match=r"50 bars in the whole of it.*; allowed: 55 or more"):
        bars_of_file(path, fewest=55)
    with pytest.raises(InvalidValue, match="0 bars in 2026-03-11"):
        bars_of_file(path, Period(NOON + timedelta(days=10)))
    with pytest.raises(InvalidValue, match="a start before the end"):
        Period(NOON, NOON)
    with pytest.raises(InvalidValue, match="a file of candles"):
        bars_of_file(written(tmp_path, pa.table({"ts": rows()["ts"], "rate": np.zeros(50)}), "funding_1h"))
    with pytest.raises(InvalidValue, match="a file of funding"):
        funding_of_file(path)


def test_funding_is_read_even_where_it_was_booked_late(tmp_path):
    stamps = rows()["ts"].to_numpy().copy()
    stamps[3] += 400_000
    rates = funding_of_file(written(tmp_path, pa.table({"ts": stamps, "rate": np.full(50, 1e-4)}), "funding_1h"))
    assert (len(rates.times), rates.rates[0]) == (50, 1e-4)


def test_money_of_different_currencies_is_not_added_up(tmp_path):
    tether = bars_of_file(written(tmp_path, rows()))
    circle = bars_of_file(written(tmp_path, rows(), "venue_BTCUSDC_1h"))
    require_one_quote([tether, tether])
    with pytest.raises(InvalidValue, match=r"in USDT; .* in USDC"):
        require_one_quote([tether, circle])


def test_bars_of_our_own_lake_are_checked_the_same(tmp_path):
    lake, key = Lake(tmp_path), SeriesKey("hyperliquid", Kind.CANDLES, "BTC", HOUR)
    lake.write(key, rows().cast(SCHEMAS[Kind.CANDLES]))
    recorded = bars_of_history(key, NOON, NOON + 50 * HOUR, lake)
    assert (len(recorded.bars), recorded.source.warnings) == (50, ())
    with pytest.raises(InvalidValue, match="0 bars"):
        bars_of_history(key, NOON - 2 * HOUR, NOON, lake)
    with pytest.raises(InvalidValue, match="candles"):
        bars_of_history(SeriesKey("hyperliquid", Kind.TRADES, "BTC"), NOON, NOON + HOUR, lake)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("coinbase-spot_BTCUSD_MISLABELLED_1d_201507-202504", "MISLABELLED: .*open is the low"),
        ("hyperliquid-perp_BTC_moondev_15m_202502-202504", "OFF_GRID: .*537.52 s"),
    ],
)
def test_recorded_files_known_to_be_wrong_are_refused(name, what):
    path = FOLDER / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"recorded bars are not there: {path.name}")
    with pytest.raises(InvalidValue, match=what):
        bars_of_file(path)
