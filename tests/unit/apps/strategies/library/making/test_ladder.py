from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.library.making.ladder import Level, Width, away, behind, floored, prices, sized, tradable
from moondev.domain.values import Money, Price, Quantity
from tests.unit.apps.strategies.library.scenery import BTC


def test_a_side_is_split_nearest_first_and_steps_away_by_half_spreads() -> None:
    found = prices(Width(100_000.0, 4.0), 1.0, 3, -1)
    assert found == pytest.approx((99_960.0, 99_920.0, 99_880.0))
    levels = sized(found, (0.2, 0.4, 0.4), 1.0, room=10.0)
    assert [level.quantity for level in levels] == pytest.approx([0.2, 0.4, 0.4])


def test_no_quote_is_nearer_than_the_fee_and_half_a_tick() -> None:
    narrow = floored(Width(100.0, 0.1), tick=0.01, fee_bps=1.5)
    assert narrow.half_bps == pytest.approx(1.5 + 0.5)
    assert floored(Width(100.0, 7.0), tick=0.01, fee_bps=1.5).half_bps == 7.0


def test_levels_beyond_the_room_are_cut_from_the_far_end() -> None:
    levels = sized((99.0, 98.0, 97.0), (0.2, 0.4, 0.4), 1.0, room=0.5)
    assert [level.quantity for level in levels] == pytest.approx([0.2, 0.3])
    assert sized((99.0,), (1.0,), 1.0, room=0.0) == ()
    assert sized((99.0,), (1.0,), 1.0, room=-3.0) == ()


def test_a_quote_that_would_trade_is_moved_behind_the_touch() -> None:
    assert behind((101.0, 99.0), 100.0, -1) == (100.0, 99.0)
    assert behind((99.0, 101.0), 100.0, +1) == (100.0, 101.0)


def test_prices_below_zero_are_left_out() -> None:
    assert away(1.0, (9_000, 11_000), -1) == pytest.approx((0.1,))


def test_a_level_too_small_for_the_venue_is_carried_to_the_next() -> None:
    dear = replace(BTC, min_notional=Money(Decimal(100), "USDC"))
    quotes = tradable((Level(100.0, 0.5), Level(99.0, 0.75), Level(98.0, 0.25)), dear)
    assert [(quote.price, quote.quantity) for quote in quotes] == [(Price(Decimal(99)), Quantity(Decimal("1.5")))]
    assert tradable((Level(100.0, 0.5),), dear) == ()


def test_levels_on_one_price_become_one_quote() -> None:
    quotes = tradable((Level(100.0, 1.0), Level(100.0, 2.0), Level(99.0, 1.0)), BTC)
    assert [quote.quantity for quote in quotes] == [Quantity(Decimal("3.0")), Quantity(Decimal("1.0"))]


@given(
    shares=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    total=st.floats(0, 1e3),
    room=st.floats(-10, 1e3),
)
def test_a_side_never_exceeds_its_total_nor_its_room(shares: list[int], total: float, room: float) -> None:
    parts = [share / sum(shares) for share in shares]
    levels = sized([100.0 - i for i in range(len(parts))], parts, total, room)
    assert sum(level.quantity for level in levels) <= min(total, max(room, 0)) * (1 + 1e-9)
    assert all(level.quantity > 0 for level in levels)


@given(quantities=st.lists(st.floats(0.001, 5), min_size=1, max_size=6))
def test_carrying_small_levels_loses_nothing_once_one_is_tradable(quantities: list[float]) -> None:
    dear = replace(BTC, min_notional=Money(Decimal(100), "USDC"))
    levels = [Level(100.0 - i, quantity) for i, quantity in enumerate(quantities)]
    quotes = tradable(levels, dear)
    if quotes:
        assert float(sum(quote.quantity.value for quote in quotes)) == pytest.approx(sum(quantities))
    assert all(dear.tradable(quote.quantity, quote.price) for quote in quotes)
