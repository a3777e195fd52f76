from __future__ import annotations

from decimal import Decimal

import pytest

from apps.risk.split import split_at_zero
from moondev.domain.orders import OrderType, Purpose
from moondev.domain.values import Price, Side

D = Decimal


def parts_of(order, instrument, held: str, net: str | None = None, live: str = "0") -> list[tuple[Decimal, Purpose]]:
    parts = split_at_zero(order, instrument, D(held), D(net if net is not None else held), D(live))
    return [(part.quantity.value, part.purpose) for part in parts]


def test_an_order_through_zero_is_cut_there(place, instrument) -> None:
    order = place(Side.SELL, quantity="0.3")
    assert parts_of(order, instrument, "0.1") == [(D("0.1"), Purpose.REDUCING), (D("0.2"), Purpose.OPENING)]


def test_the_parts_have_ids_of_their_own_that_never_change(place, instrument) -> None:
    order = place(Side.SELL, quantity="0.3")
    first = split_at_zero(order, instrument, D("0.1"), D("0.1"), D(0))
    again = split_at_zero(order, instrument, D("0.1"), D("0.1"), D(0))
    assert first == again
    assert first[0].client_order_id == order.client_order_id
    assert first[1].client_order_id != order.client_order_id
    assert (first[0].leg, first[1].leg) == ("entry", "entry/open")


@pytest.mark.parametrize(
    ("held", "net", "live", "expected"),
    [
        ("0", None, "0", [("0.3", Purpose.OPENING)]),
        ("-1", None, "0", [("0.3", Purpose.OPENING)]),
        ("1", None, "0", [("0.3", Purpose.REDUCING)]),
        ("0.3", None, "0", [("0.3", Purpose.REDUCING)]),
        ("0.3", "0.1", "0", [("0.1", Purpose.REDUCING), ("0.2", Purpose.OPENING)]),
        ("0.3", "-0.1", "0", [("0.3", Purpose.OPENING)]),
        ("0.3", None, "0.3", [("0.3", Purpose.OPENING)]),
        ("0.3", None, "0.2", [("0.1", Purpose.REDUCING), ("0.2", Purpose.OPENING)]),
    ],
)
def test_only_what_shrinks_own_and_account_position_reduces(place, instrument, held, net, live, expected) -> None:
    order = place(Side.SELL, quantity="0.3")
    assert parts_of(order, instrument, held, net, live) == [(D(quantity), purpose) for quantity, purpose in expected]


def test_a_reducing_part_too_small_to_send_stays_with_the_rest(place, instrument) -> None:
    order = place(Side.SELL, quantity="0.3", price="1000")
    assert parts_of(order, instrument, "0.2", live="0.199") == [(D("0.3"), Purpose.OPENING)]
    assert parts_of(order, instrument, "0.001") == [(D("0.001"), Purpose.REDUCING), (D("0.299"), Purpose.OPENING)]


def test_exits_and_triggered_orders_stay_whole(place, instrument) -> None:
    exit_order = place(Side.SELL, quantity="0.3", purpose=Purpose.REDUCING)
    assert parts_of(exit_order, instrument, "0.1") == [(D("0.3"), Purpose.REDUCING)]
    stop_entry = place(Side.SELL, quantity="0.3", order_type=OrderType.STOP, trigger_price=Price(D(99_000)))
    assert parts_of(stop_entry, instrument, "0.1") == [(D("0.3"), Purpose.OPENING)]
