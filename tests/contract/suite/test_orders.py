"""Orders, the same on every venue: placed as its capabilities say, found by name, changed and cancelled."""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

import pytest

from apps.exchanges.capabilities import Support
from apps.exchanges.ports import RestingOrder
from moondev.domain.errors import InvalidValue, VenueRejected
from moondev.domain.orders import FINAL, OrderReport, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Side
from tests.contract.suite.orders import LOT, amendment, limit, market, price, protection, size
from tests.contract.suite.scene import Trader, VenueScene, soon
from tests.contract.suite.waiting import until

pytestmark = pytest.mark.contract

TRIGGERED = [kind for kind in OrderType if kind.triggered]
NOT_DONE = {OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED}


def resting(trader: Trader, order: PlaceOrder) -> RestingOrder:
    """Return the order as the venue lists it, once it does."""
    return until(
        lambda: next(
            (one for one in trader.client.open_orders() if one.client_order_id == order.client_order_id), None
        ),
        f"{order.client_order_id} among the open orders",
    )


def refused_unsent(trader: Trader, *orders: PlaceOrder) -> None:
    """Hold the client to refusing `orders` before anything leaves."""
    before = trader.requests
    with pytest.raises(InvalidValue):
        trader.send(*orders)
    assert trader.requests == before
    assert {order.client_order_id for order in orders}.isdisjoint(_names(trader))


def ended(trader: Trader, report: OrderReport) -> OrderReport:
    """Return the order's last word."""
    assert report.client_order_id is not None
    return report if report.status in FINAL else trader.known(report.client_order_id, *FINAL)


def test_a_limit_order_rests_is_listed_and_is_cancelled_by_name(scene: VenueScene, trader: Trader) -> None:
    order = limit(scene.key())
    (report,) = trader.place(order)
    assert report.status is OrderStatus.OPEN
    assert report.client_order_id == order.client_order_id
    listed = resting(trader, order)
    assert (listed.symbol, listed.side, listed.price, listed.quantity, listed.remaining) == (
        scene.symbol(),
        Side.BUY,
        price(49_000),
        size(LOT),
        size(LOT),
    )
    assert not listed.reduce_only
    assert listed.trigger_price is None
    assert listed.venue_order_id == trader.known(order.client_order_id).venue_order_id
    assert [one.venue_order_id for one in trader.client.live_orders()] == [listed.venue_order_id]
    trader.cancel(order)
    assert trader.known(order.client_order_id, OrderStatus.CANCELLED)
    until(lambda: trader.client.open_orders() == [], "no open order")
    assert trader.client.take_unreadable() == []


@pytest.mark.parametrize("side", Side)
def test_a_market_order_fills_at_once(scene: VenueScene, trader: Trader, side: Side) -> None:
    order = market(scene.key(), side)
    (report,) = trader.place(order)
    assert ended(trader, report).status is OrderStatus.FILLED
    assert trader.known(order.client_order_id, OrderStatus.FILLED).filled_quantity == size(LOT)
    assert trader.client.open_orders() == []


def test_a_limit_order_through_the_market_fills_at_once(scene: VenueScene, trader: Trader) -> None:
    (report,) = trader.place(limit(scene.key(), at=50_100))
    assert ended(trader, report).status is OrderStatus.FILLED


def test_what_an_immediate_order_does_not_find_is_not_left_resting(scene: VenueScene, trader: Trader) -> None:
    nothing = limit(scene.key(), at=49_500, tif=TimeInForce.IOC)
    (report,) = trader.place(nothing)
    assert ended(trader, report).status in NOT_DONE
    with scene.trader() as maker:
        maker.place(limit(scene.key(), Side.SELL, 50_005))
        some = limit(scene.key(), at=50_005, quantity="0.03", tif=TimeInForce.IOC)
        (report,) = trader.place(some)
        last = ended(trader, report)
    assert last.status in NOT_DONE - {OrderStatus.REJECTED}
    assert trader.known(some.client_order_id, *FINAL).filled_quantity in {size(LOT), None}
    assert set(trader.engine_positions().values()) == {size(LOT).value}
    assert trader.client.open_orders() == []


