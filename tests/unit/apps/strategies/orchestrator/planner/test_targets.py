"""Targets: what is placed, what counts, what is left alone."""

from dataclasses import replace

import pytest

from moondev.domain.orders import AmendOrder, CancelOrder, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side
from tests.unit.apps.strategies.orchestrator.toy_market import BTC, at, d, requests_for, sized, working

BUY, SELL = Side.BUY, Side.SELL


def test_buys_at_the_market_within_the_slippage_cap():
    (order,) = requests_for(sized("0.1"), at())
    assert (order.side, order.order_type, order.time_in_force) == (BUY, OrderType.MARKET, TimeInForce.IOC)
    assert order.purpose is Purpose.OPENING
    assert order.quantity == Quantity(d("0.1"))
    assert order.price == Price(d(50250))


def test_rounds_a_market_price_aggressively_and_a_resting_one_passively():
    (market,) = requests_for(sized("-0.1"), at(mid="50001.7"))
    assert market.price == Price(d(49751))
    (resting,) = requests_for(sized("0.1", entry="49999.7"), at())
    assert (resting.price, resting.order_type, resting.time_in_force) == (
        Price(d(49999)),
        OrderType.LIMIT,
        TimeInForce.GTC,
    )


def test_asks_for_the_same_id_in_the_same_tick_and_another_in_the_next():
    first, again, later = (requests_for(sized("0.1"), at(), tick)[0].client_order_id for tick in (1, 1, 2))
    assert first == again != later


@pytest.mark.parametrize(
    "status",
    [
        s
        for s in OrderStatus
        if s.value
        in {"created", "approved", "sending", "unknown", "open", "partially_filled", "amending", "cancelling"}
    ],
)
def test_counts_every_non_final_order_with_its_whole_unfilled_quantity(status):
    order = working(BUY, "0.1", "50250", status=status, order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC)
    assert requests_for(sized("0.1"), at("0", order)) == ()


def test_plans_no_opening_order_while_one_is_unknown():
    stranger = working(SELL, "0.001", status=OrderStatus.UNKNOWN)
    assert requests_for(sized("0.1"), at("0", stranger)) == ()


def test_still_reduces_while_an_order_is_unknown():
    stranger = working(BUY, "0.001", status=OrderStatus.UNKNOWN)
    (order,) = requests_for(sized("-0.1"), at("0.05", stranger))
    assert (order.purpose, order.quantity) == (Purpose.REDUCING, Quantity(d("0.05")))


def test_turns_a_position_with_a_closing_order_before_an_opening_one():
    closing, opening = requests_for(sized("-0.1"), at("0.05"))
    assert (closing.purpose, closing.quantity, closing.side) == (Purpose.REDUCING, Quantity(d("0.05")), SELL)
    assert (opening.purpose, opening.quantity, opening.side) == (Purpose.OPENING, Quantity(d("0.1")), SELL)
    assert closing.client_order_id != opening.client_order_id


def test_leaves_a_small_difference_of_a_known_signal_alone():
    assert requests_for(sized("0.1", fresh=False), at("0.091")) == ()
    assert requests_for(sized("0.1", fresh=False), at("0.089")) != ()


def test_trades_a_small_difference_when_the_weight_has_changed():
    (order,) = requests_for(sized("0.1", fresh=True), at("0.095"))
    assert order.quantity == Quantity(d("0.005"))


def test_trades_nothing_below_the_minimum_notional():
    assert requests_for(sized("0.1001"), at("0.1")) == ()
    assert requests_for(sized("0.002"), at("0.001", mid="5000")) == ()


def test_closes_a_whole_position_even_below_the_minimum_notional():
    (order,) = requests_for(sized("0"), at("0.001", mid="5000"))
    assert (order.purpose, order.quantity) == (Purpose.REDUCING, Quantity(d("0.001")))


def test_plans_nothing_for_dust_below_the_lot():
    assert requests_for(sized("0"), at("0.0004")) == ()


def test_moves_a_resting_price_only_beyond_reprice_bps():
    near, far = working(BUY, "0.1", "50004"), working(BUY, "0.1", "49900")
    assert requests_for(sized("0.1", entry="50000"), at("0", near)) == ()
    (amend,) = requests_for(sized("0.1", entry="50000"), at("0", far))
    assert isinstance(amend, AmendOrder)
    assert (amend.price, amend.remaining) == (Price(d(50000)), Quantity(d("0.1")))


