"""Where orders meet a bar: each rule of the matcher by itself."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from apps.strategies.backtest.replaying.matching import Answer, Path, arrival, beyond, touched
from apps.strategies.backtest.replaying.orders import Standing, standing
from moondev.domain.orders import AmendOrder, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

D = Decimal
T, P = OrderType, TimeInForce


def order(
    kind: OrderType,
    side: Side,
    level: str,
    tif: TimeInForce = P.GTC,
    purpose: Purpose = Purpose.OPENING,
    arrived: int | None = 1,
) -> Standing:
    price = Price(D(level))
    placed = PlaceOrder(
        uuid4(), "made:BTC", side, kind, tif, Quantity(D(2)), price, purpose, "s", "leg",
        trigger_price=price if kind.triggered else None,
    )  # fmt: skip
    made = standing(placed, "test")
    if arrived is not None:
        made.rests(arrived)
    return made


def test_a_limit_that_crosses_takes_and_one_that_does_not_rests():
    buy = order(T.LIMIT, Side.BUY, "100", arrived=None)
    assert arrival(buy, 99, 0.001) is Answer.TAKES
    # The ask lies above the middle by half the spread.
    assert arrival(buy, 100, 0.001) is Answer.RESTS
    assert arrival(buy, 101, 0.0) is Answer.RESTS
    sell = order(T.LIMIT, Side.SELL, "100", arrived=None)
    assert arrival(sell, 101, 0.001) is Answer.TAKES
    assert arrival(sell, 100, 0.001) is Answer.RESTS


def test_what_may_only_make_is_rejected_where_it_would_take_and_what_may_not_rest_does_not():
    assert arrival(order(T.LIMIT, Side.SELL, "100", P.POST_ONLY), 101, 0.0) is Answer.REJECTED
    assert arrival(order(T.LIMIT, Side.SELL, "100", P.POST_ONLY), 99, 0.0) is Answer.RESTS
    assert arrival(order(T.LIMIT, Side.BUY, "100", P.IOC), 101, 0.0) is Answer.UNFILLED
    assert arrival(order(T.MARKET, Side.BUY, "100", P.IOC), 101, 0.0) is Answer.TAKES
    assert arrival(order(T.STOP, Side.SELL, "100"), 90, 0.0) is Answer.RESTS


@pytest.mark.parametrize(
    ("kind", "side", "level", "opened", "filled", "made"),
    [
        (T.STOP, Side.SELL, "100", 98, 98, False),
        (T.STOP, Side.BUY, "100", 103, 103, False),
        (T.TAKE_PROFIT, Side.SELL, "100", 103, 103, True),
        (T.TAKE_PROFIT, Side.BUY, "100", 98, 98, True),
        (T.LIMIT, Side.BUY, "100", 98, 98, True),
        (T.LIMIT, Side.SELL, "100", 103, 103, True),
    ],
)
def test_a_gap_fills_at_the_open_which_is_worse_for_a_stop_and_better_for_a_limit(
    kind, side, level, opened, filled, made
):
    hit = beyond([order(kind, side, level)], Path(opened, opened, opened, opened), step=2)
    assert hit is not None
    assert (hit.price, hit.made) == (filled, made)
    other = Path(201 - opened, 300, 1, 100)
    assert beyond([order(kind, side, level)], other, step=2) is None


def test_a_limit_that_came_with_this_bar_fills_at_its_own_price_not_at_a_better_one():
    hit = beyond([order(T.LIMIT, Side.BUY, "100", arrived=2)], Path(99.5, 101, 99, 100), step=2)
    assert hit is not None
    assert (hit.price, hit.made) == (100, True)


def test_of_a_stop_and_a_target_in_one_bar_the_stop_came_first():
    stop, target = order(T.STOP, Side.SELL, "90"), order(T.TAKE_PROFIT, Side.SELL, "101")
    hit = touched([target, stop], Path(100, 110, 85, 100))
    assert hit is not None
    assert (hit.standing, hit.price, hit.made) == (stop, 90, False)
    hit = touched([target, stop], Path(100, 110, 95, 100))
    assert hit is not None
    assert (hit.standing, hit.made) == (target, True)
    assert touched([target, stop], Path(100, 100.5, 95, 100)) is None


def test_of_two_limits_the_nearer_came_first():
    near, far = order(T.LIMIT, Side.BUY, "98"), order(T.LIMIT, Side.BUY, "95")
    hit = touched([far, near], Path(100, 100, 90, 92))
    assert hit is not None
    assert hit.standing is near


def test_after_a_fill_only_what_certainly_came_later_is_left_of_the_bar():
    path = Path(100, 110, 90, 104)
    fell = path.after(95, fell=True)
    # It may have been at 110 before it came down to 95; that it closed at 104 it did afterwards.
    assert (fell.price, fell.high, fell.low) == (95, 104, 90)
    rose = path.after(108, fell=False)
    assert (rose.price, rose.high, rose.low) == (108, 110, 104)
    assert Path(100, 110, 90, 91).after(95, fell=True).high == 95


def test_an_order_not_arrived_is_not_there_yet():
    away = order(T.STOP, Side.SELL, "100", arrived=None)
    assert beyond([away], Path(90, 90, 90, 90), 1) is None
    assert touched([away], Path(105, 110, 80, 100)) is None


def test_what_only_reduces_never_opens():
    exit_ = order(T.STOP, Side.SELL, "90", purpose=Purpose.PROTECTIVE)
    assert [exit_.fillable(D(held)) for held in ("3", "1", "0", "-1")] == [2, 1, 0, 0]
    assert order(T.LIMIT, Side.BUY, "90").fillable(D(-1)) == 2


def test_an_amended_order_arrives_anew_at_its_new_price_and_size():
    quote = order(T.LIMIT, Side.BUY, "100", P.POST_ONLY)
    assert quote.order.status is OrderStatus.OPEN
    before = quote.order
    quote.amended(AmendOrder(before.client_order_id, "made:BTC", Quantity(D(1)), Price(D(99)), before.filled))
    assert (quote.level, quote.order.remaining.value, quote.arrived) == (99.0, 1, None)
    assert touched([quote], Path(105, 110, 80, 100)) is None