def test_a_post_only_order_never_takes(scene: VenueScene, trader: Trader) -> None:
    rests, crosses = (limit(scene.key(), at=at, tif=TimeInForce.POST_ONLY) for at in (49_100, 50_200))
    (first,), (second,) = trader.place(rests), trader.place(crosses)
    assert first.status is OrderStatus.OPEN
    # Some venues refuse it, others take it and cancel it in the same breath.
    assert ended(trader, second).status in NOT_DONE
    assert trader.engine_positions() == {}
    assert [one.client_order_id for one in trader.client.open_orders()] == [rests.client_order_id]


def test_fill_or_kill_is_all_or_nothing_or_refused(scene: VenueScene, trader: Trader) -> None:
    order = limit(scene.key(), at=50_005, tif=TimeInForce.FOK)
    if scene.capabilities.times_in_force.get(TimeInForce.FOK) is not Support.NATIVE:
        refused_unsent(trader, order)
        return
    with scene.trader() as maker:
        maker.place(limit(scene.key(), Side.SELL, 50_005))
        greedy = limit(scene.key(), at=50_005, quantity="0.02", tif=TimeInForce.FOK)
        (killed,) = trader.place(greedy)
        assert ended(trader, killed).status in NOT_DONE
        assert trader.engine_positions() == {}
        (filled,) = trader.place(order)
        assert ended(trader, filled).status is OrderStatus.FILLED


def test_a_reducing_order_never_opens_a_position(scene: VenueScene, trader: Trader) -> None:
    flat = market(scene.key(), Side.SELL, purpose=Purpose.REDUCING)
    (report,) = trader.place(flat)
    assert ended(trader, report).status in NOT_DONE
    assert trader.engine_positions() == {}
    trader.place(market(scene.key(), Side.BUY))
    closing = market(scene.key(), Side.SELL, purpose=Purpose.REDUCING)
    (report,) = trader.place(closing)
    assert ended(trader, report).status is OrderStatus.FILLED
    assert trader.engine_positions() == {}


def test_a_resting_reducing_order_says_so(scene: VenueScene, trader: Trader) -> None:
    trader.place(market(scene.key(), Side.BUY))
    order = limit(scene.key(), Side.SELL, 51_000, purpose=Purpose.REDUCING)
    if scene.capabilities.resting_reduce_only is Support.REFUSED:
        refused_unsent(trader, order)
        return
    (report,) = trader.place(order)
    assert report.status is OrderStatus.OPEN
    assert resting(trader, order).reduce_only is (scene.capabilities.resting_reduce_only is Support.NATIVE)


@pytest.mark.parametrize("kind", TRIGGERED)
def test_a_triggered_order_waits_for_the_mark_or_is_refused(scene: VenueScene, trader: Trader, kind: OrderType) -> None:
    order = protection(scene.key(), kind)
    if scene.capabilities.of(kind) is not Support.NATIVE:
        refused_unsent(trader, order)
        return
    trader.place(market(scene.key(), Side.BUY))
    (report,) = trader.place(order)
    assert report.status is OrderStatus.OPEN
    listed = resting(trader, order)
    assert listed.reduce_only
    assert listed.trigger_price == order.trigger_price
    assert listed.quantity == order.quantity
    assert trader.engine_positions() != {}
    trader.cancel(order)
    assert trader.known(order.client_order_id, OrderStatus.CANCELLED)


@pytest.mark.parametrize("kind", [OrderType.STOP, OrderType.TAKE_PROFIT])
def test_a_trigger_closes_the_position_when_the_mark_comes(scene: VenueScene, trader: Trader, kind: OrderType) -> None:
    if scene.capabilities.of(kind) is not Support.NATIVE:
        refused_unsent(trader, protection(scene.key(), kind))
        return
    trader.place(market(scene.key(), Side.BUY))
    order = protection(scene.key(), kind)
    trader.place(order)
    with scene.mark_at(44_900 if kind is OrderType.STOP else 55_100):
        assert trader.known(order.client_order_id, OrderStatus.FILLED)
    assert trader.engine_positions() == {}
    assert [one for one in trader.client.open_orders() if one.client_order_id == order.client_order_id] == []


