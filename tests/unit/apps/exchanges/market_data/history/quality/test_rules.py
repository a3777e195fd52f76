from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from apps.exchanges.market_data.history.quality.checks import check
from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape
from apps.exchanges.market_data.history.quality.files import quote_of, read_dataset
from apps.exchanges.market_data.history.quality.findings import Code, Severity, worst
from moondev.domain.errors import InvalidValue

MINUTE = timedelta(minutes=1)
START_MS = 1_772_323_200_000
COUNT = 600


def bars(**changed: object) -> Dataset:
    steps = np.random.default_rng(7).normal(0, 0.001, COUNT)
    close = 100 * np.exp(np.cumsum(steps))
    opened = np.concatenate(([100.0], close[:-1]))
    columns = {
        "ts": START_MS + 60_000 * np.arange(COUNT),
        "open": opened,
        "high": np.maximum(opened, close) + 0.01,
        "low": np.minimum(opened, close) - 0.01,
        "close": close,
        "volume": np.ones(COUNT),
        **changed,
    }
    return Dataset("made", Shape.CANDLES, pa.table(columns), MINUTE, "USDT")


def column(name: str, at: int, value: float) -> dict[str, object]:
    values = bars().numbers(name).copy()
    values[at] = value
    return {name: values}


def codes(data: Dataset, reference: Dataset | None = None) -> list[Code]:
    return [finding.code for finding in check(data, reference)]


def test_clean_bars_have_no_findings():
    assert codes(bars()) == []


@pytest.mark.parametrize(
    ("factor", "words"), [(0.001, "seconds"), (1_000, "microseconds"), (1_000_000, "nanoseconds"), (7, "no known unit")]
)
def test_stamps_of_another_unit_are_named_and_nothing_else_is_said_of_time(factor, words):
    stamps = (bars().stamps * factor).astype(np.int64)
    found = check(bars(ts=stamps))
    assert [finding.code for finding in found] == [Code.UNIT]
    assert words in found[0].message


@pytest.mark.parametrize(
    ("changed", "code", "row"),
    [
        (column("high", 40, 1.0), Code.OHLC, 40),
        (column("low", 41, 500.0), Code.OHLC, 41),
        (column("close", 42, float("nan")), Code.NUMBER, 42),
        (column("volume", 43, -1.0), Code.NUMBER, 43),
    ],
)
def test_a_broken_bar_is_shown_with_its_row(changed, code, row):
    found = {finding.code: finding for finding in check(bars(**changed))}
    assert found[code].rows == (row,)
    assert found[code].evidence[0].startswith(f"row {row}: 2026-03-01 00:")
    assert found[code].severity is Severity.ERROR


def test_a_gap_a_repeat_and_a_step_back_are_three_findings():
    stamps = bars().stamps.copy()
    stamps[100:] += 180_000
    stamps[50] = stamps[49]
    stamps[20], stamps[21] = stamps[21], stamps[20]
    found = {finding.code: finding for finding in check(bars(ts=stamps))}
    assert set(found) == {Code.GAP, Code.DUPLICATE, Code.ORDER}
    assert found[Code.GAP].count == 4
    assert found[Code.DUPLICATE].rows == (50,)
    assert "from 2026-03-01 00:50" in found[Code.GAP].message


def test_a_long_still_stretch_is_stale_and_a_quiet_minute_is_not():
    quiet, close = np.ones(COUNT), np.full(COUNT, 100.0)
    quiet[10] = 0
    flat = {"open": close, "high": close, "low": close, "close": close}
    assert codes(bars(**flat, volume=quiet)) == []
    quiet[200:330] = 0
    assert codes(bars(**flat, volume=quiet)) == [Code.STALE]


def test_a_price_that_leaps_and_comes_back_is_a_spike():
    close, high = bars().numbers("close").copy(), bars().numbers("high").copy()
    close[300] *= 3
    high[300] *= 3.1
    assert codes(bars(close=close, high=high)) == [Code.SPIKE]


@pytest.mark.parametrize("hours", [-14, -4, 5])
def test_hours_off_are_found_against_another_series(hours):
    long = np.random.default_rng(3).normal(0, 0.001, 3_000)
    close = 100 * np.exp(np.cumsum(long))
    flat = {"open": close, "high": close, "low": close, "close": close, "volume": np.ones(3_000)}
    stamps = START_MS + 60_000 * np.arange(3_000)
    reference = Dataset("other", Shape.CANDLES, pa.table({"ts": stamps, **flat}), MINUTE, "USDT")
    shifted = Dataset("made", Shape.CANDLES, pa.table({"ts": stamps + hours * 3_600_000, **flat}), MINUTE, "USDT")
    found = check(shifted, reference)
    assert [finding.code for finding in found] == [Code.TIME_SHIFT]
    assert f"{abs(hours)} h" in found[0].message
    assert found[0].repair.startswith("subtract" if hours > 0 else "add")


