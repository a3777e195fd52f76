from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.engine.api import OrderStatus, Tif
from apps.exchanges.mock.engine.events import BarClosed, TradePrinted
from apps.exchanges.mock.engine.feed import prepare
from apps.exchanges.mock.engine.feed.prints import Candle, path_of, shared_out
from apps.exchanges.mock.engine.feed.recording import load
from moondev.domain.errors import InvalidValue

D = Decimal
T0 = 1_753_096_800_000
NAME = "venue-perp_BTCUSDC_1m_202507-202507.parquet"
FAR = 10**15
FIELDS = ("open", "high", "low", "close", "volume")

BARS = [
    (100_000.0, 100_080.0, 99_950.0, 100_040.0, 3.25),
    (100_040.0, 100_050.0, 99_700.0, 99_750.0, 7.5),
    (99_750.0, 99_750.0, 99_750.0, 99_750.0, 0.0),
    (99_900.0, 100_200.0, 99_890.0, 100_150.0, 12.00001),
    (100_150.0, 100_300.0, 100_100.0, 100_200.0, 2.0),
]


@pytest.fixture
def recording(parquet):
    bars = [(100_000.0, 100_010.0, 99_990.0, 100_000.0, 1.0)] * 3 + BARS
    columns = {name: [bar[n] for bar in bars] for n, name in enumerate(FIELDS)}
    return parquet(NAME, ts=[T0 + 60_000 * n for n in range(len(bars))], **columns)


@given(
    st.lists(st.floats(1.0, 100.0), min_size=4, max_size=4).map(sorted),
    st.booleans(),
    st.integers(24, 240),
    st.integers(0, 10**6),
)
def test_a_path_stays_within_its_bar_and_touches_all_four_prices(prices, rising, steps, seed):
    low, one, two, high = prices
    candle = Candle(one, high, low, two) if rising else Candle(two, high, low, one)
    path = path_of(candle, steps, Random(seed))
    assert len(path) == steps
    assert (path[0], path[-1], max(path), min(path)) == (candle.open, candle.close, high, low)


def test_a_rising_bar_sees_its_low_before_its_high():
    path = path_of(Candle(100, 110, 90, 105), 60, Random(1))
    assert path.index(90) < path.index(110)
    path = path_of(Candle(105, 110, 90, 100), 60, Random(1))
    assert path.index(110) < path.index(90)


@given(st.integers(0, 10**9), st.integers(1, 240), st.integers(0, 10**6))
def test_volume_is_shared_out_to_the_last_unit(total, parts, seed):
    sizes = shared_out(total, parts, Random(seed))
    assert sum(sizes) == total
    assert min(sizes) >= 0


def closed_bars(fed):
    bars = [e.candle for e in fed.of(BarClosed) if e.candle.interval == "1m"]
    return [tuple(float(getattr(bar, name)) for name in FIELDS) for bar in bars]


def test_closes_exactly_the_recorded_bars(session, recording):
    fed = session(prepare(recording, history_bars=3))
    fed.run(300, step_ms=1_000)
    assert closed_bars(fed) == BARS


