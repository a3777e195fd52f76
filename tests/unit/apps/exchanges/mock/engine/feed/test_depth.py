from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.events import TradePrinted
from apps.exchanges.mock.engine.feed import prepare
from apps.exchanges.mock.engine.feed.depth import levels_of
from apps.exchanges.mock.engine.feed.recording import load
from apps.exchanges.mock.engine.grid import Grid
from moondev.domain.clock import milliseconds

D = Decimal
T0 = 1_723_161_255_000
BTC = Grid.of(InstrumentSpec("BTC", 0, 5, 50))


@pytest.fixture
def depth_file(parquet):
    """Snapshot 60000 / 60001 (seq 10); an old delta before it; deltas and a trade after it."""
    rows = [
        (0, 2, 1, 60_005.0, 9.0, 9),
        (100, 4, 1, 60_000.0, 1.0, 10),
        (100, 4, 1, 59_999.0, 2.0, 10),
        (100, 4, -1, 60_001.0, 1.0, 10),
        (100, 4, -1, 60_002.0, 2.0, 10),
        (200, 2, 1, 60_000.5, 8.0, 10),
        (1_000, 2, 1, 60_000.0, 3.0, 11),
        (2_000, 3, -1, 60_000.0, 3.5, 77),
        (3_000, 2, -1, 60_001.0, 0.0, 12),
        (3_000, 2, -1, 60_003.0, 5.0, 12),
        (9_000, 2, 1, 59_990.0, 5.0, 13),
    ]
    names = ("local_ts_ns", "type", "side", "price", "qty", "seq")
    columns = {name: [row[n] for row in rows] for n, name in enumerate(names)}
    columns["local_ts_ns"] = [(T0 + ms) * 1_000_000 for ms in columns["local_ts_ns"]]
    return parquet("binance_usdm_BTCUSDT_20240808.parquet", **columns)


def top(fed):
    book = fed.exchange.book("BTC")
    return [[(int(level.price), float(level.size)) for level in side] for side in (book.bids, book.asks)]


def test_opens_with_the_snapshot_and_ignores_older_deltas(session, depth_file):
    fed = session(prepare(depth_file))
    assert top(fed) == [[(60_000, 1.0), (59_999, 2.0)], [(60_001, 1.0), (60_002, 2.0)]]


def test_follows_the_deltas(session, depth_file):
    fed = session(prepare(depth_file))
    fed.run(1)
    assert top(fed)[0][0] == (60_000, 3.0)
    fed.run(3)
    assert top(fed)[1] == [(60_002, 2.0), (60_003, 5.0)]


def test_people_wait_behind_what_was_there_and_are_filled_by_recorded_trades(session, depth_file):
    fed = session(prepare(depth_file))
    fed.place("buy", "0.25", 60_000)
    fed.run(1)
    assert top(fed)[0][0] == (60_000, 3.25)
    assert fed.exchange.fills("ann") == []
    fed.run(1)
    [fill] = fed.exchange.fills("ann")
    assert (fill.price, fill.size) == (D(60_000), D("0.25"))


def test_prints_the_recorded_trade(session, depth_file):
    fed = session(prepare(depth_file))
    fed.run(2.5)
    assert sum(e.trade.size for e in fed.of(TradePrinted)) == D(3)
    bar = fed.exchange.candles("BTC", "1m", 0, 10**15)[-1]
    assert (bar.close, bar.volume) == (D(60_000), D("3.5"))


def test_adds_up_finer_prices_away_from_the_middle():
    raw = {60_000.4: 1.0, 60_000.1: 2.0, 59_999.9: 4.0}
    assert levels_of(raw, BTC, is_buy=True) == {600_000: 300_000, 599_990: 400_000}
    assert levels_of(raw, BTC, is_buy=False) == {600_010: 300_000, 600_000: 400_000}


def test_keeps_a_recorded_book_within_a_step_of_the_recorded_best_quotes(session, recorded_data):
    path = recorded_data / "l2" / "binance_usdm_BTCUSDT_20240808.parquet"
    setup = prepare(path)
    fed = session(setup)
    columns = load(path)
    quotes = np.flatnonzero((columns["type"] == 1) & (columns["side"] == 1))
    for _ in range(20):
        fed.run(1, step_ms=100)
        row = quotes[np.searchsorted(columns.times_ms[quotes], milliseconds(fed.clock.now()), side="right") - 1]
        bid, ask = fed.touch()
        assert bid < ask
        assert abs(float(bid) - float(columns["price"][row])) <= 2.0


def test_replays_plain_books(session, recorded_data):
    setup = prepare(recorded_data / "l2" / "binance-spot_LINKUSDT_book10_1s_20210820.parquet")
    fed = session(setup)
    fed.run(20, step_ms=100)
    columns = load(setup.recording.path)
    bid, ask = fed.touch()
    assert (float(bid), float(ask)) == (columns["b1"][20], columns["a1"][20])
    assert len(fed.exchange.book("LINK").bids) == 10