@pytest.mark.parametrize("kind", [OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT])
def test_a_triggered_limit_rests_once_the_mark_came(scene: VenueScene, trader: Trader, kind: OrderType) -> None:
    if scene.capabilities.of(kind) is not Support.NATIVE:
        refused_unsent(trader, protection(scene.key(), kind))
        return
    trader.place(market(scene.key(), Side.BUY))
    order = protection(scene.key(), kind)
    trader.place(order)
    with scene.mark_at(44_900 if kind is OrderType.STOP_LIMIT else 55_100):
        until(lambda: order.client_order_id in _names(trader) and _in_book(trader, order), "released into the book")
    assert resting(trader, order).price == order.price
    assert trader.engine_positions() != {}
    trader.cancel(order)
    assert trader.known(order.client_order_id, OrderStatus.CANCELLED)


def test_a_batch_is_answered_order_by_order_or_refused(scene: VenueScene, trader: Trader) -> None:
    rests, takes = limit(scene.key()), market(scene.key(), Side.BUY)
    missing = limit(scene.key(), at=49_100, tif=TimeInForce.IOC)
    batch = [rests, takes, missing]
    if trader.client.max_batch < len(batch):
        refused_unsent(trader, *batch)
        return
    reports = trader.send(*batch)
    assert [report.client_order_id for report in reports] == [order.client_order_id for order in batch]
    first, second, third = (trader.settled(report) for report in reports)
    assert first.status is OrderStatus.OPEN
    assert ended(trader, second).status is OrderStatus.FILLED
    assert ended(trader, third).status in NOT_DONE


def test_more_than_fits_one_request_is_refused_before_anything_is_sent(scene: VenueScene, trader: Trader) -> None:
    assert trader.client.max_batch == scene.capabilities.max_batch
    refused_unsent(trader, *[limit(scene.key()) for _ in range(trader.client.max_batch + 1)])


def test_a_full_batch_fits(scene: VenueScene, trader: Trader) -> None:
    orders = [limit(scene.key(), at=45_000 + step) for step in range(trader.client.max_batch)]
    trader.send(*orders)
    until(lambda: len(trader.client.open_orders()) == len(orders), f"{len(orders)} open orders")


def test_nothing_to_do_sends_nothing(trader: Trader) -> None:
    before = trader.requests
    assert trader.send() == []
    assert trader.cancel() == []
    assert trader.client.cancel_resting([], trader.nonce) == []
    assert trader.requests == before


@pytest.mark.parametrize("instrument", ["{code}:NOSUCH", "{symbol}", "another:{symbol}"])
def test_an_unknown_instrument_is_refused_before_anything_is_sent(
    scene: VenueScene, trader: Trader, instrument: str
) -> None:
    refused_unsent(trader, limit(instrument.format(code=scene.config.code, symbol=scene.symbol())))


def test_an_amendment_moves_the_order_or_is_refused(scene: VenueScene, trader: Trader) -> None:
    order = limit(scene.key())
    trader.place(order)
    resting(trader, order)
    before = trader.requests
    if scene.capabilities.amend is not Support.NATIVE:
        with pytest.raises(InvalidValue):
            trader.client.amend([amendment(order, 48_000)], trader.nonce, soon())
        assert trader.requests == before
        return
    (report,) = trader.client.amend([amendment(order, 48_000, "0.02")], trader.nonce, soon())
    assert report.status in {OrderStatus.OPEN, None}
    moved = until(lambda: _at(trader, order, 48_000), "the order at its new price")
    assert (moved.client_order_id, moved.remaining) == (order.client_order_id, size("0.02"))
    if report.venue_order_id is not None:
        assert report.venue_order_id == moved.venue_order_id
    assert len(trader.client.open_orders()) == 1


