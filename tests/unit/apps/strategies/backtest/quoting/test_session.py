"""Time in a quote backtest: what is known when, and how late everything is."""

from datetime import timedelta
from uuid import UUID

import pytest

from apps.strategies.backtest.costs import FREE
from apps.strategies.backtest.quoting.ear import Ear
from apps.strategies.backtest.quoting.floor import Floor, Tables
from apps.strategies.backtest.quoting.knowledge import Knowledge
from apps.strategies.backtest.quoting.latency import ConstantFeed, ConstantOrders
from apps.strategies.backtest.quoting.queues import RiskAverse
from apps.strategies.backtest.quoting.session import Session
from apps.strategies.backtest.quoting.tape import NS_PER_MS
from apps.strategies.backtest.quoting.told import Fill, Fills, Refused, Update
from moondev.domain.orders import OrderStatus, TimeInForce
from moondev.domain.values import Side
from tests.unit.apps.strategies.backtest.quoting.tape_world import (
    RICH,
    START_MS,
    amend,
    at,
    bid,
    bought,
    cancel,
    order,
    sold,
    tape_of,
)

MS = timedelta(milliseconds=1)
LAST = bid(1_000, 990, 1)


class Scripted:
    """Asks for what the script says at its moments, and writes down what it sees and hears."""

    def __init__(self, ear, script):
        self.ear, self.script = ear, {at(ms): requests for ms, requests in script.items()}
        self.seen, self.heard = [], []
        self.now = 0

    def next_wake(self, now_ns):
        return min((moment for moment in self.script if moment > now_ns), default=None)

    def wake(self, now_ns):
        self.now = now_ns
        self.seen.append((now_ns // NS_PER_MS - START_MS, self.ear.touch(now_ns)))
        return self.script.pop(now_ns, [])

    def hear(self, told):
        self.heard.append(told)
        return isinstance(told, Fill)


def played(rows, script, feed=5, entry=20, answer=30):
    tables = Tables(tape_of(rows))
    ear, floor = Ear(tables, ConstantFeed(feed * MS)), Floor(tables, FREE, RICH, RiskAverse(), Fills.PARTIAL)
    session = Session({"made:BTC": floor}, {"made:BTC": ear}, ConstantOrders(entry * MS, answer * MS))
    trader = Scripted(ear, script)
    session.run(trader)
    return trader, session


def test_news_orders_and_answers_are_each_as_late_as_they_are():
    rows = [bid(100, 1000, 0), sold(125, 999, 1), sold(126, 999, 1), LAST]
    trader, session = played(rows, {104: [], 105: [order(1, Side.BUY, 999, 5)], 400: []})
    # At 104 ms the change of 100 ms is not heard yet; the order arrives at 125, behind the trade of that stamp.
    assert trader.seen[:2] == [(104, (1000, 1001)), (105, (999, 1001))]
    opened = next(one for one in trader.heard if isinstance(one, Update))
    assert (opened.status, opened.at_ns) == (OrderStatus.OPEN, at(125))
    assert [fill.at_ns for fill in session.fills] == []


def test_a_fill_wakes_its_trader_when_it_is_heard_of():
    rows = [sold(200, 998, 1), LAST]
    trader, session = played(rows, {50: [order(1, Side.BUY, 999, 5)]})
    assert [fill.at_ns for fill in session.fills] == [at(200)]
    assert [ms for ms, _ in trader.seen] == [50, 230]


def test_a_cancel_that_comes_too_late_does_not_undo_a_fill():
    rows = [sold(200, 998, 1), LAST]
    trader, session = played(rows, {50: [order(1, Side.BUY, 999, 5)], 181: [cancel(1)]})
    assert len(session.fills) == 1
    assert [one.placing for one in trader.heard if isinstance(one, Refused)] == [False]
    trader, session = played(rows, {50: [order(1, Side.BUY, 999, 5)], 179: [cancel(1)]})
    assert session.fills == []


def test_what_arrives_after_the_record_ends_happens_no_more():
    _, session = played([bid(100, 1000, 5)], {99: [order(1, Side.BUY, 1001, 5, how=TimeInForce.IOC)]})
    assert session.fills == []
    assert session.asked == 1


def test_progress_goes_up_to_the_end():
    tables = Tables(tape_of([LAST]))
    ear, floor = Ear(tables, ConstantFeed()), Floor(tables, FREE, RICH, RiskAverse(), Fills.PARTIAL)
    shares = []
    Session({"made:BTC": floor}, {"made:BTC": ear}, ConstantOrders()).run(
        Scripted(ear, {ms: [] for ms in range(100, 1_000, 100)}), shares.append
    )
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


def test_of_two_markets_the_earlier_row_happens_first():
    tapes = {
        name: tape_of(rows) for name, rows in {"a": [sold(300, 998, 1), LAST], "b": [sold(200, 998, 1), LAST]}.items()
    }
    tables = {name: Tables(tape) for name, tape in tapes.items()}
    ears = {name: Ear(one, ConstantFeed()) for name, one in tables.items()}
    floors = {name: Floor(one, FREE, RICH, RiskAverse(), Fills.PARTIAL) for name, one in tables.items()}
    for number, floor in enumerate(floors.values()):
        floor.receive(order(number, Side.BUY, 999, 5), at(5))
        floor.told.clear()
    session = Session(floors, ears | {"made:BTC": ears["a"]}, ConstantOrders())
    session.run(Scripted(ears["a"], {900: []}))
    assert [fill.at_ns for fill in session.fills] == [at(200), at(300)]


def test_knowledge_is_what_was_sent_and_told():
    knows = Knowledge()
    placed = order(1, Side.BUY, 1000, 10)
    name = placed.client_order_id
    knows.sent(placed)
    assert knows.working[name].status is OrderStatus.SENDING
    price, size = placed.price.value, placed.quantity.value
    knows.hear(Update(name, "made:BTC", OrderStatus.OPEN, price, size, size, 0))
    knows.sent(amend(1, 999, 4))
    # Until the venue says, the larger of the two may fill.
    assert (knows.working[name].status, knows.working[name].remaining.value) == (OrderStatus.AMENDING, size)
    knows.hear(Fill(name, "made:BTC", Side.BUY, price, size / 5, 0 * size, "maker", 0))
    assert (knows.working[name].filled.value, knows.holding("made:BTC").quantity) == (size / 5, size / 5)
    knows.hear(Refused(name, "made:BTC", False, 0, "there is no such order"))
    assert knows.working[name].status is OrderStatus.PARTIALLY_FILLED
    knows.sent(cancel(1))
    knows.hear(Update(name, "made:BTC", OrderStatus.OPEN, price, size, size * 4 / 5, 0))
    assert knows.working[name].status is OrderStatus.CANCELLING
    knows.hear(Update(name, "made:BTC", OrderStatus.CANCELLED, price, size, size * 4 / 5, 0))
    assert knows.working == {}
    knows.sent(order(2, Side.BUY, 1000, 10))
    knows.hear(Refused(UUID(int=2), "made:BTC", True, 0, "tick"))
    assert knows.working == {}


@pytest.mark.parametrize("told", ["fill", "update", "refused"])
def test_what_is_told_of_orders_that_nobody_knows_changes_no_orders(told):
    knows, name = Knowledge(), UUID(int=9)
    size = order(1, Side.BUY, 1000, 10).quantity.value
    knows.hear(
        {
            "fill": Fill(name, "made:BTC", Side.SELL, size * 100_000, size, 0 * size, "maker", 0),
            "update": Update(name, "made:BTC", OrderStatus.OPEN, size, size, size, 0),
            "refused": Refused(name, "made:BTC", False, 0, "late"),
        }[told]
    )
    assert knows.working == {}
    # A fill is money all the same.
    assert knows.holding("made:BTC").quantity == (-size if told == "fill" else 0)


def test_bought_and_sold_are_the_takers_side():
    _, session = played([bought(200, 1003, 1), LAST], {50: [order(1, Side.SELL, 1002, 5)]})
    assert [fill.side for fill in session.fills] == [Side.SELL]
