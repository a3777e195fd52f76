from __future__ import annotations

from pathlib import Path

import pytest

from apps.exchanges.mock.engine.feed import Kind, describe, replay_start
from apps.exchanges.mock.engine.feed.recording import coin_of
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue

T0 = 1_753_096_800_000  # a full hour
NAME = "venue-perp_BTCUSDC_1m_202507-202507.parquet"


def candles(count=10, step=60_000, **changed):
    columns = {
        "ts": [T0 + step * n for n in range(count)],
        "open": [100.0] * count,
        "high": [102.0] * count,
        "low": [99.0] * count,
        "close": [101.0] * count,
        "volume": [5.0] * count,
    }
    return columns | changed


def test_describes_candles(parquet):
    found = describe(parquet(NAME, **candles()), history_bars=3)
    assert (found.kind, found.coin, found.interval, found.rows) == (Kind.CANDLES, "BTC", "1m", 10)
    assert (found.first, found.last) == (from_milliseconds(T0), from_milliseconds(T0 + 540_000))
    assert found.start == from_milliseconds(T0 + 180_000)


def test_starts_after_three_hundred_bars_unless_told_otherwise(parquet):
    path = parquet(NAME, **candles(400))
    assert replay_start(path) == from_milliseconds(T0 + 300 * 60_000)
    assert replay_start(path, 10) == from_milliseconds(T0 + 10 * 60_000)


def test_leaves_at_least_one_bar_to_replay(parquet):
    assert replay_start(parquet(NAME, **candles(10))) == from_milliseconds(T0 + 540_000)


def test_finds_the_interval_in_spite_of_a_gap(parquet):
    columns = candles(10, step=300_000)
    del columns["ts"][5]
    columns = {name: values[:9] for name, values in columns.items()}
    assert describe(parquet(NAME, **columns), 2).interval == "5m"


def test_describes_trades_and_keeps_half_as_history_at_most(parquet):
    times = [T0 + 10_000 + 30_000 * n for n in range(20)]
    columns = {"timestamp": times, "side": ["buy"] * 20, "price": [100.0] * 20, "amount": [1.0] * 20}
    found = describe(parquet("venue_ETHUSDT_20230202.parquet", **columns))
    assert (found.kind, found.coin, found.history_bars) == (Kind.TRADES, "ETH", 4)
    assert found.start == from_milliseconds(T0 + 240_000)


@pytest.mark.parametrize(
    ("name", "coin"),
    [
        ("hyperliquid-perp_BTCUSDC_1m_202507-202507.parquet", "BTC"),
        ("okx-swap_XRP-USDT-SWAP_1h_202301-202506.parquet", "XRP"),
        ("binance_usdm_BTCUSDT_20240808.parquet", "BTC"),
        ("oracle-equity_GOOG_1d_200408-201303.parquet", "GOOG"),
        ("ETHUSD.parquet", "ETH"),
        ("1INCHUSDT_5m.parquet", "1INCH"),
    ],
)
def test_reads_the_coin_from_the_file_name(name, coin):
    assert coin_of(Path(name)) == coin


@pytest.mark.parametrize("name", ["candles_1m.parquet", "binance-spot_XRPETH_201910.parquet", "123_456.parquet"])
def test_refuses_a_name_without_a_dollar_symbol(name):
    with pytest.raises(InvalidValue, match="symbol"):
        coin_of(Path(name))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (candles(ts=[T0 + 60_000 * n for n in (0, 1, 2, 3, 5, 4, 6, 7, 8, 9)]), "row 5 is not later"),
        (candles(ts=[T0 + 60_000 * n for n in (0, 1, 2, 3, 3, 4, 5, 6, 7, 8)]), "row 4 is not later"),
        (candles(ts=[T0 + 17_000 + 60_000 * n for n in range(10)]), "row 0 opens off the 1m grid"),
        (candles(step=61_000), "bars of 61000 ms"),
        (candles(high=[102.0] * 4 + [100.5] + [102.0] * 5), "row 4 breaks"),
        (candles(low=[99.0] * 7 + [-1.0] + [99.0] * 2), "row 7 breaks"),
        (candles(close=[101.0] * 2 + [float("nan")] + [101.0] * 7), "row 2 breaks"),
        (candles(1), "1 rows"),
        ({"ts": [1, 2], "rate": [0.1, 0.2]}, "columns ts rate"),
    ],
)
def test_refuses_a_file_it_cannot_replay_and_says_where(parquet, columns, says):
    with pytest.raises(InvalidValue, match=says):
        describe(parquet(NAME, **columns))


def test_refuses_a_depth_file_without_a_snapshot(parquet):
    columns = {
        "local_ts_ns": [1, 2],
        "type": [2, 2],
        "side": [1, 1],
        "price": [1.0, 1.0],
        "qty": [1.0, 1.0],
        "seq": [1, 2],
    }
    with pytest.raises(InvalidValue, match="no snapshot"):
        describe(parquet("binance_usdm_BTCUSDT_20240808.parquet", **columns))


def test_refuses_a_file_that_is_not_there_or_not_parquet(tmp_path):
    with pytest.raises(InvalidValue, match="existing Parquet file"):
        describe(tmp_path / "none.parquet")
    (tmp_path / NAME).write_text("ts,open\n")
    with pytest.raises(InvalidValue, match="readable Parquet file"):
        describe(tmp_path / NAME)


def test_refuses_a_negative_history(parquet):
    with pytest.raises(InvalidValue, match="history_bars"):
        describe(parquet(NAME, **candles()), -1)


def test_refuses_the_dirty_files_among_the_recorded_ones(recorded_data):
    for name, says in (
        ("coinbase-spot_BTCUSD_MISLABELLED_1d_201507-202504", "row 1 is not later"),
        ("hyperliquid-perp_BTC_moondev_15m_202502-202504", "off the 15m grid"),
    ):
        with pytest.raises(InvalidValue, match=says):
            describe(recorded_data / "ohlcv" / f"{name}.parquet")
