from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from apps.exchanges.mock.engine.api import Tif
from apps.exchanges.mock.engine.bars import MINUTE_MS
from apps.exchanges.mock.engine.events import BarClosed, BookChanged, MarkChanged, TradePrinted
from apps.exchanges.mock.engine.feed import SyntheticConfig, prepare, synthetic
from apps.exchanges.mock.engine.feed.profiles import default_coins
from moondev.domain.errors import InvalidValue

D = Decimal
FAR = 10**15


def small(**fields):
    return synthetic(SyntheticConfig(**({"history_bars": 30, "seed": 3} | fields)))


def oracles(session):
    return [(e.coin, e.oracle, e.time_ms) for e in session.of(MarkChanged)]


def test_one_seed_gives_one_market(session):
    one, two, other = session(small()), session(small()), session(small(seed=4))
    for each in (one, two, other):
        each.run(10)
    assert one.events == two.events
    assert oracles(one) != oracles(other)


def test_prices_do_not_depend_on_what_people_do(session):
    quiet, busy = session(small()), session(small())
    for _ in range(5):
        busy.place("buy", 20, D("1.01") * busy.exchange.mark("BTC") // 1, Tif.IOC)
        for each in (quiet, busy):
            each.run(2)
    assert busy.exchange.fills("ann")
    assert [o[1] for o in oracles(quiet)] == [o[1] for o in oracles(busy)]


def test_prices_do_not_depend_on_how_often_time_is_told(session):
    often, seldom = session(small()), session(small())
    often.run(10, step_ms=10)
    seldom.run(10, step_ms=500)
    assert oracles(often) == oracles(seldom)
    assert often.exchange.book("BTC").bids == seldom.exchange.book("BTC").bids


def test_serves_a_history_that_ends_where_the_book_begins(session):
    fed = session(small(history_bars=200))
    bars = fed.exchange.candles("BTC", "1m", 0, FAR)
    assert len(bars) == 201
    assert {b.open_ms - a.open_ms for a, b in pairwise(bars)} == {MINUTE_MS}
    assert all(bar.low <= min(bar.open, bar.close) and bar.high >= max(bar.open, bar.close) for bar in bars)
    bid, ask = fed.touch()
    assert abs(bars[-2].close / ((bid + ask) / 2) - 1) < D("0.002")
    assert fed.of(BarClosed) == []


def test_closes_a_bar_every_minute(session):
    fed = session(small())
    fed.run(91, step_ms=100)
    closed = [e.candle for e in fed.of(BarClosed) if (e.candle.coin, e.candle.interval) == ("BTC", "1m")]
    assert len(closed) == 2
    assert all(bar.trades > 20 for bar in closed)


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_quotes_twenty_levels_at_a_realistic_spread_that_deepen(session, coin):
    fed = session(small())
    near, far = D(0), D(0)
    for _ in range(20):
        fed.run(0.5)
        book = fed.exchange.book(coin)
        assert (len(book.bids), len(book.asks)) == (20, 20)
        bps = (book.asks[0].price - book.bids[0].price) / book.bids[0].price * 10_000
        assert D("0.4") <= bps <= D("3.5")
        near += sum(level.size for level in book.bids[:5])
        far += sum(level.size for level in book.bids[-5:])
    assert far > 2 * near


def test_trades_arrive_at_the_wanted_rate_and_in_clusters(session):
    fed = session(small(coins=("BTC",)))
    fed.run(240)
    seconds = Counter(e.trade.time_ms // 1_000 for e in fed.of(TradePrinted))
    orders = Counter((e.trade.time_ms, e.trade.is_buy) for e in fed.of(TradePrinted))
    counts = np.array([seconds.get(s, 0) for s in range(min(seconds), max(seconds) + 1)])
    assert 3 < len(orders) / 240 < 7
    assert counts.var() / counts.mean() > 1.3


def test_books_move_fifty_times_a_second(session):
    fed = session(small(coins=("BTC",)))
    fed.run(10)
    assert 300 < len(fed.of(BookChanged)) <= 510


def test_volatility_clusters_and_prices_break_out(session):
    fed = session(synthetic(SyntheticConfig(history_bars=3_000, seed=5)))
    bars = fed.exchange.candles("BTC", "1m", 0, FAR)
    close = np.array([float(bar.close) for bar in bars])
    high = np.array([float(bar.high) for bar in bars])
    squares = np.diff(np.log(close)) ** 2
    assert np.corrcoef(squares[1:], squares[:-1])[0, 1] > 0.1
    breaks = [n for n in range(20, len(close)) if close[n] > high[n - 20 : n].max()]
    assert max(np.diff(breaks)) < 240
    yearly = np.diff(np.log(close)).std() * np.sqrt(365 * 1440)
    assert 0.25 < yearly < 1.0


def test_coins_move_together(session):
    fed = session(synthetic(SyntheticConfig(history_bars=2_000, seed=5)))
    returns = [
        np.diff(np.log([float(bar.close) for bar in fed.exchange.candles(coin, "1m", 0, FAR)]))
        for coin in ("BTC", "ETH")
    ]
    assert 0.35 < np.corrcoef(*returns)[0, 1] < 0.85


def test_fills_peoples_quotes_when_the_flow_reaches_them(session):
    fed = session(small(coins=("BTC",)))
    for _ in range(60):
        bid, ask = fed.touch()
        fed.place("buy", "0.01", bid, Tif.ALO)
        fed.place("sell", "0.01", ask, Tif.ALO)
        fed.run(1)
    sides = Counter(fill.is_buy for fill in fed.exchange.fills("ann"))
    assert sides[True] >= 5
    assert sides[False] >= 5


def test_people_queue_behind_the_market_maker(session):
    fed = session(small(coins=("BTC",)))
    bid, _ = fed.touch()
    [level] = fed.exchange.book("BTC", 1).bids
    fed.place("buy", "0.01", bid)
    fed.exchange.print_trade("BTC", level.size, bid, is_buy=False)
    assert fed.exchange.fills("ann") == []
    fed.exchange.print_trade("BTC", D("0.01"), bid, is_buy=False)
    assert len(fed.exchange.fills("ann")) == 1


def test_refills_what_was_taken(session):
    fed = session(small(coins=("BTC",)))
    fed.place("buy", 500, fed.exchange.mark("BTC") * D("1.05") // 1, Tif.IOC)
    assert fed.exchange.book("BTC").asks == ()
    fed.run(0.1)
    assert len(fed.exchange.book("BTC").asks) == 20


def test_catches_up_after_a_long_sleep_without_playing_all_of_it(session):
    fed = session(small())
    fed.run(3_600, step_ms=3_600_000)
    before = len(fed.of(TradePrinted))
    assert 0 < before < 3 * 60 * 20
    fed.run(5)
    assert len(fed.of(TradePrinted)) > before


def test_stands_still_while_paused_and_goes_on_afterwards(session):
    fed = session(small())
    fed.run(2)
    fed.exchange.pause_feed()
    fed.events.clear()
    fed.run(5)
    assert fed.of(TradePrinted) + fed.of(BookChanged) + fed.of(MarkChanged) == []
    fed.exchange.resume_feed()
    fed.run(2)
    assert 10 < len({e.trade.time_ms for e in fed.of(TradePrinted)}) + len(fed.of(BookChanged)) < 400


def test_feeds_two_hundred_coins(session):
    fed = session(synthetic(SyntheticConfig(coins=default_coins(200), history_bars=2)))
    fed.run(1)
    assert len({e.coin for e in fed.of(BookChanged)}) == 200


@pytest.mark.parametrize("coins", [(), ("BTC", "BTC"), ("B T",), (*default_coins(200), "MORE")])
def test_refuses_coins_it_cannot_quote(coins):
    with pytest.raises(InvalidValue, match="coin"):
        prepare("synthetic", coins)


@pytest.mark.parametrize("fields", [{"updates_per_second": 0}, {"history_bars": -1}])
def test_refuses_rates_it_cannot_keep(fields):
    with pytest.raises(InvalidValue, match=next(iter(fields))):
        SyntheticConfig(**fields)


def test_refuses_a_second_feed(session):
    fed = session(small())
    with pytest.raises(InvalidValue, match="feed"):
        fed.exchange.attach(small().feed)
