"""The whole quote backtest: the strategy's own tick over a made record, and what is told of it."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape
from apps.strategies.backtest.costs import Costs, FundingRates
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.quotes import backtest_quotes
from apps.strategies.backtest.quoting.assumed import assumed_bars, with_assumed_past
from apps.strategies.backtest.quoting.events import events_tape
from apps.strategies.backtest.quoting.latency import ConstantFeed, ConstantOrders, Latency, RecordedFeed
from apps.strategies.backtest.quoting.setting import QuoteMarket, QuoteSetting
from apps.strategies.backtest.quoting.tape import NS_PER_MS
from apps.strategies.backtest.results import DataSource
from apps.strategies.base import Decision, Parameters, Strategy
from apps.strategies.orchestrator.loader import Loaded, load
from apps.strategies.registry import preset
from moondev.domain.desired import Quote, Quotes, Target
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Needs
from moondev.domain.values import Price, Quantity, Side
from tests.oracle.quoters import table_of, walked_events
from tests.unit.apps.strategies.backtest.quoting.tape_world import START_MS, bid, bought, instrument_of, sold, tape_of

MS = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)
FEES = Costs(maker_bps=2, taker_bps=5)
FAST_NEWS = Latency(ConstantFeed(MS), ConstantOrders(MS, MS))


@pytest.fixture(scope="module")
def walk():
    dataset = Dataset("walk", Shape.EVENTS, table_of(walked_events()))
    tape = events_tape(dataset, instrument_of(), DataSource("walk", ""))
    return tape.until(tape.starts_ns + 12_000 * NS_PER_MS)


def maker(name="fast", **changed):
    # Close to a market that moves by ticks of 0.02 basis points.
    changed = {"maker_fee_bps": 0.0, "fill_decay_per_bp": 10.0, "reprice_bps": 0.01, **changed}
    return load("market_maker", {**preset("market_maker", name).model_dump(mode="json"), **changed})


def made(walk, costs=FEES, **terms):
    market = with_assumed_past(QuoteMarket(walk, costs), MINUTE, 64, 0.9)
    return QuoteSetting((market,), **{"latency": FAST_NEWS, "reprice_bps": Decimal("0.01"), **terms})


@pytest.fixture(scope="module")
def result(walk):
    shares = []
    found = backtest_quotes(maker(), made(walk), shares.append)
    assert shares == sorted(shares)
    return found


def test_a_maker_quotes_fills_and_every_cent_is_accounted_for(result):
    assert result.figures["fills"] > 20
    assert result.final - result.initial == pytest.approx(sum(trade.net for trade in result.trades), abs=1e-6)
    assert all(trade.fees > 0 for trade in result.trades)
    assert (result.engine, result.rule) == ("quotes", FillRule.AS_RECORDED)


def test_equity_is_struck_every_second_and_begins_with_the_capital(result):
    steps = np.diff(result.curve.times)
    assert (steps[:-1] == 1_000).all()
    assert result.curve.equity[0] == result.initial


def test_figures_say_what_only_quotes_can_tell(result):
    figures = result.figures
    assert figures["fills per order placed"] == figures["fills"] / figures["orders placed"]
    assert figures["share made, %"] == 100
    assert {f"mark-out after {seconds} s, bp" for seconds in (1, 10)} <= figures.keys()
    assert "mark-out after 60 s, bp" not in figures  # the record is shorter
    assert figures["ticks"] >= 11


def test_what_is_doubtful_of_the_data_is_told(result):
    assert any("made up" in warning for warning in result.warnings)


def test_the_same_backtest_twice_is_the_same(result, walk):
    again = backtest_quotes(maker(), made(walk))
    assert again.trades == result.trades
    assert (again.curve.equity == result.curve.equity).all()


def test_dearer_fees_leave_less_of_the_same_trades(result, walk):
    dearer = backtest_quotes(maker(), made(walk, Costs(maker_bps=3, taker_bps=5)))
    assert sum(trade.fees for trade in dearer.trades) > sum(trade.fees for trade in result.trades)
    assert dearer.final < result.final


class Holder(Strategy[Parameters]):
    """Holds a tenth of the money long from its first tick on."""

    name, parameters, presets = "holder", Parameters, {"canonical": Parameters()}
    wish = staticmethod(lambda key, view: Target(key, 0.1, "once", "held"))
    wants = staticmethod(lambda keys: Needs(keys, {}, book=True))

    def needs(self, params, instruments):
        return self.wants(tuple(instrument.key for instrument in instruments))

    def decide(self, view, own, params, state, instruments):
        (key,) = instruments
        return Decision((self.wish(key, view),), {})


def holder(wish=None, wants=None):
    body = {"wish": staticmethod(wish)} if wish else {}
    body |= {"wants": staticmethod(wants)} if wants else {}
    return Loaded(type("Holder", (Holder,), body)(), Parameters(), "hash")


QUIET = tape_of([bid(ms, 990, 1 + ms % 2) for ms in range(100, 200_000, 100)], opening=[
    bid(0, 1000, 900_000), (0, 0, -1, 1001, 900_000), bid(0, 990, 5)])  # fmt: skip


def test_a_position_pays_recorded_funding_when_it_falls_due():
    rates = FundingRates(np.array([START_MS + 60_000, START_MS + 120_000]), np.array([0.001, -0.002]))
    setting = QuoteSetting((QuoteMarket(QUIET, Costs(2, 5, funding=rates)),), latency=FAST_NEWS)
    found = backtest_quotes(holder(), setting)
    (trade,) = found.trades
    # 10,000 held; 10 paid at one stamp, 20 received at the other.
    worth = trade.quantity * 100.05
    assert trade.funding == pytest.approx(worth * 0.001, rel=1e-9)
    rows = np.searchsorted(found.curve.times, [START_MS + 59_000, START_MS + 61_000, START_MS + 121_000])
    assert np.diff(found.curve.equity[rows]) == pytest.approx([-worth * 0.001, worth * 0.002])
    assert found.final - found.initial == pytest.approx(trade.net, abs=1e-6)


def test_a_market_order_takes_the_ask_and_pays_the_takers_fee():
    found = backtest_quotes(holder(), QuoteSetting((QuoteMarket(QUIET, FEES),), latency=FAST_NEWS))
    (trade,) = found.trades
    assert (trade.side, trade.entry_price, trade.reason) == (Side.BUY, pytest.approx(100.1), "end of data")
    assert trade.fees == pytest.approx(trade.quantity * 100.1 * 0.0005, abs=1e-5)
    assert found.figures["share made, %"] == 0


def test_quotes_move_with_the_news_and_no_earlier():
    seen = []

    def wish(key, view):
        book = view.instruments[key].book
        seen.append((round(view.now.timestamp() * 1000) - START_MS, book.bids[0].price, view.instruments[key].age))
        return Quotes(key, (Quote(Price(Decimal(repr(book.bids[0].price))), Quantity(Decimal("0.010"))),), ())

    rows = [bid(1_900, 1000, 0), sold(1_950, 999, 5), bid(2_990, 998, 40), bought(3_500, 1003, 1), bid(4_000, 990, 1)]
    setting = QuoteSetting(
        (QuoteMarket(tape_of(rows), FEES),), latency=Latency(ConstantFeed(50 * MS), ConstantOrders(10 * MS, 10 * MS)),
        depth=1,
    )  # fmt: skip
    backtest_quotes(holder(wish), setting)
    assert [(ms, price) for ms, price, _ in seen] == [
        (1_000, 100.0),
        (1_960, 99.9),  # the fill has been heard of
        (2_000, 99.9),
        (3_000, 99.9),
        (4_000, 99.9),
    ]
    assert seen[3][2] == 1_000 * MS


def test_a_strategy_of_bars_is_woken_when_their_end_has_been_heard():
    rows = [sold(ms, 1000, 1) for ms in range(100, 300_000, 5_000)] + [bid(300_100, 990, 1)]
    seen = []

    def wish(key, view):
        bars = view.instruments[key].bars[MINUTE]
        seen.append((round(view.now.timestamp() * 1000) - START_MS, len(bars), int(bars.opened_ms[-1]) - START_MS))
        return Target(key, 0.0, "none", "none")

    wants = lambda keys: Needs(keys, {MINUTE: 3})  # noqa: E731 - one line is the whole of it
    setting = QuoteSetting((QuoteMarket(tape_of(rows), FEES),), latency=FAST_NEWS, every=None)
    backtest_quotes(holder(wish, wants), setting)
    # The trade after each minute's end, and a millisecond for the news of it.
    assert seen == [(60_101, 1, 0), (120_101, 2, 60_000), (180_101, 3, 120_000), (240_101, 3, 180_000),
                    (300_101, 3, 240_000)]  # fmt: skip


def test_bars_before_the_record_must_join_on(walk):
    early = assumed_bars(walk, MINUTE, 3, 0.9)
    assert int(early.opened_ms[-1]) + 60_000 == walk.starts_ns // (60_000 * NS_PER_MS) * 60_000
    late = assumed_bars(QUIET, MINUTE, 3, 0.9)
    with pytest.raises(InvalidValue, match="before is 'a bar that closed at 2023-11-14 22:15:00'"):
        backtest_quotes(maker(), QuoteSetting((QuoteMarket(walk, FEES, before=late),), latency=FAST_NEWS))
    longer = assumed_bars(walk, 5 * MINUTE, 3, 0.9)
    with pytest.raises(InvalidValue, match="bars of 0:05:00"):
        backtest_quotes(maker(), QuoteSetting((QuoteMarket(walk, FEES, before=longer),), latency=FAST_NEWS))


def test_a_recorders_slow_clock_is_refused_before_any_number(walk):
    with pytest.raises(InvalidValue, match="heard before it happened"):
        backtest_quotes(maker(), made(walk, latency=Latency(RecordedFeed())))


def test_a_strategy_that_only_raises_ends_the_backtest():
    def wish(key, view):
        raise ZeroDivisionError("never right")

    with pytest.raises(InvalidValue, match="failed 20 times in a row: ZeroDivisionError"):
        backtest_quotes(holder(wish), QuoteSetting((QuoteMarket(QUIET, FEES),), latency=FAST_NEWS))


OTHER = tape_of([bid(10, 990, 1)], instrument_of("BTC", "other", "USDC"))
LATER = tape_of([bid(86_400_000 + ms, 990, 1) for ms in (0, 10)], instrument_of("ETH"), [bid(86_400_000, 1, 1)])


@pytest.mark.parametrize(
    ("markets", "terms", "told"),
    [
        ((), {}, "markets"),
        ((QUIET, QUIET), {}, "each instrument once"),
        ((QUIET, OTHER), {}, "quote currency"),
        ((QUIET, LATER), {}, "records of one time"),
        ((QUIET,), {"capital": Decimal(0)}, "capital"),
        ((QUIET,), {"leverage": Decimal("NaN")}, "leverage"),
        ((QUIET,), {"depth": 0}, "depth"),
        ((QUIET,), {"every": timedelta(0)}, "every"),
    ],
)
def test_settings_that_make_no_sense_are_refused(markets, terms, told):
    with pytest.raises(InvalidValue, match=told):
        QuoteSetting(tuple(QuoteMarket(tape, FEES) for tape in markets), **terms)


def test_a_strategy_that_looks_elsewhere_is_told_so():
    setting = QuoteSetting((QuoteMarket(QUIET, FEES),), latency=FAST_NEWS)
    with pytest.raises(InvalidValue, match="also made:ETH"):
        backtest_quotes(holder(wants=lambda keys: Needs((*keys, "made:ETH"), book=True)), setting)
    with pytest.raises(InvalidValue, match="every"):
        backtest_quotes(holder(), QuoteSetting((QuoteMarket(QUIET, FEES),), latency=FAST_NEWS, every=None))
