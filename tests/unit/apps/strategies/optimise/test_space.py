import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.optimise.space import Choice, Real, Space, Whole
from moondev.domain.errors import InvalidValue

UNITS = st.floats(0, 1, exclude_max=True)


@st.composite
def dimensions(draw):
    kind = draw(st.sampled_from(["whole", "log whole", "real", "log real", "choice"]))
    if kind == "choice":
        return Choice("x", tuple(range(draw(st.integers(1, 6)))))
    if kind in {"whole", "log whole"}:
        low = draw(st.integers(1, 1_000))
        step = draw(st.integers(1, 7)) if kind == "whole" else 1
        return Whole("x", low, low + draw(st.integers(0, 10_000)), step, log=kind == "log whole")
    low = draw(st.floats(1e-3, 1e3))
    return Real("x", low, low * draw(st.floats(1.5, 1e4)), log=kind == "log real")


@given(dimensions(), UNITS)
def test_a_value_lies_in_its_range_and_leads_back_to_itself(dimension, unit):
    value = dimension.value(unit)
    assert 0 <= dimension.unit(value) <= 1
    if isinstance(dimension, Choice):
        assert value in dimension.options
        return
    assert dimension.low <= value <= dimension.high
    again = dimension.value(min(dimension.unit(value), 1 - 1e-12))
    assert again == pytest.approx(value, rel=1e-4, abs=getattr(dimension, "step", 0) or 0)


@given(dimensions(), st.integers(1, 30))
def test_levels_differ_and_are_values(dimension, count):
    levels = dimension.levels(count)
    assert 1 <= len(levels) <= count
    assert len(set(levels)) == len(levels)


def test_both_ends_are_reached_and_a_log_scale_is_even_in_decades():
    assert {Whole("x", 3, 5).value(unit / 100) for unit in range(100)} == {3, 4, 5}
    assert {Whole("x", 0, 10, 5).value(unit / 100) for unit in range(100)} == {0, 5, 10}
    assert Real("x", 0.01, 100, log=True).value(0.5) == 1.0
    assert Real("x", 0.0, 1.0, 0.25).levels(5) == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert Real("x", 0.0, 1.0).levels(3) == (0.0, 0.5, 1.0)
    assert Real("x", 0.0, 1.0).value(1 / 3) == 0.333333


def test_a_space_needs_names_that_differ():
    with pytest.raises(InvalidValue, match="at least one"):
        Space(())
    with pytest.raises(InvalidValue, match="each parameter once"):
        Space((Whole("x", 1, 2), Whole("x", 1, 2)))
    with pytest.raises(InvalidValue, match="step"):
        Whole("x", 1, 2, 0)
    with pytest.raises(InvalidValue, match="different options"):
        Choice("x", ())
