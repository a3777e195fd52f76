"""Stops and take-profits follow the position, not the order that opened it."""

from dataclasses import replace

from apps.strategies.orchestrator.planner import plan
from moondev.domain.orders import CancelOrder, OrderStatus, OrderType, Purpose
from moondev.domain.values import Price, Quantity, Side
from tests.unit.apps.strategies.orchestrator.toy_market import (
    BTC,
    NOW,
    ToyMarket,
    at,
    d,
    requests_for,
    rules,
    sized,
    working,
)

SELL = Side.SELL


def stop(quantity, trigger="48000", **more):
    return working(
        SELL, quantity, "46560", purpose=Purpose.PROTECTIVE, order_type=OrderType.STOP, trigger=trigger, **more
    )


def test_protects_what_is_held_and_not_what_is_wanted():
    orders = requests_for(sized("0.1", stop="48000", take_profit="55000", entry="50000"), at("0.04"))
    protective = {order.order_type: order for order in orders if order.purpose is Purpose.PROTECTIVE}
    assert {order.quantity for order in protective.values()} == {Quantity(d("0.04"))}
    assert protective[OrderType.STOP].trigger_price == Price(d(48000))
    assert protective[OrderType.TAKE_PROFIT].trigger_price == Price(d(55000))
    assert all(order.reduce_only and order.side is SELL for order in protective.values())
    assert protective[OrderType.STOP].price < Price(d(48000))


def test_a_stop_fires_no_later_than_asked_after_rounding():
    (order,) = requests_for(sized("0.1", stop="48000.4", fresh=False), at("0.1"))
    assert order.trigger_price == Price(d(48001))


def test_plans_no_stop_without_a_position():
    assert all(o.purpose is Purpose.OPENING for o in requests_for(sized("0.1", stop="48000"), at()))


def test_keeps_a_stop_that_fits():
    assert requests_for(sized("0.1", stop="48000"), at("0.1", stop("0.1"))) == ()


def test_the_new_stop_rests_before_the_old_one_is_cancelled():
    market, old = ToyMarket(BTC, d(50000), d("0.1")), stop("0.05")
    market.orders[old.client_order_id] = old
    wish = sized("0.1", stop="48000", fresh=False)
    first = plan([wish], {BTC.key: market.situation()}, rules(1), NOW)
    assert [request.quantity for request in first.requests] == [Quantity(d("0.1"))]
    market.accept(first)
    assert plan([wish], {BTC.key: market.situation()}, rules(2), NOW).requests == ()
    market.carry_out(first)
    (cancel,) = plan([wish], {BTC.key: market.situation()}, rules(3), NOW).requests
    assert isinstance(cancel, CancelOrder)
    assert cancel.client_order_id == old.client_order_id


def test_places_a_new_stop_when_the_fate_of_the_old_one_is_unknown():
    orders = requests_for(sized("0.1", stop="48000"), at("0.1", stop("0.05", status=OrderStatus.UNKNOWN)))
    assert [order.quantity for order in orders] == [Quantity(d("0.1"))]


def test_cancels_protection_once_flat():
    (cancel,) = requests_for(sized("0"), at("0", stop("0.1")))
    assert isinstance(cancel, CancelOrder)


def test_keeps_protection_while_the_position_is_on_its_way_out():
    orders = requests_for(sized("0"), at("0.1", stop("0.1")))
    assert [order.purpose for order in orders] == [Purpose.REDUCING]


def test_cancels_a_stop_the_strategy_no_longer_wants():
    (cancel,) = requests_for(sized("0.1"), at("0.1", stop("0.1")))
    assert isinstance(cancel, CancelOrder)


def test_moves_a_trailing_stop_in_two_steps():
    (order,) = requests_for(sized("0.1", stop="49000"), at("0.1", stop("0.1")))
    assert order.trigger_price == Price(d(49000))


def test_a_stop_that_waits_with_us_protects_like_one_at_the_venue():
    held = stop("0.1", status=OrderStatus.HELD)
    assert requests_for(sized("0.1", stop="48000", fresh=False), at("0.1", held)) == ()
    (new,) = requests_for(sized("0.1", stop="47000", fresh=False), at("0.1", held))
    assert (new.order_type, new.trigger_price) == (OrderType.STOP, Price(d(47_000)))
    (cancel,) = requests_for(sized("0", stop="48000"), at("0", held))
    assert isinstance(cancel, CancelOrder)


def test_a_stop_that_is_larger_than_the_venue_takes_at_once_is_as_many_and_each_is_kept():
    small = replace(BTC, max_market_quantity=Quantity(d("0.04")))
    wish = sized("0.1", stop="48000", fresh=False)
    market, old = ToyMarket(small, d(50000), d("0.1")), stop("0.05")
    market.orders[old.client_order_id] = old
    first = plan([wish], {BTC.key: market.situation()}, rules(1), NOW)
    assert [str(request.quantity.value) for request in first.requests] == ["0.034", "0.033", "0.033"]
    assert len({request.client_order_id for request in first.requests}) == 3
    # The old one stays until every part rests.
    market.accept(first)
    assert plan([wish], {BTC.key: market.situation()}, rules(2), NOW).requests == ()
    market.carry_out(first)
    (cancel,) = plan([wish], {BTC.key: market.situation()}, rules(3), NOW).requests
    assert cancel.client_order_id == old.client_order_id
    del market.orders[old.client_order_id]
    assert plan([wish], {BTC.key: market.situation()}, rules(4), NOW).requests == ()
    # One of two equal parts was lost: that one is written again, and nothing else.
    lost = next(o for o in market.orders.values() if o.remaining == Quantity(d("0.033")))
    del market.orders[lost.client_order_id]
    (again,) = plan([wish], {BTC.key: market.situation()}, rules(5), NOW).requests
    assert again.quantity == Quantity(d("0.033"))