def test_bars_of_another_length_are_not_compared():
    with pytest.raises(InvalidValue, match="bars of 0:01:00"):
        check(bars(), Dataset("hours", Shape.CANDLES, bars().table, timedelta(hours=1)))


def test_trades_are_told_by_their_number_not_by_their_time():
    columns = {
        "ts": [START_MS, START_MS, START_MS + 1, START_MS + 2],
        "trade_id": ["1", "2", "2", "3"],
        "side": [1, -1, -1, 0],
        "price": [1.0, 1.0, 1.0, -1.0],
        "size": [1.0] * 4,
    }
    found = {finding.code: finding.rows for finding in check(Dataset("made", Shape.TRADES, pa.table(columns)))}
    assert found == {Code.DUPLICATE: (2,), Code.SIDE: (3,), Code.NUMBER: (3,)}


def test_a_crossed_and_an_unsorted_book_are_found():
    columns = {"ts": [START_MS, START_MS + 1], "b1": [10.0, 10.0], "b2": [9.0, 11.0], "a1": [10.0, 12.0]}
    columns |= {"a2": [13.0, 13.0], "bv1": [1.0, 1.0], "bv2": [1.0, 1.0], "av1": [1.0, 1.0], "av2": [1.0, 1.0]}
    found = {finding.code: finding.rows for finding in check(Dataset("made", Shape.BOOK, pa.table(columns)))}
    assert found == {Code.CROSSED: (0,), Code.LADDER: (1,)}


def test_the_worst_severity_decides():
    assert worst([]) is None
    unknown = check(bars(volume=np.full(COUNT, np.nan)))
    assert [finding.code for finding in unknown] == [Code.NO_VOLUME]
    assert worst(unknown) is Severity.INFO


@pytest.mark.parametrize(
    ("name", "quote"),
    [("binance_BTCUSDT_1h", "USDT"), ("BTCUSDC", "USDC"), ("x_BTC-USD_1m", ""), ("a_BTCBUSD_5m", "BUSD"), ("USDT", "")],
)
def test_the_quote_currency_is_read_from_a_name(name, quote):
    assert quote_of(name) == quote


def test_a_csv_with_other_names_and_seconds_is_read_as_it_lies_there(tmp_path: Path):
    path = tmp_path / "venue_BTCUSDT_1m.csv"
    table = bars().table.rename_columns(["Timestamp", "Open", "High", "Low", "Close", "Volume"])
    pa_csv.write_csv(table.set_column(0, "Timestamp", pa.array(bars().stamps // 1000)), path)
    data = read_dataset(path)
    assert (data.shape, data.interval, data.quote) == (Shape.CANDLES, MINUTE, "USDT")
    assert codes(data) == [Code.UNIT]


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("a.txt", "ts\n1\n", "a name that ends with .parquet"),
        ("a.csv", "ts,colour\n1,2\n", "columns of a.csv is 'ts, colour'"),
        ("a.csv", "open,high,low,close,volume\n1,1,1,1,1\n", "one of ts, timestamp"),
        ("a.parquet", "no parquet", "a file that can be read"),
        ("a.csv", "ts,rate\n", "at least one row"),
        ("a.csv", "ts,rate\nyesterday,0.1\n", "a time in every row"),
    ],
)
def test_a_file_that_is_not_market_data_is_refused_with_what_is_allowed(tmp_path: Path, name, text, match):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InvalidValue, match=match):
        read_dataset(path)


def test_columns_under_each_others_names_are_told_by_their_numbers_alone():
    right = bars()
    swapped = bars(open=right.numbers("low"), low=right.numbers("open"))
    found = {finding.code: finding for finding in check(swapped)}
    assert set(found) == {Code.MISLABELLED}
    assert found[Code.MISLABELLED].repair == "rename: open -> low, low -> open"


def test_stamps_beside_the_grid_are_told_all_of_them_by_one_offset_or_a_few_by_their_rows():
    late = check(bars(ts=bars().stamps + 537))
    assert [finding.code for finding in late] == [Code.OFF_GRID]
    assert "0.537 s after the 60 s grid" in late[0].message
    stamps = bars().stamps.copy()
    stamps[7] += 1_000
    few = {finding.code: finding for finding in check(bars(ts=stamps))}
    assert few[Code.OFF_GRID].rows == (7,)
    assert few[Code.OFF_GRID].repair.startswith("drop these rows")


