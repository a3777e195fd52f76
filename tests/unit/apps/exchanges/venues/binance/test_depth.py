"""A followed book is the venue's book, or it is unknown: never a third thing."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.exchanges.venues.binance.depth import MOST_WAITING, SNAPSHOT_LEVELS, TOLD_LEVELS, FollowedBook
from apps.exchanges.venues.binance.messages import DepthAnswer
from apps.exchanges.venues.binance.stream_messages import DepthEvent
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(
    first: int, last: int, previous: int, *bids: tuple[str, str], asks: tuple[str, str] | None = None
) -> DepthEvent:
    return DepthEvent("BTCUSDT", 1_000, first, last, previous, list(bids), [] if asks is None else [asks])


def snapshot(number: int, bid: str = "99", ask: str = "101") -> DepthAnswer:
    return DepthAnswer(number, 1_000, [(bid, "1")], [(ask, "1")])


def best(book: Book | None) -> tuple[float, float]:
    assert book is not None
    return book.bids[0].price, book.asks[0].price


def test_differences_before_the_snapshot_wait_and_older_ones_are_dropped() -> None:
    book = FollowedBook()
    assert not book.known
    assert book.change(event(1, 4, 0, ("98", "1")), NOW) is None
    assert book.change(event(5, 8, 4, ("100", "2")), NOW) is None
    assert best(book.start(snapshot(6), NOW)) == (100.0, 101.0)
    assert book.known
    assert best(book.change(event(9, 9, 8, ("100", "0")), NOW)) == (99.0, 101.0)


def test_a_snapshot_that_nothing_followed_yet_is_the_book() -> None:
    book = FollowedBook()
    assert best(book.start(snapshot(6), NOW)) == (99.0, 101.0)
    # The first difference may reach back before the snapshot, and may also follow it exactly.
    assert best(book.change(event(3, 9, 2, ("100", "1")), NOW)) == (100.0, 101.0)
    other = FollowedBook()
    other.start(snapshot(6), NOW)
    assert best(other.change(event(7, 9, 6, ("100", "1")), NOW)) == (100.0, 101.0)


def test_a_gap_makes_the_book_unknown_until_the_next_snapshot() -> None:
    book = FollowedBook()
    book.start(snapshot(6), NOW)
    book.change(event(7, 8, 6, ("100", "1")), NOW)
    assert book.change(event(11, 12, 10, ("100.5", "1")), NOW) is None
    assert not book.known
    assert best(book.start(snapshot(11, "100.2"), NOW)) == (100.5, 101.0)
    assert book.known


def test_what_was_said_before_changes_nothing() -> None:
    book = FollowedBook()
    book.start(snapshot(6), NOW)
    again = event(7, 8, 6, ("100", "1"))
    assert best(book.change(again, NOW)) == (100.0, 101.0)
    assert book.change(again, NOW) is None
    assert book.change(event(3, 4, 2, ("100", "0")), NOW) is None
    assert book.known


def test_a_snapshot_older_than_what_waits_is_refused() -> None:
    book = FollowedBook()
    book.change(event(20, 21, 19, ("98", "1")), NOW)
    assert book.start(snapshot(6), NOW) is None
    assert not book.known
    assert best(book.start(snapshot(21), NOW)) == (99.0, 101.0)


def test_waiting_differences_are_put_in_order() -> None:
    book = FollowedBook()
    for late in (event(9, 9, 8, ("100", "3")), event(7, 8, 6, ("100", "1"))):
        book.change(late, NOW)
    told = book.start(snapshot(6), NOW)
    assert told is not None
    assert told.bids[0].size == 3.0


@pytest.mark.parametrize("bad", [("nan", "1"), ("100", "-1"), ("0", "1"), ("inf", "1"), ("1_0", "1"), ("x", "1")])
def test_a_number_that_is_none_makes_the_book_unknown(bad: tuple[str, str]) -> None:
    book = FollowedBook()
    book.start(snapshot(6), NOW)
    with pytest.raises(InvalidValue):
        book.change(event(7, 8, 6, bad), NOW)
    assert not book.known
    with pytest.raises(InvalidValue):
        book.start(DepthAnswer(9, 1_000, [bad], []), NOW)
    assert not book.known


def test_a_crossed_book_is_told_to_nobody() -> None:
    book = FollowedBook()
    book.start(snapshot(6), NOW)
    with pytest.raises(InvalidValue, match="crossed"):
        book.change(event(7, 8, 6, ("102", "1")), NOW)
    assert not book.known


def test_prices_beyond_a_full_snapshot_are_not_told_as_if_we_knew_them() -> None:
    """Of prices the snapshot did not reach we hear changes only: what rests there unchanged is missing."""
    bids = [(str(10_000 - step), "1") for step in range(SNAPSHOT_LEVELS)]
    book = FollowedBook()
    book.start(DepthAnswer(6, 1_000, bids, [("10001", "1")]), NOW)
    gone = [(price, "0") for price, _ in bids[:-TOLD_LEVELS]]
    told = book.change(DepthEvent("BTCUSDT", 1, 7, 8, 6, gone, []), NOW)
    assert told is not None
    assert len(told.bids) == TOLD_LEVELS
    # One more goes, and a price from beyond would have to fill its place.
    deeper = [(bids[-TOLD_LEVELS][0], "0"), ("9000", "5")]
    assert book.change(DepthEvent("BTCUSDT", 1, 9, 9, 8, deeper, []), NOW) is None
    assert not book.known


def test_nobody_waits_for_ever() -> None:
    book = FollowedBook()
    for number in range(MOST_WAITING):
        book.change(event(number, number, number - 1), NOW)
    with pytest.raises(InvalidValue):
        book.change(event(MOST_WAITING, MOST_WAITING, MOST_WAITING - 1), NOW)
    book.forget()
    assert best(book.start(snapshot(6), NOW)) == (99.0, 101.0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), lost=st.sets(st.integers(1, 30), max_size=5), doubled=st.integers(0, 30))
def test_whatever_the_line_does_a_known_book_is_the_true_one(seed: int, lost: set[int], doubled: int) -> None:
    chance = random.Random(seed)
    truth: dict[int, int] = dict.fromkeys(range(90, 100), 1)
    book, number = FollowedBook(), 10
    book.start(_of(truth, number), NOW)
    for step in range(1, 31):
        first = number + 1
        changed = [(chance.randrange(90, 100), chance.randrange(0, 4)) for _ in range(3)]
        truth.update(changed)
        number += 3
        said = DepthEvent(
            "BTCUSDT", 1, first, number, first - 1, [(str(price), str(truth[price])) for price, _ in changed], []
        )
        if step in lost:
            continue
        for _ in range(2 if step == doubled else 1):
            book.change(said, NOW)
        if not book.known:
            book.start(_of(truth, number), NOW)
        told = book.change(DepthEvent("BTCUSDT", 1, number + 1, number + 1, number, [], []), NOW)
        number += 1
        assert told is not None
        real = sorted((price for price, size in truth.items() if size), reverse=True)
        assert [(level.price, level.size) for level in told.bids] == [(p, truth[p]) for p in real]


def _of(truth: dict[int, int], number: int) -> DepthAnswer:
    return DepthAnswer(number, 1, [(str(price), str(size)) for price, size in truth.items() if size], [("101", "1")])
