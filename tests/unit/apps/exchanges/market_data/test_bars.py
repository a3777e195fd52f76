from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.market_data.bars import GRACE_MS, Bar, BarTail
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import BarSeries

MINUTE = timedelta(minutes=1)
STEP = 60_000


def bar(minute: int, close: float = 100.0) -> Bar:
    return Bar(minute * STEP, 100.0, max(100.0, close), min(100.0, close), close, 1.0)


def history(minutes: list[int], close: float = 50.0) -> BarSeries:
    column = np.full(len(minutes), close)
    return BarSeries(MINUTE, np.array(minutes, dtype=np.int64) * STEP, column, column, column, column, column)


def test_a_bar_closes_on_the_next_bars_first_message() -> None:
    tail = BarTail(MINUTE, keep=10)
    assert tail.update(bar(1, 101.0), closed=False) == []
    assert tail.update(bar(1, 102.0), closed=False) == []
    assert tail.update(bar(2), closed=False) == [bar(1, 102.0)]
    assert tail.last_opened_ms == STEP


def test_a_bar_closes_on_the_venues_own_flag_and_only_once() -> None:
    tail = BarTail(MINUTE, keep=10)
    assert tail.update(bar(1), closed=True) == [bar(1)]
    assert tail.update(bar(1, 120.0), closed=True) == []
    assert tail.update(bar(2), closed=False) == []
    assert tail.series().close.tolist() == [100.0]


def test_a_bar_closes_when_its_end_plus_grace_has_passed() -> None:
    tail = BarTail(MINUTE, keep=10)
    tail.update(bar(1), closed=False)
    end = 2 * STEP + GRACE_MS
    assert tail.close_due(end - 1) == []
    assert tail.close_due(end) == [bar(1)]
    assert tail.close_due(end) == []


def test_what_is_heard_of_a_closed_bar_later_changes_nothing() -> None:
    tail = BarTail(MINUTE, keep=10)
    tail.update(bar(1), closed=False)
    tail.close_due(10 * STEP)
    assert tail.update(bar(1, 999.0), closed=False) == []
    assert tail.series().close.tolist() == [100.0]


def test_backfill_puts_history_under_what_was_heard_live() -> None:
    tail = BarTail(MINUTE, keep=10)
    tail.update(bar(5, 105.0), closed=True)
    tail.backfill(history([3, 4, 5, 6]), now_ms=6 * STEP + 1)
    assert tail.series().opened_ms.tolist() == [3 * STEP, 4 * STEP, 5 * STEP]
    assert tail.series().close.tolist() == [50.0, 50.0, 105.0]
    assert tail.update(bar(7), closed=False)[0].opened_ms == 6 * STEP


def test_a_missing_bar_shows_as_a_gap() -> None:
    tail = BarTail(MINUTE, keep=10)
    tail.update(bar(1), closed=True)
    tail.update(bar(3), closed=True)
    assert tail.gaps() == [3 * STEP]
    tail.backfill(history([1, 2, 3]), now_ms=10 * STEP)
    assert tail.gaps() == []


def test_keeps_no_more_than_asked() -> None:
    tail = BarTail(MINUTE, keep=2)
    for minute in range(5):
        tail.update(bar(minute), closed=True)
    assert tail.series().opened_ms.tolist() == [3 * STEP, 4 * STEP]


def test_refuses_a_stamp_off_the_grid() -> None:
    with pytest.raises(InvalidValue, match="opened_ms"):
        BarTail(MINUTE, keep=2).update(bar(1)._replace(opened_ms=STEP + 5), closed=False)


def test_refuses_to_keep_nothing() -> None:
    with pytest.raises(InvalidValue):
        BarTail(MINUTE, keep=0)


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.booleans()), max_size=80))
def test_closed_bars_rise_and_never_change_whatever_arrives(messages: list[tuple[int, bool, bool]]) -> None:
    tail = BarTail(MINUTE, keep=50)
    seen: dict[int, Bar] = {}
    for minute, closed, overdue in messages:
        done = tail.update(bar(minute, 100.0 + minute), closed=closed)
        done += tail.close_due((minute + 1) * STEP + GRACE_MS) if overdue else []
        for item in done:
            assert item.opened_ms not in seen
            seen[item.opened_ms] = item
    stamps = tail.series().opened_ms.tolist()
    assert stamps == sorted(seen)
