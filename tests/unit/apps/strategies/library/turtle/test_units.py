import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.library.turtle.units import notional_equity, unit_size, whole_lots
from moondev.domain.errors import InvalidValue


@pytest.mark.parametrize(("n", "exact"), [(0.0141, 16.886), (0.0141443, 16.833)])
def test_a_unit_of_heating_oil_is_sixteen_contracts(n: float, exact: float) -> None:
    size = unit_size(1_000_000, 0.01, n, point_value=42_000)
    assert size == pytest.approx(exact, abs=5e-4)
    assert whole_lots(size, 1) == 16


@pytest.mark.parametrize(("n", "point_value", "field"), [(0.0, 1.0, "n"), (-1.0, 1.0, "n"), (1.0, 0.0, "point_value")])
def test_refuses_a_market_without_movement_or_worth(n: float, point_value: float, field: str) -> None:
    with pytest.raises(InvalidValue, match=f"{field} is"):
        unit_size(1_000, 0.01, n, point_value)


@pytest.mark.parametrize(
    ("lost", "notional"),
    [
        (0, 1_000_000),
        (99_999, 1_000_000),
        (100_000, 800_000),
        (179_999, 800_000),
        (180_000, 640_000),
        (244_000, 512_000),
        (500_000, 0),
        (900_000, 0),
    ],
)
def test_equity_shrinks_by_a_fifth_for_each_tenth_lost(lost: float, notional: float) -> None:
    assert notional_equity(1_000_000, lost) == pytest.approx(notional)


@given(reference=st.floats(1, 1e9), lost=st.floats(0, 1e9), more=st.floats(0, 1e8))
def test_a_larger_loss_never_gives_more_to_size_by(reference: float, lost: float, more: float) -> None:
    assert 0 <= notional_equity(reference, lost + more) <= notional_equity(reference, lost) <= reference
