"""Facts of recorded books, which lie beside the project; these tests skip when they are absent."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pyarrow.parquet as pq
import pytest

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.quotes import backtest_quotes
from apps.strategies.backtest.quoting.ear import Ear
from apps.strategies.backtest.quoting.floor import Tables
from apps.strategies.backtest.quoting.latency import ConstantFeed, ConstantOrders, Latency, RecordedFeed, nanoseconds
from apps.strategies.backtest.quoting.recorded import tape_of_file
from apps.strategies.backtest.quoting.setting import QuoteMarket, QuoteSetting
from apps.strategies.backtest.quoting.tape import NS_PER_MS
from apps.strategies.library.arbitraging.depth import Costs as Fees
from apps.strategies.library.arbitraging.depth import executable_edge
from apps.strategies.orchestrator.loader import load
from apps.strategies.registry import preset
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.values import Money, Quantity
from tests.oracle.series import RecordingAbsent, recording

AT_ONCE = Latency(ConstantFeed(timedelta(0)), ConstantOrders(timedelta(0), timedelta(0)))
LINK = {"binance": ("0.001", "0.001"), "huobi": ("0.0001", "0.01")}
SECOND = 1_000_000_000


def instrument(venue, symbol, tick, lot):
    asset = symbol.partition("/")[0]
    return Instrument(
        venue, symbol, asset, "USDT", PriceGrid(Decimal(tick)), Quantity(Decimal(lot)), Money(Decimal(5), "USDT"), 20
    )


def file_of(name):
    try:
        return recording(f"l2/{name}.parquet")
    except RecordingAbsent as absent:
        pytest.skip(str(absent))


@pytest.fixture(scope="module")
def bitcoin():
    path = file_of("binance_usdm_BTCUSDT_20240808")
    # Reading it checks it: an unbroken chain of updates, and a book that never crosses.
    return path, tape_of_file(path, instrument("binance", "BTC/USDT:USDT", "0.1", "0.001"))


def link(venue, lot=None):
    path = file_of(f"{venue}-spot_LINKUSDT_book10_1s_20210820")
    tick, own_lot = LINK[venue]
    return tape_of_file(path, instrument(venue, "LINK/USDT", tick, lot or own_lot))


def test_the_rebuilt_book_is_never_more_than_a_dollar_from_the_best_prices_told_beside_it(bitcoin):
    path, tape = bitcoin
    assert (len(tape), tape.opening, len(Tables(tape).trades)) == (466_571, 2_000, 21_309)
    shift = nanoseconds(timedelta(milliseconds=1_280))
    ear, first_ns = Ear(Tables(tape), RecordedFeed(timedelta(milliseconds=1_280))), int(tape.received_ns[0])
    table = pq.read_table(path, columns=["type", "side", "price", "local_ts_ns", "seq"]).to_pandas()
    later = table[table["local_ts_ns"] > first_ns]
    quotes = later[later["type"] == 1]
    best = {side: quotes[quotes["side"] == side] for side in (1, -1)}
    snapshot = int(table[table["type"] == 4]["seq"].iloc[0])
    changes = table[(table["type"] == 2) & (table["seq"] > snapshot)]
    updates = changes.drop_duplicates("seq")["local_ts_ns"].to_numpy()
    assert len(updates) == 6_547
    looked = updates[::50][1:]
    assert len(looked) == 130
    for at_ns in looked.tolist():
        for side, tick in zip((1, -1), ear.touch(at_ns + shift), strict=True):
            told = best[side]
            row = np.searchsorted(told["local_ts_ns"], at_ns, side="right") - 1
            assert abs(tick / 10 - told["price"].iloc[row]) <= 1


def test_the_recorders_clock_is_refused_as_it_is_and_taken_when_it_is_put_right(bitcoin):
    _, tape = bitcoin
    assert any("received 1268 ms before it was sent" in warning for warning in tape.source.warnings)
    with pytest.raises(InvalidValue, match=r"heard before it happened.*a shift of 1273 ms or more"):
        RecordedFeed().heard_ns(tape)
    late = RecordedFeed(timedelta(milliseconds=1_280)).heard_ns(tape) - tape.happened_ns
    assert 0 <= late.min() < np.median(late) < 20 * NS_PER_MS


def test_two_books_give_the_known_edges_without_fees_and_none_beyond_ten_basis_points():
    # Huobi trades finer than its lots for us; for the count every crumb of its book has to be seen.
    tapes = [link("binance"), link("huobi", lot="0.000001")]
    ears = [Ear(Tables(tape), ConstantFeed(timedelta(0))) for tape in tapes]
    edges = []
    for second in range(7_200):
        at_ns = tapes[0].starts_ns + second * SECOND
        one, other = (ear.book(at_ns, 1) for ear in ears)
        for here, there in ((one, other), (other, one)):
            edge = executable_edge(here.asks, there.bids, 0.0, Fees(0.0, 0.0))
            edges.append(edge / here.asks[0].price * 10_000)
    assert len(edges) == 14_400
    assert sum(edge > 0 for edge in edges) == 1_339
    assert max(edges) == pytest.approx(8.03, abs=0.005)


@pytest.mark.parametrize(
    ("fee_bps", "free"), [(10.0, {}), (0.0, {"slippage_bps": 0.0, "min_profit_bps": 0.0, "count_unwinding": False})]
)
def test_at_ten_basis_points_a_side_an_arbitrageur_of_two_venues_makes_no_trade(fee_bps, free):
    changed = {"taker_fee_bps": fee_bps, **free}
    loaded = load("arbitrage", {**preset("arbitrage", "canonical").model_dump(mode="json"), **changed})
    tapes = [link(venue) for venue in LINK]
    markets = tuple(
        QuoteMarket(tape.until(tape.starts_ns + 240 * SECOND), Costs(fee_bps, fee_bps)) for tape in tapes
    )  # fmt: skip
    found = backtest_quotes(loaded, QuoteSetting(markets, latency=AT_ONCE))
    if fee_bps:
        assert found.figures["orders placed"] == 0
        assert (found.trades, found.final) == ((), found.initial)
    else:
        # The same books trade when nothing is charged: it was the fees that kept it from trading.
        assert found.trades
        assert {trade.instrument for trade in found.trades} == {tape.key for tape in tapes}
