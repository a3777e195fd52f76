from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.engine.bars import INTERVALS, MINUTE_MS, Bar, BarBuilder
from apps.exchanges.mock.engine.events import BarClosed
from moondev.domain.errors import InvalidValue

D = Decimal
FAR = 10**15


def trade(desk, price, size=1):
    desk.place("cat", "sell", size, price)
    desk.ioc("bob", "buy", size, price)


def test_builds_a_bar_from_trades(desk):
    for price in (100, 103, 98, 101):
        trade(desk, price)
    bar = desk.exchange.candles("BTC", "1m", 0, FAR)[-1]
    assert (bar.open, bar.high, bar.low, bar.close) == (D(100), D(103), D(98), D(101))
    assert (bar.volume, bar.trades, bar.close_ms - bar.open_ms) == (D(4), 4, MINUTE_MS - 1)


def test_closes_each_bar_once_and_leaves_no_hole(desk):
    trade(desk, 100)
    desk.later(minutes=3)
    closed = [
        event.candle for event in desk.of(BarClosed) if event.candle.interval == "1m" and event.candle.coin == "BTC"
    ]
    assert [bar.trades for bar in closed] == [1, 0, 0]
    assert {bar.close for bar in closed} == {D(100)}
    assert [b.open_ms - a.open_ms for a, b in pairwise(closed)] == [MINUTE_MS] * 2


def test_opens_a_quiet_bar_at_its_first_trade(desk):
    trade(desk, 100)
    desk.later(minutes=1)
    trade(desk, 105)
    assert desk.exchange.candles("BTC", "1m", 0, FAR)[-1].open == D(105)


def test_returns_the_bars_that_open_within_the_span(desk):
    desk.later(minutes=5)
    bars = desk.exchange.candles("BTC", "1m", 0, FAR)
    some = desk.exchange.candles("BTC", "1m", bars[1].open_ms, bars[3].open_ms)
    assert some == bars[1:4]


def test_refuses_an_interval_the_venue_does_not_have(desk):
    with pytest.raises(InvalidValue, match="interval"):
        desk.exchange.candles("BTC", "7m", 0, FAR)


def test_refuses_a_coin_the_venue_does_not_have(desk):
    with pytest.raises(InvalidValue, match="coin"):
        desk.exchange.candles("NOPE", "1m", 0, FAR)


@given(st.lists(st.tuples(st.integers(0, 7_200_000), st.integers(1, 50), st.integers(1, 9)), min_size=1))
def test_long_bars_are_the_sum_of_short_ones(prints):
    builder, start = BarBuilder(), 1_700_000_000_000 - 1_700_000_000_000 % INTERVALS["1d"]
    for offset, px, size in sorted(prints):
        builder.roll(start + offset, px)
        builder.print(px, size)
    for interval in ("5m", "1h"):
        for long in builder.series(interval).bars:
            length = INTERVALS[interval]
            parts = builder.series("1m").within(long.open_ms, long.open_ms + length - 1)
            traded = [bar for bar in parts if bar.trades]
            assert long.volume == sum(bar.volume for bar in parts)
            if traded:
                assert long.high == max(bar.high for bar in traded)
                assert (long.open, long.close) == (traded[0].open, traded[-1].close)


def test_history_fills_longer_intervals_and_drops_shorter_ones():
    builder = BarBuilder()
    builder.load("5m", [Bar(n * 300_000, 10, 12, 9, 11, 5, 2) for n in range(12)])
    assert builder.series("1m").bars == []
    assert len(builder.series("15m").bars) == 4
    [hour] = builder.series("1h").bars
    assert (hour.open, hour.high, hour.low, hour.close, hour.volume) == (10, 12, 9, 11, 60)
