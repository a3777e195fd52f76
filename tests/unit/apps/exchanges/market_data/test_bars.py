from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
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
    tail.backfill(history([3, 4, 5, 6]), asked_ms=6 * STEP + 1)
    assert tail.series().opened_ms.tolist() == [3 * STEP, 4 * STEP, 5 * STEP]
    assert tail.series().close.tolist() == [50.0, 50.0, 105.0]
    assert tail.update(bar(7), closed=False)[0].opened_ms == 6 * STEP


def test_a_missing_bar_shows_as_a_gap() -> None:
    tail = BarTail(MINUTE, keep=10)
    tail.update(bar(1), closed=True)
    tail.update(bar(3), closed=True)
    assert tail.gaps() == [3 * STEP]
    tail.backfill(history([1, 2, 3]), asked_ms=10 * STEP)
    assert tail.gaps() == []


def test_a_bar_that_formed_when_the_connection_broke_does_not_close_from_what_was_heard_of_it() -> None:
    tail = BarTail(MINUTE, keep=10)
    tail.update(bar(1), closed=True)
    tail.update(bar(2, 101.0), closed=False)
    tail.broken()
    assert tail.update(bar(3), closed=False) == []
    assert tail.take_gap()
    assert not tail.take_gap()
    assert tail.backfill(history([1, 2, 3], 77.0), asked_ms=3 * STEP + 10) == [Bar(2 * STEP, *[77.0] * 5)]
    assert tail.series().close.tolist() == [100.0, 77.0]


def test_a_word_of_the_venue_after_the_break_mends_the_bar_live_or_from_its_history() -> None:
    tail = BarTail(MINUTE, keep=10)
    tail.update(bar(2, 101.0), closed=False)
    tail.broken()
    # Asked before the line stood again: it cannot know what came in between.
    tail.backfill(history([2], 60.0), asked_ms=2 * STEP + 29_000)
    tail.mended(2 * STEP + 30_000)
    tail.backfill(history([2], 60.0), asked_ms=2 * STEP + 29_000)
    tail.backfill(history([2], 70.0), asked_ms=2 * STEP + 31_000)
    assert tail.update(bar(3), closed=False)[0].close == 70.0
    tail.broken()
    tail.mended(3 * STEP + 10)
    tail.update(bar(3, 103.0), closed=False)
    tail.backfill(history([3], 70.0), asked_ms=3 * STEP + 20)
    assert tail.update(bar(4), closed=False) == [bar(3, 103.0)]


def test_a_bar_that_ended_a_moment_before_we_asked_may_still_change() -> None:
    tail = BarTail(MINUTE, keep=10)
    assert tail.backfill(history([1, 2]), asked_ms=3 * STEP + GRACE_MS - 1) == [Bar(STEP, *[50.0] * 5)]
    assert tail.update(bar(2, 104.0), closed=False) == []
    assert tail.backfill(history([2]), asked_ms=3 * STEP + GRACE_MS) == [Bar(2 * STEP, *[50.0] * 5)]
    assert tail.close_due(9 * STEP) == []


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


MINUTES = 12


class Market:
    """A venue with trades, what it says of them live and when asked, and a line that breaks."""

    def __init__(self, trades: list[tuple[int, float]], outages: list[tuple[int, int]], slowness_ms: int) -> None:
        self.trades, self.outages, self.slowness_ms = trades, outages, slowness_ms
        self.tail = BarTail(MINUTE, keep=MINUTES)
        self.closed: list[Bar] = []
        self.asked: list[int] = []

    def candle(self, opened_ms: int, upto_ms: int) -> Bar:
        prices = [price for at, price in self.trades if opened_ms <= at < opened_ms + STEP and at <= upto_ms]
        return Bar(opened_ms, prices[0], max(prices), min(prices), prices[-1], float(len(prices)))

    def told(self, upto_ms: int) -> BarSeries:
        opened = sorted({at // STEP * STEP for at, _ in self.trades if at <= upto_ms})
        bars = np.array([self.candle(stamp, upto_ms) for stamp in opened]).reshape(-1, 6)
        return BarSeries(MINUTE, bars[:, 0].astype(np.int64), *(bars[:, column] for column in range(1, 6)))

    def run(self) -> None:
        """Let every moment happen in its order; questions asked at the breaks and gaps are answered a little later."""
        heard = [(at + self.slowness_ms, 1, at) for at, _ in self.trades]
        moments = heard + [(at, 2, at) for at in range(0, (MINUTES + 1) * STEP, 1_000)]
        for start, end in self.outages:
            moments += [(start, 0, start), (end, 3, end)]
        self.ask(0)
        for now, what, at in sorted(moments):
            self.answer(now)
            self.happen(now, what, at)
            if self.tail.take_gap():
                self.ask(now)
        self.ask(now)
        self.answer(now + STEP)

    def happen(self, now: int, what: int, at: int) -> None:
        down = any(start <= now < end for start, end in self.outages)
        if what == 0:
            self.tail.broken()
        elif what == 1 and not down:
            self.closed += self.tail.update(self.candle(at // STEP * STEP, at), closed=False)
        elif what == 2:
            self.closed += self.tail.close_due(now)
        elif what == 3:
            self.tail.mended(now)
            self.ask(now)

    def ask(self, now: int) -> None:
        self.asked.append(now)

    def answer(self, now: int) -> None:
        for asked in [asked for asked in self.asked if asked + 700 <= now]:
            self.asked.remove(asked)
            self.closed += self.tail.backfill(self.told(asked), asked)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, MINUTES * STEP - 1), st.floats(90, 110)), max_size=60),
    st.lists(st.tuples(st.integers(0, MINUTES * STEP), st.integers(1, 200_000)), max_size=5),
    st.integers(0, 1_500),
)
def test_whatever_breaks_the_closed_bars_are_the_venues_own_each_once(
    trades: list[tuple[int, float]], breaks: list[tuple[int, int]], slowness_ms: int
) -> None:
    # Every minute trades at least once; breaks do not overlap.
    trades = sorted(dict([*trades, *((minute * STEP, 100.0) for minute in range(MINUTES))]).items())
    outages: list[tuple[int, int]] = []
    for start, length in sorted(breaks):
        if not outages or start > outages[-1][1]:
            outages.append((start, start + length))
    market = Market(trades, outages, slowness_ms)
    market.run()
    final = [market.candle(minute * STEP, 10**9) for minute in range(MINUTES)]
    assert sorted(market.closed) == final
    assert market.tail.series().opened_ms.tolist() == [bar.opened_ms for bar in final]
