"""A book kept from differences is what somebody who kept every price in a dictionary would have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.market_data.book import DepthBook
from moondev.domain.errors import InvalidValue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
INFINITY, NAN = float("inf"), float("nan")

# Bids below 100, asks above, so that no book is crossed; sizes of zero take a price out.
bids = st.lists(st.tuples(st.integers(1, 100).map(float), st.integers(0, 3).map(float)), max_size=12)
asks = st.lists(st.tuples(st.integers(101, 200).map(float), st.integers(0, 3).map(float)), max_size=12)


def sides(book: DepthBook, depth: int = 50) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Return the levels of a book as pairs."""
    top = book.top(depth, NOW, NOW)
    return [(level.price, level.size) for level in top.bids], [(level.price, level.size) for level in top.asks]


def _kept(known: dict[float, float], levels: list[tuple[float, float]]) -> None:
    for price, size in levels:
        if size:
            known[price] = size
        else:
            known.pop(price, None)


@given(bids, asks, st.lists(st.tuples(bids, asks), max_size=5), st.integers(1, 20))
def test_differences_add_up(
    first_bids: list[tuple[float, float]],
    first_asks: list[tuple[float, float]],
    changes: list[tuple[list[tuple[float, float]], list[tuple[float, float]]]],
    depth: int,
) -> None:
    book, known_bids, known_asks = DepthBook(), dict[float, float](), dict[float, float]()
    book.replace(first_bids, first_asks)
    for new_bids, new_asks in [(first_bids, first_asks), *changes]:
        book.update(new_bids, new_asks)
        _kept(known_bids, new_bids)
        _kept(known_asks, new_asks)
    assert sides(book, depth) == (
        sorted(known_bids.items(), reverse=True)[:depth],
        sorted(known_asks.items())[:depth],
    )
    assert len(book) == len(known_bids) + len(known_asks)


@pytest.mark.parametrize(
    "level", [(0.0, 1.0), (-1.0, 1.0), (NAN, 1.0), (INFINITY, 1.0), (1.0, -1.0), (1.0, NAN), (1.0, INFINITY)]
)
def test_a_bad_number_leaves_no_book_at_all(level: tuple[float, float]) -> None:
    for on_bids in (True, False):
        book = DepthBook()
        book.replace([(100.0, 1.0)], [(101.0, 1.0)])
        with pytest.raises(InvalidValue, match="book level"):
            book.update([level] if on_bids else [], [] if on_bids else [level])
        assert len(book) == 0


def test_a_crossed_book_is_no_book() -> None:
    book = DepthBook()
    book.replace([(100.0, 1.0)], [(100.0, 1.0)])
    with pytest.raises(InvalidValue, match="crossed"):
        book.top(1, NOW, NOW)


def test_old_prices_give_way_to_the_newest_side() -> None:
    for newest_is_bid, left in ((True, ([(102.0, 1.0)], [(103.0, 3.0)])), (False, ([(99.0, 2.0)], [(101.0, 1.0)]))):
        book = DepthBook()
        book.replace([(102.0, 1.0), (99.0, 2.0)], [(101.0, 1.0), (103.0, 3.0)])
        assert book.uncross(newest_is_bid=newest_is_bid) == 1
        found = sides(book)
        assert (found[0][:1], found[1][:1]) == left


def test_what_lies_beyond_what_the_venue_tells_is_forgotten() -> None:
    book = DepthBook()
    book.replace([(100.0 - n, 1.0) for n in range(5)], [(101.0 + n, 1.0) for n in range(5)])
    book.trim(2)
    assert sides(book) == ([(100.0, 1.0), (99.0, 1.0)], [(101.0, 1.0), (102.0, 1.0)])