def test_an_amend_states_the_rest_and_the_fills_it_was_planned_on():
    partly = working(BUY, "0.1", "49900", filled="0.04", status=OrderStatus.PARTIALLY_FILLED)
    (amend,) = requests_for(sized("0.1", entry="50000", fresh=False), at("0.04", partly))
    assert (amend.remaining, amend.filled_when_planned) == (Quantity(d("0.06")), Quantity(d("0.04")))


def test_shrinks_a_resting_order_when_the_target_shrinks():
    (amend,) = requests_for(sized("0.06", entry="50000"), at("0", working(BUY, "0.1")))
    assert (amend.remaining, amend.price) == (Quantity(d("0.06")), Price(d(50000)))


def test_adds_an_order_instead_of_enlarging_one():
    (order,) = requests_for(sized("0.15", entry="50000"), at("0", working(BUY, "0.1")))
    assert isinstance(order, PlaceOrder)
    assert order.quantity == Quantity(d("0.05"))


def test_cancels_what_rests_against_the_target_and_trades_at_once():
    sell = working(SELL, "0.1", "51000")
    cancel, buy = requests_for(sized("0.1"), at("0", sell))
    assert isinstance(cancel, CancelOrder)
    assert cancel.client_order_id == sell.client_order_id
    assert buy.quantity == Quantity(d("0.1"))


def test_cancels_everything_once_the_target_is_reached():
    (cancel,) = requests_for(sized("0.1"), at("0.1", working(BUY, "0.05", "49000")))
    assert isinstance(cancel, CancelOrder)


def test_waits_for_an_order_that_is_on_its_way():
    sending = working(SELL, "0.1", status=OrderStatus.SENDING)
    assert requests_for(sized("0"), at("0", sending)) == ()


def test_cancels_a_resting_order_before_it_goes_to_the_market():
    resting = working(BUY, "0.1", "49000")
    (cancel,) = requests_for(sized("0.1"), at("0", resting))
    assert isinstance(cancel, CancelOrder)


def test_means_flat_when_the_market_is_beyond_the_stop():
    assert requests_for(sized("0.1", stop="50001"), at()) == ()
    (close,) = requests_for(sized("0.1", stop="50001"), at("0.1"))
    assert (close.purpose, close.order_type, close.side) == (Purpose.REDUCING, OrderType.MARKET, SELL)


def test_plans_no_market_order_without_a_price():
    assert requests_for(sized("0.1"), at(mid=None)) == ()


def test_a_reducing_order_is_trimmed_when_a_stop_took_part_of_the_position():
    exit_order = working(SELL, "0.1", "51000", purpose=Purpose.REDUCING)
    (amend,) = requests_for(sized("0", entry="51000"), at("0.04", exit_order))
    assert amend.remaining == Quantity(d("0.04"))


def test_an_exit_that_is_larger_than_the_venue_takes_leaves_in_parts_and_no_part_is_asked_for_twice():
    small = replace(BTC, max_market_quantity=Quantity(d("0.4")))
    parts = requests_for(sized("0"), at("1", instrument=small))
    assert [(part.side, part.purpose, str(part.quantity.value)) for part in parts] == [
        (SELL, Purpose.REDUCING, "0.334"),
        (SELL, Purpose.REDUCING, "0.333"),
        (SELL, Purpose.REDUCING, "0.333"),
    ]
    assert len({part.client_order_id for part in parts}) == 3
    assert parts == requests_for(sized("0"), at("1", instrument=small))
    # The first has filled, the others are on their way: nothing is left to ask for.
    market = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC, "purpose": Purpose.REDUCING}
    left = [working(SELL, "0.333", "49750", **market) for _ in range(2)]
    assert requests_for(sized("0"), at("0.666", *left, instrument=small)) == ()
    # One was lost: only what it was for is asked for again.
    (again,) = requests_for(sized("0"), at("0.666", left[0], instrument=small))
    assert again.quantity == Quantity(d("0.333"))


def test_what_turns_is_cut_on_both_sides_of_zero_and_what_rests_is_not_cut():
    small = replace(BTC, max_market_quantity=Quantity(d("0.4")))
    parts = requests_for(sized("-0.5"), at("0.5", instrument=small))
    assert [(part.purpose.value, str(part.quantity.value)) for part in parts] == [
        ("reducing", "0.250"), ("reducing", "0.250"), ("opening", "0.250"), ("opening", "0.250"),
    ]  # fmt: skip
    (resting,) = requests_for(sized("5", entry="49000"), at(instrument=small))
    assert resting.quantity == Quantity(d(5))
