"""Quotes: a ladder is kept, moved, trimmed and filled up level by level."""

from dataclasses import replace

from apps.strategies.orchestrator.planner import plan
from moondev.domain.desired import Quote, Quotes
from moondev.domain.orders import AmendOrder, CancelOrder, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side
from tests.unit.apps.strategies.orchestrator.toy_market import BTC, NOW, at, d, requests_for, rules, working

BUY, SELL = Side.BUY, Side.SELL


def quotes(bids=(), asks=()):
    sides = [tuple(Quote(Price(d(p)), Quantity(d(q))) for p, q in side) for side in (bids, asks)]
    return Quotes(BTC.key, *sides)


def quote(side, quantity, price, **more):
    return working(side, quantity, price, time_in_force=TimeInForce.POST_ONLY, **more)


def test_rests_each_level_as_a_maker_only_order():
    orders = requests_for(quotes([("49990", "0.1"), ("49980", "0.2")], [("50010", "0.1")]), at())
    assert {(o.side, str(o.price), str(o.quantity)) for o in orders} == {
        (BUY, "49990", "0.1"),
        (BUY, "49980", "0.2"),
        (SELL, "50010", "0.1"),
    }
    assert {(o.order_type, o.time_in_force) for o in orders} == {(OrderType.LIMIT, TimeInForce.POST_ONLY)}
    assert len({o.client_order_id for o in orders}) == 3


def test_rounds_quotes_away_from_the_market_and_sizes_down():
    bid, ask = requests_for(quotes([("49990.7", "0.10049")], [("50010.2", "0.1")]), at())
    assert (bid.price, bid.quantity) == (Price(d(49990)), Quantity(d("0.1")))
    assert ask.price == Price(d(50011))


def test_steps_back_from_a_price_that_would_trade_at_once():
    situation = replace(at(), best_ask=Price(d(49985)), best_bid=Price(d(49984)))
    (bid,) = requests_for(quotes([("49990", "0.1")]), situation)
    assert bid.price == Price(d(49984))


def test_keeps_a_quote_within_reprice_bps_and_moves_one_beyond():
    assert requests_for(quotes([("49990", "0.1")]), at("0", quote(BUY, "0.1", "49993"))) == ()
    (amend,) = requests_for(quotes([("49990", "0.1")]), at("0", quote(BUY, "0.1", "49900")))
    assert isinstance(amend, AmendOrder)
    assert amend.price == Price(d(49990))


def test_pulls_a_level_that_is_no_longer_wanted():
    keep, gone = quote(BUY, "0.1", "49990"), quote(BUY, "0.1", "49900")
    (cancel,) = requests_for(quotes([("49990", "0.1")]), at("0", keep, gone))
    assert isinstance(cancel, CancelOrder)
    assert cancel.client_order_id == gone.client_order_id


def test_pulls_everything_for_empty_quotes():
    orders = at("0", quote(BUY, "0.1", "49990"), quote(SELL, "0.1", "50010"))
    assert all(isinstance(r, CancelOrder) for r in requests_for(quotes(), orders))


def test_trims_a_level_that_holds_too_much_and_tops_up_one_that_lacks():
    (amend,) = requests_for(quotes([("49990", "0.05")]), at("0", quote(BUY, "0.1", "49990")))
    assert amend.remaining == Quantity(d("0.05"))
    (more,) = requests_for(quotes([("49990", "0.1")]), at("0", quote(BUY, "0.1", "49990", filled="0.05")))
    assert isinstance(more, PlaceOrder)
    assert more.quantity == Quantity(d("0.05"))


def test_an_order_being_cancelled_keeps_its_place_until_it_is_gone():
    leaving = quote(BUY, "0.1", "49900", status=OrderStatus.CANCELLING)
    assert requests_for(quotes([("49990", "0.1")]), at("0", leaving)) == ()


def test_a_moved_order_never_grows():
    amend, more = requests_for(quotes([("49990", "0.2")]), at("0", quote(BUY, "0.1", "49900")))
    assert amend.remaining == Quantity(d("0.1"))
    assert more.quantity == Quantity(d("0.1"))


def test_what_closes_is_reduce_only_and_the_rest_of_the_level_opens():
    orders = requests_for(quotes((), [("50010", "0.1"), ("50020", "0.1")]), at("0.15"))
    assert [(o.purpose, str(o.quantity)) for o in sorted(orders, key=lambda o: (o.price, o.purpose.value, 0))] == [
        (Purpose.REDUCING, "0.1"),
        (Purpose.OPENING, "0.05"),
        (Purpose.REDUCING, "0.05"),
    ]


def test_opens_nothing_while_an_order_is_unknown_but_still_quotes_the_exit():
    lost = quote(BUY, "0.1", "49000", status=OrderStatus.UNKNOWN)
    orders = requests_for(quotes([("49990", "0.2")], [("50010", "0.1")]), at("0.1", lost))
    assert [(o.side, o.purpose) for o in orders] == [(SELL, Purpose.REDUCING)]


def test_cancels_reducing_quotes_beyond_the_position():
    asks = [quote(SELL, "0.1", p, purpose=Purpose.REDUCING) for p in ("50010", "50020")]
    requests = requests_for(quotes((), [("50010", "0.1"), ("50020", "0.1")]), at("0.1", *asks))
    assert [type(r) for r in requests] == [CancelOrder]
    assert requests[0].client_order_id == asks[1].client_order_id


def test_takes_down_what_another_kind_of_wish_left_behind():
    left = working(BUY, "0.1", "49990")
    stop = working(SELL, "0.1", "40000", purpose=Purpose.PROTECTIVE, order_type=OrderType.STOP, trigger="41000")
    requests = requests_for(quotes([("49990", "0.1")]), at("0.1", left, stop))
    assert {r.client_order_id for r in requests if isinstance(r, CancelOrder)} == {
        left.client_order_id,
        stop.client_order_id,
    }
    assert not [r for r in requests if isinstance(r, PlaceOrder)]


def test_drops_levels_below_the_minimum():
    assert requests_for(quotes([("49990", "0.0001"), ("49980", "0.0009")]), at()) == ()


def test_a_ladder_that_follows_the_market_retreats_on_one_side_before_it_advances_on_the_other():
    bid, ask = quote(BUY, "0.1", "49990"), quote(SELL, "0.1", "50010")
    up = requests_for(quotes([("50090", "0.1")], [("50110", "0.1")]), at("0", bid, ask))
    assert [r.client_order_id for r in up] == [ask.client_order_id, bid.client_order_id]
    down = requests_for(quotes([("49890", "0.1")], [("49910", "0.1")]), at("0", bid, ask))
    assert [r.client_order_id for r in down] == [bid.client_order_id, ask.client_order_id]


def test_a_quote_too_small_for_the_venue_is_left_out_and_told():
    dust, fine = ("49980", "0.0000001"), ("49990", "0.1")
    made = plan([quotes([fine, dust])], {BTC.key: at()}, rules(), NOW)
    (order,) = made.requests
    assert order.quantity.value == d("0.1")
    (note,) = made.notes
    assert note.startswith("hyperliquid:BTC: buy 0.0000001 @ 49980 is below the lot of")


def test_a_quote_that_closes_the_rest_of_a_position_may_be_small():
    position = str(BTC.lot.value)
    made = plan([quotes(asks=[("50010", position)])], {BTC.key: at(position)}, rules(), NOW)
    assert (len(made.requests), made.notes) == (1, ())
