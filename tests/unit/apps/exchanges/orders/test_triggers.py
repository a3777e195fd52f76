"""When a held order is due, and where a trailing stop stands."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.orders.triggers import reached, released_as, trailed, worst_after
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import PriceGrid
from moondev.domain.orders import OrderType, TimeInForce
from moondev.domain.values import Bps, Price, Side

GRID = PriceGrid(Decimal("0.1"))
TRIGGERED = [kind for kind in OrderType if kind.triggered]
prices = st.decimals("10", "1000000", places=1).map(Price)
trails = st.decimals("1", "5000", places=0).map(Bps)


def p(text: str) -> Price:
    return Price(Decimal(text))


@pytest.mark.parametrize(
    ("kind", "side", "due", "early"),
    [
        (OrderType.STOP, Side.SELL, "100", "100.1"),
        (OrderType.STOP, Side.BUY, "100", "99.9"),
        (OrderType.STOP_LIMIT, Side.SELL, "99", "101"),
        (OrderType.TRAILING_STOP, Side.SELL, "99", "101"),
        (OrderType.TRAILING_STOP, Side.BUY, "101", "99"),
        (OrderType.TAKE_PROFIT, Side.SELL, "100", "99.9"),
        (OrderType.TAKE_PROFIT, Side.BUY, "100", "100.1"),
        (OrderType.TAKE_PROFIT_LIMIT, Side.BUY, "99", "101"),
    ],
)
def test_stops_lose_and_take_profits_gain(kind: OrderType, side: Side, due: str, early: str) -> None:
    assert reached(kind, side, p("100"), p(due))
    assert not reached(kind, side, p("100"), p(early))


@pytest.mark.parametrize("kind", TRIGGERED)
def test_what_is_released_waits_for_nothing_any_more(kind: OrderType) -> None:
    plain, tif = released_as(kind)
    assert not plain.triggered
    assert (plain, tif) in {(OrderType.MARKET, TimeInForce.IOC), (OrderType.LIMIT, TimeInForce.GTC)}
    assert (plain is OrderType.LIMIT) == ("limit" in kind.value)


def test_plain_orders_are_not_released() -> None:
    with pytest.raises(InvalidValue, match="waits for a trigger"):
        released_as(OrderType.LIMIT)


def test_a_trailing_sell_follows_the_price_up_and_stays_when_it_falls() -> None:
    trail = Bps(Decimal(100))
    assert trailed(Side.SELL, p("90"), trail, p("100"), GRID) == p("99")
    assert trailed(Side.SELL, p("99"), trail, p("99.5"), GRID) == p("99")
    assert trailed(Side.BUY, p("110"), trail, p("100"), GRID) == p("101")
    assert trailed(Side.BUY, p("101"), trail, p("100.5"), GRID) == p("101")


@given(prices, trails, st.lists(prices, min_size=1, max_size=20), st.sampled_from(Side))
def test_a_trailing_trigger_never_moves_back_and_is_never_further_than_its_trail(
    start: Price, trail: Bps, path: list[Price], side: Side
) -> None:
    trigger = start
    for price in path:
        moved = trailed(side, trigger, trail, price, GRID)
        assert (moved >= trigger) if side is Side.SELL else (moved <= trigger)
        assert moved == trigger or GRID.holds(moved)
        if moved != trigger:
            # Rounded towards the price, by less than a tick: it fires no later than asked.
            distance = abs(price.value - moved.value)
            assert distance <= price.value * trail.fraction
            assert distance > price.value * trail.fraction - Decimal("0.1")
        trigger = moved


def test_the_worst_price_keeps_its_distance_from_a_trigger_that_moves() -> None:
    assert worst_after(p("100"), p("97"), p("200")) == p("194")
    worst, trigger = p("97"), p("100")
    for step in range(1_000):
        moved = Price(trigger.value + 1 + Decimal(step % 7))
        worst, trigger = worst_after(trigger, worst, moved), moved
    # A thousand steps later it is still three per cent away.
    assert abs(worst.value / trigger.value - Decimal("0.97")) < Decimal("1e-12")
