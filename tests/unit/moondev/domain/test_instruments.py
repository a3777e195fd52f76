from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import MOST_MARKET_PARTS, Instrument, PriceGrid, Rounding
from moondev.domain.values import Money, Price, Quantity, Side

HYPERLIQUID_BTC = PriceGrid(Decimal("0.1"), 5)
prices = st.decimals(min_value="0.001", max_value="200000", places=6)
grids = st.sampled_from([HYPERLIQUID_BTC, PriceGrid(Decimal("0.000001"), 5), PriceGrid(Decimal("0.5"))])


@pytest.mark.parametrize(
    ("price", "rounding", "expected"),
    [
        ("98765.43", Rounding.DOWN, "98765"),
        ("98765.43", Rounding.UP, "98766"),
        ("1234.56", Rounding.NEAREST, "1234.6"),
        ("123456.7", Rounding.NEAREST, "123457"),  # integers pass the rule of figures always
        ("0.0123456", Rounding.DOWN, "0.012345"),
    ],
)
def test_rounds_as_hyperliquid_does(price: str, rounding: Rounding, expected: str) -> None:
    grid = HYPERLIQUID_BTC if Decimal(price) > 1 else PriceGrid(Decimal("0.000001"), 5)
    assert grid.rounded(Decimal(price), rounding) == Price(Decimal(expected))


@given(grids, prices, st.sampled_from(Rounding))
def test_a_rounded_price_is_on_the_grid_and_stays_there(grid: PriceGrid, price: Decimal, rounding: Rounding) -> None:
    if rounding is not Rounding.UP and price < grid.tick:
        return
    try:
        rounded = grid.rounded(price, rounding)
    except InvalidValue:
        return
    assert grid.holds(rounded)
    assert grid.rounded(rounded.value, rounding) == rounded


@given(prices, st.sampled_from(Side))
def test_passive_rounding_never_crosses_what_was_asked(price: Decimal, side: Side) -> None:
    grid = PriceGrid(Decimal("0.000001"), 5)
    rounded = grid.rounded(price, Rounding.passive(side)).value
    assert rounded <= price if side is Side.BUY else rounded >= price


def test_a_price_that_would_round_to_nothing_is_refused() -> None:
    with pytest.raises(InvalidValue):
        PriceGrid(Decimal(1)).rounded(Decimal("0.4"), Rounding.DOWN)


def test_an_instrument_says_what_is_tradable() -> None:
    btc = Instrument(
        "hyperliquid", "BTC", "BTC", "USDC", HYPERLIQUID_BTC, Quantity(Decimal("0.00001")), Money(Decimal(10), "USDC")
    )
    assert btc.key == "hyperliquid:BTC"
    assert btc.tradable(Quantity(Decimal("0.0002")), Price(Decimal(50_000)))
    assert not btc.tradable(Quantity(Decimal("0.0001")), Price(Decimal(50_000)))


def test_refuses_a_minimum_in_another_currency() -> None:
    with pytest.raises(InvalidValue, match="min_notional"):
        Instrument(
            "hyperliquid", "BTC", "BTC", "USDC", HYPERLIQUID_BTC, Quantity(Decimal(1)), Money(Decimal(10), "USDT")
        )


def _listed(lot: str = "0.001", most: str | None = "5") -> Instrument:
    return Instrument(
        "binance", "BTCUSDT", "BTC", "USDT", PriceGrid(Decimal("0.1")), Quantity(Decimal(lot)),
        Money(Decimal(5), "USDT"), max_market_quantity=None if most is None else Quantity(Decimal(most)),
    )  # fmt: skip


def _parts(instrument: Instrument, quantity: str) -> list[str]:
    return [f"{part.value:f}" for part in instrument.market_parts(Quantity(Decimal(quantity)))]


def test_what_is_too_much_for_one_market_order_is_cut_into_few_and_even_parts() -> None:
    assert _parts(_listed(), "5") == ["5"]
    assert _parts(_listed(), "5.001") == ["2.501", "2.500"]
    assert _parts(_listed(), "14") == ["4.667", "4.667", "4.666"]
    assert _parts(_listed(most=None), "1000000") == ["1000000"]
    # No more than so many at once: the next look at the market goes on.
    assert _parts(_listed(), "1000") == ["5.000"] * 20


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from(["1", "0.001", "0.0003"]))
def test_parts_are_lots_that_the_venue_takes_and_never_more_than_was_asked(lots: int, most: int, lot: str) -> None:
    size = Decimal(lot)
    instrument, whole = _listed(lot, str(most * size)), lots * size
    parts = [part.value for part in instrument.market_parts(Quantity(whole))]
    assert all(0 < part <= most * size and part % size == 0 for part in parts)
    assert max(parts) - min(parts) <= size
    assert sum(parts) == min(whole, MOST_MARKET_PARTS * most * size)


def test_refuses_a_largest_order_below_the_smallest() -> None:
    with pytest.raises(InvalidValue, match="max_market_quantity"):
        _listed("0.01", "0.001")