def test_closes_the_recorded_bars_whatever_people_do(session, recording):
    fed = session(prepare(recording, history_bars=3))
    for second in range(300):
        fed.run(1, step_ms=1_000)
        price = fed.exchange.mark("BTC")
        fed.place("buy" if second % 3 else "sell", "0.7", price * D("1.002" if second % 3 else "0.998") // 1, Tif.IOC)
    assert len(fed.exchange.fills("ann")) > 100
    assert closed_bars(fed) == BARS


def test_serves_the_bars_before_the_start_as_history(session, recording):
    fed = session(prepare(recording, history_bars=3))
    bars = fed.exchange.candles("BTC", "1m", 0, FAR)
    assert [bar.open_ms for bar in bars] == [T0, T0 + 60_000, T0 + 120_000, T0 + 180_000]
    assert {float(bar.high) for bar in bars[:3]} == {100_010.0}
    assert len(fed.exchange.candles("BTC", "3m", 0, FAR)) == 2


def test_fills_a_resting_order_once_the_price_comes_to_it_and_not_before(session, recording):
    fed = session(prepare(recording, history_bars=3))
    order = fed.place("buy", "0.01", 99_800)
    fed.run(60, step_ms=1_000)
    assert fed.exchange.fills("ann") == []
    fed.run(60, step_ms=1_000)
    [fill] = fed.exchange.fills("ann")
    assert (fill.price, fill.crossed) == (D(99_800), False)
    assert fed.exchange.order_by_oid("ann", order.oid).status is OrderStatus.FILLED


def test_prints_buys_at_the_ask_and_sells_at_the_bid(session, recording):
    fed = session(prepare(recording, history_bars=3))
    for _ in range(50):
        fed.events.clear()
        fed.run(1, step_ms=1_000)
        bid, ask = fed.touch()
        assert bid < ask
        for event in fed.of(TradePrinted)[-1:]:
            assert event.trade.price in ((ask,) if event.trade.is_buy else (bid,))


def test_stops_at_the_end_of_the_record(session, recording):
    setup = prepare(recording, history_bars=3)
    fed = session(setup)
    fed.run(400, step_ms=1_000)
    assert setup.feed.ended
    fed.events.clear()
    fed.run(10, step_ms=1_000)
    assert fed.of(TradePrinted) == []


def test_plays_the_same_market_again(session, recording):
    one, two = (session(prepare(recording, history_bars=3)) for _ in range(2))
    for each in (one, two):
        each.run(120, step_ms=500)
    assert one.events == two.events


def test_opens_the_book_before_its_time_has_come(session, recording):
    setup = prepare(recording, history_bars=3)
    fed = session(setup, now=setup.start - timedelta(minutes=1))
    bid, ask = fed.touch()
    assert bid < ask
    assert fed.of(TradePrinted) == []


@pytest.mark.parametrize("off", [timedelta(days=-2), timedelta(days=300)])
def test_refuses_a_clock_that_is_not_the_replays(session, recording, off):
    setup = prepare(recording, history_bars=3)
    with pytest.raises(InvalidValue, match="replay clock that starts at"):
        session(setup, now=setup.start + off)


def test_leaves_out_what_passed_while_paused(session, recording):
    fed = session(prepare(recording, history_bars=3))
    fed.exchange.pause_feed()
    fed.run(120, step_ms=1_000)
    fed.exchange.resume_feed()
    fed.events.clear()
    fed.run(2, step_ms=1_000)
    assert len({e.trade.time_ms for e in fed.of(TradePrinted)}) <= 3


def test_replays_trades_at_their_own_times_prices_and_sizes(session, parquet):
    times = [T0 + offset for offset in (0, 100, 100, 2_000)]
    columns = {"timestamp": times, "side": ["buy", "sell", "sell", "buy"]}
    columns |= {"price": [2_000.0, 1_999.5, 1_999.4, 2_001.0], "amount": [1.0, 2.5, 0.1, 3.0]}
    fed = session(prepare(parquet("venue_ETHUSDT_20230202.parquet", **columns), history_bars=0))
    fed.run(2, step_ms=10)
    trades = [e.trade for e in fed.of(TradePrinted)]
    assert [(t.time_ms, t.price, t.size, t.is_buy) for t in trades] == [
        (times[0], D("2000"), D("1"), True),
        (times[1], D("1999.5"), D("2.5"), False),
        (times[2], D("1999.4"), D("0.1"), False),
        (times[3], D("2001"), D("3"), True),
    ]
    bar = fed.exchange.candles("ETH", "1m", 0, FAR)[-1]
    assert (float(bar.open), float(bar.low), float(bar.close), float(bar.volume)) == (2_000.0, 1_999.4, 2_001.0, 6.6)


def test_uses_the_first_trades_as_history(session, parquet):
    times = [T0 + 20_000 * n for n in range(60)]
    columns = {
        "timestamp": times,
        "side": ["buy"] * 60,
        "price": [2_000.0 + n for n in range(60)],
        "amount": [1.0] * 60,
    }
    fed = session(prepare(parquet("venue_ETHUSDT_20230202.parquet", **columns), history_bars=5))
    bars = fed.exchange.candles("ETH", "1m", 0, FAR)
    assert [float(bar.close) for bar in bars[:5]] == [2_002.0, 2_005.0, 2_008.0, 2_011.0, 2_014.0]


def test_closes_the_bars_of_a_real_record(session, recorded_data):
    path = recorded_data / "ohlcv" / "hyperliquid-perp_BTCUSDC_1m_202507-202507.parquet"
    setup = prepare(path)
    fed = session(setup)
    fed.run(30 * 60, step_ms=2_400)
    columns, first = load(path), setup.recording.history_bars
    expected = [tuple(float(columns[name][row]) for name in FIELDS) for row in range(first, first + 29)]
    assert closed_bars(fed)[:29] == expected


def test_no_print_falls_into_a_later_bar_because_a_request_came_first(session, recording):
    fed = session(prepare(recording, history_bars=3))
    for _ in range(126):
        fed.clock.advance(timedelta(seconds=2.4))
        fed.place("buy", "0.01", fed.exchange.mark("BTC") * D("0.9") // 1)
        fed.exchange.tick(fed.clock.now())
    assert closed_bars(fed) == BARS


def test_a_late_start_catches_up_bar_by_bar(session, parquet):
    count = 120
    columns = {"ts": [T0 + 60_000 * n for n in range(count)]}
    columns |= {name: [BARS[0][n]] * count for n, name in enumerate(FIELDS)}
    setup = prepare(parquet(NAME, **columns), history_bars=1)
    fed = session(setup, now=setup.start + timedelta(minutes=100))
    assert fed.exchange.book("BTC").time_ms < T0 + 40 * 60_000
    fed.run(0.1)
    assert closed_bars(fed) == [BARS[0]] * 100
