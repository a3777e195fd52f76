"""Delays, and clocks that cannot be right."""

from datetime import timedelta

import numpy as np
import pytest

from apps.strategies.backtest.quoting.ear import Ear
from apps.strategies.backtest.quoting.floor import Tables
from apps.strategies.backtest.quoting.latency import (
    ConstantFeed,
    ConstantOrders,
    LikeTheFeed,
    RecordedFeed,
    nanoseconds,
)
from apps.strategies.backtest.quoting.tape import NS_PER_MS, Tape
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.backtest.quoting.tape_world import at, bid, tape_of

MS = timedelta(milliseconds=1)


def received(tape, *later_ms):
    stamps = tape.happened_ns + np.array([0] * tape.opening + list(later_ms)) * NS_PER_MS
    return Tape(
        tape.instrument, tape.kinds, tape.sides, tape.ticks, tape.lots, tape.happened_ns, stamps, tape.opening,
        tape.source,
    )  # fmt: skip


def test_a_constant_feed_is_late_by_the_same_time():
    tape = tape_of([bid(1, 1000, 1)])
    assert (ConstantFeed(7 * MS).heard_ns(tape) - tape.happened_ns == 7 * NS_PER_MS).all()


def test_news_from_the_future_is_refused_and_told_by_how_much_to_shift():
    tape = received(tape_of([bid(10, 1000, 1), bid(20, 1000, 2)]), 3, -1_268)
    with pytest.raises(InvalidValue, match=r"row 7 of made:BTC heard before it happened \(1 of 8 rows\).*1268 ms"):
        RecordedFeed().heard_ns(tape)
    heard = RecordedFeed(1_270 * MS).heard_ns(tape)
    assert (heard >= tape.happened_ns).all()


def test_what_is_heard_out_of_order_is_heard_in_the_order_it_came():
    tape = received(tape_of([bid(10, 1000, 1), bid(11, 1000, 2)]), 9, 0)
    ear = Ear(Tables(tape), RecordedFeed())
    assert ear.order.tolist()[-2:] == [7, 6]
    ear.book(at(12), 5)
    assert ear.book(at(12), 5).bids[0].size == pytest.approx(0.002)
    # The older news comes last and is believed, as a recorder would have.
    assert ear.book(at(19), 5).bids[0].size == pytest.approx(0.001)
    assert ear.news_age(at(19)) == 9 * NS_PER_MS
    assert ear.newest_ns(at(-1)) is None


def test_orders_travel_a_constant_time_or_as_the_news_does():
    constant, like = ConstantOrders(2 * MS, 3 * MS), LikeTheFeed(0.5, 2.0)
    assert (constant.entry_ns(9), constant.answer_ns(9)) == (2 * NS_PER_MS, 3 * NS_PER_MS)
    assert (like.entry_ns(1_000), like.answer_ns(1_000)) == (500, 2_000)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: ConstantFeed(-MS), "feed delay"),
        (lambda: ConstantOrders(entry=-MS), "order entry delay"),
        (lambda: ConstantOrders(answer=-MS), "answer delay"),
        (lambda: LikeTheFeed(-0.1), "entry_factor"),
        (lambda: LikeTheFeed(answer_factor=float("nan")), "answer_factor"),
    ],
)
def test_delays_below_zero_are_refused(make, names):
    with pytest.raises(InvalidValue, match=names):
        make()


def test_lengths_of_time_are_whole_nanoseconds():
    assert nanoseconds(timedelta(days=1, seconds=2, microseconds=3)) == 86_402_000_003_000