def test_a_rate_in_per_cent_is_no_fraction_and_late_funding_is_on_its_grid():
    hours = START_MS + 3_600_000 * np.arange(48) + 17
    rates = np.full(48, 1e-5)
    rates[3] = 1.25
    data = Dataset("made", Shape.FUNDING, pa.table({"ts": hours, "rate": rates}), timedelta(hours=1))
    found = check(data)
    assert [(finding.code, finding.rows) for finding in found] == [(Code.NUMBER, (3,))]
    assert "per cent" in found[0].repair or "percent" in found[0].repair


def events(lag_ms: float, *, bid: float = 99.0) -> Dataset:
    count = 40
    sent = START_MS + 100 * np.arange(count)
    columns = {
        "local_ts_ns": ((np.repeat(sent, 2) + lag_ms) * 1e6).astype(np.int64),
        "exch_ts_ms": np.repeat(sent, 2),
        "type": np.ones(2 * count, np.int64),
        "side": np.tile([1, -1], count),
        "price": np.tile([bid, 100.0], count),
        "seq": np.repeat(np.arange(count), 2),
    }
    return Dataset("made", Shape.EVENTS, pa.table(columns))


def test_quotes_that_cross_and_a_clock_that_is_behind_are_found_in_events():
    assert codes(events(20.0)) == []
    assert codes(events(20.0, bid=100.0)) == [Code.CROSSED]
    (skew,) = check(events(-1_268.0))
    assert (skew.code, skew.severity) == (Code.CLOCK_SKEW, Severity.WARNING)
    assert "1268 ms before it was sent" in skew.message


def test_snapshots_that_keep_both_times_show_a_clock_that_is_behind():
    stamps = START_MS + 1_000 * np.arange(5)
    levels = {f"{name}1": [value] * 5 for name, value in (("b", 99.0), ("a", 100.0), ("bv", 1.0), ("av", 1.0))}
    late = Dataset("made", Shape.BOOK, pa.table({"ts": stamps, "received_ms": stamps - 40, **levels}))
    assert codes(late) == [Code.CLOCK_SKEW]
    good = Dataset("made", Shape.BOOK, pa.table({"ts": stamps, "received_ms": stamps + 40, **levels}))
    assert codes(good) == []
    short = Dataset("made", Shape.BOOK, pa.table({"ts": stamps, **levels, "bv1": [1.0, 1.0, -1.0, 1.0, 1.0]}))
    assert [(finding.code, finding.rows) for finding in check(short)] == [(Code.NUMBER, (2,))]


def test_a_mark_that_is_no_price_is_found():
    stamps = START_MS + 1_000 * np.arange(3)
    columns = {"ts": stamps, "mark": [1.0, 0.0, float("nan")], "oracle": [1.0] * 3, "funding": [0.0] * 3}
    found = check(Dataset("made", Shape.MARKS, pa.table(columns)))
    assert [(finding.code, finding.rows) for finding in found] == [(Code.NUMBER, (1, 2))]


def wandering(seed: int, quote: str, *, premium: float = 0.0) -> Dataset:
    steps = np.random.default_rng(seed).normal(0, 0.001, 3_000)
    close = 100 * np.exp(np.cumsum(steps)) * (1 + premium)
    flat = {"open": close, "high": close, "low": close, "close": close, "volume": np.ones(3_000)}
    stamps = START_MS + 60_000 * np.arange(3_000)
    return Dataset(f"venue_BTC{quote}_1m", Shape.CANDLES, pa.table({"ts": stamps, **flat}), MINUTE, quote)


def test_another_quote_currency_is_told_by_its_name_and_by_its_price():
    assert codes(wandering(3, "USDT"), wandering(3, "USDT")) == []
    assert codes(wandering(3, "USDC"), wandering(3, "USDT")) == [Code.QUOTE]
    dear = check(wandering(3, "", premium=0.01), wandering(3, "USDT"))
    assert [finding.code for finding in dear] == [Code.QUOTE]
    assert "3000 of 3000 closes" in dear[0].message


def test_a_series_of_another_market_is_unlike():
    assert Code.UNLIKE in codes(wandering(3, "USDT"), wandering(4, "USDT"))


def test_every_code_is_raised_by_a_test_of_made_up_data():
    here = Path(__file__).read_text(encoding="utf-8")
    assert [code.name for code in Code if f"Code.{code.name}" not in here] == []
