from decimal import Decimal

import pytest

from moondev.domain.desired import Legs, Quote, Quotes, Target
from moondev.domain.errors import InvalidValue
from moondev.domain.values import Price, Quantity, Side


def quote(price: int) -> Quote:
    return Quote(Price(Decimal(price)), Quantity(Decimal(1)))


@pytest.mark.parametrize("weight", [float("nan"), 1.01, -1.01, float("inf"), "1", None])
def test_refuses_a_weight_outside_its_range(weight: object) -> None:
    with pytest.raises(InvalidValue, match="weight"):
        Target("hyperliquid:BTC", weight, "s", "r")  # type: ignore[arg-type]


def test_refuses_a_target_without_a_signal() -> None:
    with pytest.raises(InvalidValue, match="signal_id"):
        Target("hyperliquid:BTC", 0.5, "", "r")


def test_refuses_quotes_that_would_trade_with_each_other() -> None:
    with pytest.raises(InvalidValue, match="bid < ask"):
        Quotes("hyperliquid:BTC", (quote(100),), (quote(100),))


def test_quotes_are_asked_for_by_side() -> None:
    quotes = Quotes("hyperliquid:BTC", (quote(99),), ())
    assert quotes.side(Side.BUY) == (quote(99),)
    assert quotes.side(Side.SELL) == ()


@pytest.mark.parametrize(("count", "gap"), [(1, 100), (2, 0), (2, -5)])
def test_refuses_legs_that_are_no_legs(count: int, gap: int) -> None:
    with pytest.raises(InvalidValue):
        Legs((Target("hyperliquid:BTC", 0.5, "s", "r"),) * count, gap)
