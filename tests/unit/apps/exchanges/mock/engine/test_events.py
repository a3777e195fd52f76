from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.events import BookChanged, MarkChanged, OrderUpdated, UserFill
from apps.exchanges.mock.engine.exchange import Exchange
from moondev.domain.errors import InvalidValue

D = Decimal


def test_tells_book_changes_once_per_request(desk):
    desk.exchange.place("ann", [desk.order("buy", 1, price) for price in (95, 96, 97)])
    assert len(desk.of(BookChanged)) == 1


def test_tells_each_owner_of_its_fill_and_its_order(desk):
    desk.place("ann", "sell", 2, 100)
    desk.events.clear()
    desk.ioc("bob", "buy", 1, 100)
    assert [event.address for event in desk.of(UserFill)] == ["ann", "bob"]
    assert {event.address: event.order.remaining for event in desk.of(OrderUpdated)} == {"ann": D(1), "bob": D(0)}


def test_a_listener_sees_the_engine_after_the_whole_request(desk):
    seen = []
    desk.exchange.subscribe(lambda _: seen.append(len(desk.exchange.open_orders("ann"))))
    desk.exchange.place("ann", [desk.order("buy", 1, price) for price in (95, 96)])
    assert set(seen) == {2}


def test_tells_nothing_after_the_listener_left(desk):
    seen = []
    leave = desk.exchange.subscribe(seen.append)
    leave()
    leave()
    desk.place("ann", "buy", 1, 95)
    assert seen == []


def test_tells_mark_moves_only(desk):
    desk.exchange.set_mark("BTC", D(100))
    desk.exchange.set_mark("BTC", D(101))
    assert [(event.coin, event.mark) for event in desk.of(MarkChanged)] == [("BTC", D(101))]
    assert desk.exchange.mark("BTC") == D(101)
    assert desk.exchange.mids()["BTC"] == D(101)


def test_a_print_on_demand_sweeps_the_book_and_says_how_much_it_got(desk):
    desk.place("ann", "sell", 1, 100)
    desk.place("ann", "sell", 1, 102)
    assert desk.exchange.print_trade("BTC", D(5), D(101), is_buy=True) == D(1)
    assert desk.position("ann") == D(-1)


@pytest.mark.parametrize(("size", "price"), [("0", "100"), ("1", "100.01")])
def test_refuses_a_print_off_the_grid(desk, size, price):
    with pytest.raises(InvalidValue):
        desk.exchange.print_trade("BTC", D(size), D(price), is_buy=True)


@pytest.mark.parametrize("marks", [{}, {"BTC": D("100.001")}, {"BTC": D(0)}])
def test_refuses_to_open_without_a_valid_mark(desk, marks):
    with pytest.raises(InvalidValue, match="marks"):
        Exchange([InstrumentSpec("BTC", 0, 5, 50)], desk.clock, marks)


def test_refuses_to_open_without_an_instrument(desk):
    with pytest.raises(InvalidValue, match="specs"):
        Exchange([], desk.clock, {})


def test_lists_instruments_and_accounts(desk):
    assert [spec.coin for spec in desk.exchange.specs()] == ["BTC", "ETH"]
    assert desk.exchange.addresses() == ("ann", "bob", "cat")
