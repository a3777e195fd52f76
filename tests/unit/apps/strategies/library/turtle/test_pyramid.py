import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.strategies.library.turtle.pyramid import next_entry, position_stop, stops


def pyramid(direction: int, first: float, n: float, units: int) -> list[float]:
    fills = [first]
    while len(fills) < units:
        fills.append(next_entry(direction, fills[-1], n))
    return fills


def test_crude_oil_is_added_and_stopped_where_the_book_says() -> None:
    fills = pyramid(1, 28.30, 1.20, 4)
    assert fills == pytest.approx([28.30, 28.90, 29.50, 30.10])
    moved = [position_stop(1, fills[: units + 1], 1.20) for units in range(4)]
    assert moved == pytest.approx([25.90, 26.50, 27.10, 27.70])
    assert stops(1, fills, 1.20) == pytest.approx([27.70] * 4)


def test_gold_is_added_every_half_n() -> None:
    assert pyramid(1, 310, 2.50, 4) == pytest.approx([310, 311.25, 312.50, 313.75])


def test_after_a_gap_the_last_unit_has_the_nearer_stop() -> None:
    fills = [28.30, 28.90, 29.50, 30.80]
    assert stops(1, fills, 1.20) == pytest.approx([27.70, 27.70, 27.70, 28.40])
    assert position_stop(1, fills, 1.20) == pytest.approx(28.40)


@given(first=st.floats(50, 1_000), n=st.floats(0.1, 5), units=st.integers(1, 6))
def test_a_short_is_the_mirror_of_a_long(first: float, n: float, units: int) -> None:
    long = pyramid(1, first, n, units)
    short = pyramid(-1, -first, n, units)
    assert short == pytest.approx([-fill for fill in long])
    assert position_stop(-1, short, n) == pytest.approx(-position_stop(1, long, n))


@given(first=st.floats(50, 1_000), n=st.floats(0.1, 5), units=st.integers(2, 6))
def test_the_stop_only_ever_moves_in_favour(first: float, n: float, units: int) -> None:
    fills = pyramid(1, first, n, units)
    moved = [position_stop(1, fills[: count + 1], n) for count in range(units)]
    assert moved == sorted(moved)
