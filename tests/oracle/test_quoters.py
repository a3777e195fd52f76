"""The fills of a plain quoter in our quote backtest and in hftbacktest: who, when, at what price and how much."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.market_data.history.quality.dataset import Dataset, Shape
from apps.strategies.backtest.costs import FREE
from apps.strategies.backtest.quoting.ear import Ear
from apps.strategies.backtest.quoting.events import events_tape
from apps.strategies.backtest.quoting.floor import Floor, Purse, Tables
from apps.strategies.backtest.quoting.latency import ConstantFeed, ConstantOrders, RecordedFeed
from apps.strategies.backtest.quoting.queues import Proportional, RiskAverse
from apps.strategies.backtest.quoting.session import Session
from apps.strategies.backtest.quoting.told import Fills
from apps.strategies.backtest.results import DataSource
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.values import Money, Quantity
from tests.oracle.quoters import CASES, EVENTS, QUOTERS, table_of
from tests.oracle.witness import witnessed
from tests.support.plain_quoter import PlainQuoter

BTC = Instrument(
    "binance", "BTC/USDT:USDT", "BTC", "USDT", PriceGrid(Decimal("0.1")), Quantity(Decimal("0.001")),
    Money(Decimal(5), "USDT"), 20,
)  # fmt: skip
RICH = Purse(Decimal(1_000_000_000), Decimal(20))
# hftbacktest 2.4.4 ends some runs of partial fills early, by an error of its own; until then every fill is the same.
END_OF_THEIR_DATA = 1
SECOND = 1_000_000_000
# These are compared over the whole record, the others over its beginning: all of them together take half a minute.
IN_FULL = ("touch", "10 behind, 200 lots in parts", "touch, shared queue")
WHOLE_S, A_PART_S = 3_600, 60


@pytest.fixture(scope="module")
def prepared():
    """Return what is computed once for each record that is asked for."""
    made = {}

    def prepare(data, seconds):
        if data not in made:
            dataset = Dataset(data, Shape.EVENTS, table_of(EVENTS[data]()))
            made[data] = events_tape(dataset, BTC, DataSource(data, ""))
        if (data, seconds) not in made:
            tape = made[data]
            made[data, seconds] = Tables(tape.until(min(tape.ends_ns, tape.starts_ns + seconds * SECOND)))
        return made[data, seconds]

    return prepare


def ours(tables, case, first_ns):
    feed = RecordedFeed(micro(case["shift_ns"])) if case["feed_ns"] is None else ConstantFeed(micro(case["feed_ns"]))
    queues = RiskAverse() if case["power"] is None else Proportional(case["power"])
    ear, floor = Ear(tables, feed), Floor(tables, FREE, RICH, queues, Fills(case["filled"]))
    orders = ConstantOrders(micro(case["entry_ns"]), micro(case["answer_ns"]))
    session = Session({BTC.key: floor}, {BTC.key: ear}, orders)
    session.run(PlainQuoter(ear, first_ns, case["offset"], case["lots"]))
    found = Counter()
    for fill in session.fills:
        lots = int(fill.quantity / tables.tape.lot)
        found[fill.at_ns, fill.side.sign, int(fill.price / tables.tape.tick)] += lots
    return found


def micro(nanoseconds):
    return timedelta(microseconds=nanoseconds // 1_000)


@pytest.mark.parametrize("data", QUOTERS)
def test_a_quoter_is_filled_as_in_another_engine_to_the_lot_and_the_stamp(data, prepared):
    theirs = witnessed(QUOTERS[data])
    compared = 0
    for case in CASES:
        told = theirs[case["name"]]
        tables = prepared(data, WHOLE_S if case["name"] in IN_FULL else A_PART_S)
        # Two fills of one order at one stamp reach their user as one.
        expected = Counter()
        for at_ns, side, tick, lots in told["fills"]:
            expected[at_ns, side, tick] += lots
        found = ours(tables, case, told["first_ns"])
        # Near the end of a record not everything is heard of any more.
        until_ns = tables.tape.ends_ns - SECOND
        if told["code"] != END_OF_THEIR_DATA:
            assert case["filled"] == "partial"
            until_ns = min(until_ns, told["ended_ns"] - case["answer_ns"])
        elif tables.tape.ends_ns == prepared(data, WHOLE_S).tape.ends_ns:
            until_ns = tables.tape.ends_ns + 1
        found = Counter({key: lots for key, lots in found.items() if key[0] < until_ns})
        expected = Counter({key: lots for key, lots in expected.items() if key[0] < until_ns})
        assert found == expected, case["name"]
        compared += len(found)
    assert compared > 500