def test_amending_what_is_gone_leaves_the_question_open(scene: VenueScene, trader: Trader) -> None:
    if scene.capabilities.amend is not Support.NATIVE:
        return  # held above: refused before anything is sent
    order = limit(scene.key(), at=50_100)
    trader.place(order)
    (report,) = trader.client.amend([amendment(order, 48_000)], trader.nonce, soon())
    assert report.status is None
    assert report.reason
    assert trader.known(order.client_order_id).status is OrderStatus.FILLED


def test_a_trigger_is_amended_where_the_venue_does_it(scene: VenueScene, trader: Trader) -> None:
    if scene.capabilities.of(OrderType.STOP) is not Support.NATIVE:
        refused_unsent(trader, protection(scene.key(), OrderType.STOP))
        return
    trader.place(market(scene.key(), Side.BUY, "0.02"))
    order = protection(scene.key(), OrderType.STOP, "0.02")
    trader.place(order)
    resting(trader, order)
    if scene.capabilities.trigger_amend is not Support.NATIVE:
        before = trader.requests
        with pytest.raises(InvalidValue):
            trader.client.amend([amendment(order, 44_000)], trader.nonce, soon())
        assert trader.requests == before
        return
    trader.client.amend([amendment(order, 44_500)], trader.nonce, soon())
    shrunk = until(
        lambda: next((one for one in trader.client.open_orders() if one.remaining == size(LOT)), None), "cut"
    )
    assert (shrunk.client_order_id, shrunk.trigger_price) == (order.client_order_id, order.trigger_price)


def test_cancelling_what_is_gone_leaves_the_question_open(scene: VenueScene, trader: Trader) -> None:
    taken, never = market(scene.key(), Side.BUY), limit(scene.key())
    trader.place(taken)
    for order in (taken, never):
        (report,) = trader.cancel(order)
        assert report.status is None
        assert report.reason
    assert trader.known(taken.client_order_id, OrderStatus.FILLED)
    assert trader.status(never.client_order_id) is None


def test_many_are_cancelled_by_name_in_one_call(scene: VenueScene, trader: Trader) -> None:
    orders = [limit(scene.key(), at=45_000 + step) for step in range(min(3, trader.client.max_batch))]
    trader.place(*orders)
    until(lambda: len(trader.client.open_orders()) == len(orders), "all of them open")
    reports = trader.cancel(*orders)
    assert [report.client_order_id for report in reports] == [order.client_order_id for order in orders]
    until(lambda: trader.client.open_orders() == [], "none open")


def test_orders_are_cancelled_by_venue_id_too(scene: VenueScene, trader: Trader) -> None:
    orders = [limit(scene.key(), at=45_000 + step) for step in range(min(2, trader.client.max_batch))]
    trader.place(*orders)
    live = until(lambda: found if len(found := trader.client.live_orders()) == len(orders) else None, "all listed")
    reports = trader.client.cancel_resting(live, trader.nonce)
    assert len(reports) == len(orders)
    until(lambda: trader.client.live_orders() == [], "none listed")
    for order in orders:
        assert trader.known(order.client_order_id, OrderStatus.CANCELLED)


def test_an_order_that_was_never_placed_is_unknown(trader: Trader) -> None:
    assert trader.status(uuid4()) is None


def test_a_name_is_used_once(scene: VenueScene, trader: Trader) -> None:
    order = limit(scene.key())
    trader.place(order)
    resting(trader, order)
    with suppress(InvalidValue, VenueRejected):
        trader.send(order)
    assert len([one for one in trader.orders_held if one.status.value == "open"]) == 1


def _names(trader: Trader) -> set[object]:
    return {one.client_order_id for one in trader.client.open_orders()}


def _at(trader: Trader, order: PlaceOrder, at: int) -> RestingOrder | None:
    return next((one for one in trader.client.open_orders() if one.price == price(at)), None)


def _in_book(trader: Trader, order: PlaceOrder) -> bool:
    return any(not one.waiting and one.price == order.price.value for one in trader.orders_held)
