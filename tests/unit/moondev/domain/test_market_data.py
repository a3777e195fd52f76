from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarClosed, BarSeries, Book, BookLevel, MarketView

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def series(high: float = 2.0, low: float = 0.5, stamps: tuple[int, ...] = (0, 60_000)) -> BarSeries:
    def column(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.full(len(stamps), value)

    return BarSeries(
        timedelta(minutes=1), np.array(stamps), column(1.0), column(high), column(low), column(1.5), column(3.0)
    )


def test_the_tail_is_the_newest_bars() -> None:
    assert series().tail(1).opened_ms.tolist() == [60_000]
    assert len(series().tail(9)) == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"high": 1.2},
        {"low": 1.2},
        {"low": -1.0},
        {"high": float("nan")},
        {"stamps": (60_000, 0)},
        {"stamps": (0, 0)},
    ],
)
def test_refuses_bars_that_break_the_rules(broken: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        series(**broken)  # type: ignore[arg-type]


def test_refuses_columns_of_different_length() -> None:
    good = series()
    with pytest.raises(InvalidValue, match="one length"):
        BarSeries(good.interval, good.opened_ms, good.open, good.high, good.low, good.close, good.volume[:1])


def test_refuses_a_crossed_book() -> None:
    with pytest.raises(InvalidValue, match="crossed"):
        Book((BookLevel(101, 1),), (BookLevel(100, 1),), NOW, NOW)


def test_a_book_with_an_empty_side_has_no_middle() -> None:
    with pytest.raises(InvalidValue):
        _ = Book((BookLevel(101, 1),), (), NOW, NOW).mid


def test_a_bar_event_has_the_same_name_wherever_it_is_noticed() -> None:
    first = BarClosed("hyperliquid", "BTC", timedelta(minutes=5), 300_000, NOW)
    second = BarClosed("hyperliquid", "BTC", timedelta(minutes=5), 300_000, NOW + timedelta(seconds=3))
    assert first.event_id == second.event_id == "bar:hyperliquid:BTC:300:300000"


def test_an_empty_view_has_no_age() -> None:
    with pytest.raises(InvalidValue):
        _ = MarketView(NOW, {}).age
