"""Books kept from messages whose numbers have holes of their own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from apps.exchanges.venues.phemex.books import DEPTH, TrackedBooks
from apps.exchanges.venues.phemex.messages import BookMessage
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Book
from tests.unit.apps.exchanges.venues.phemex.rows import NOW, book, sent

WHOLE = book("snapshot", 100, [["99", "1"], ["98", "2"]], [["101", "1"], ["102", "2"]])


def take(books: TrackedBooks, message: Any) -> Book | None:
    return books.take(msgspec.json.decode(sent(message), type=BookMessage), NOW)


@pytest.fixture
def books() -> TrackedBooks:
    books = TrackedBooks(["BTCUSDT"])
    assert take(books, WHOLE) is not None
    return books


def bids(found: Book | None) -> list[tuple[float, float]]:
    assert found is not None
    return [(level.price, level.size) for level in found.bids]


def test_differences_are_applied_whatever_hole_is_in_the_numbers(books: TrackedBooks) -> None:
    found = take(books, book("incremental", 137, [["99", "0"], ["98.5", "3"]], []))
    assert bids(found) == [(98.5, 3), (98, 2)]
    assert books.doubted() == ()


def test_nothing_is_told_before_a_whole_book_came() -> None:
    books = TrackedBooks(["BTCUSDT"])
    assert take(books, book("incremental", 1, [["99", "1"]], [])) is None
    assert books.doubted() == ()


def test_the_same_message_twice_changes_nothing(books: TrackedBooks) -> None:
    change = book("incremental", 101, [["99", "5"]], [])
    assert bids(take(books, change))[0] == (99, 5)
    assert take(books, change) is None
    assert books.doubted() == ()


@pytest.mark.parametrize("kind", ["incremental", "snapshot"])
def test_a_message_out_of_its_order_makes_the_book_doubtful(books: TrackedBooks, kind: str) -> None:
    take(books, book("incremental", 120, [["99", "5"]], []))
    assert take(books, book(kind, 110, [["97", "5"]], [])) is None
    assert books.doubted() == ("BTCUSDT",)
    # Until the whole book comes nobody is told anything.
    assert take(books, book("incremental", 130, [["99", "6"]], [])) is None
    assert bids(take(books, book("snapshot", 130, [["96", "1"]], [["101", "1"]]))) == [(96, 1)]
    assert books.doubted() == ()


@pytest.mark.parametrize("level", [["103", "1"], ["nan", "1"], ["-1", "1"], ["99", "-1"], ["1e999", "1"], ["x", "1"]])
def test_a_book_that_cannot_be_is_asked_for_anew(books: TrackedBooks, level: list[str]) -> None:
    with pytest.raises(InvalidValue):
        take(books, book("incremental", 101, [level], []))
    assert books.doubted() == ("BTCUSDT",)
    assert take(books, book("incremental", 102, [["97", "1"]], [])) is None


def test_what_falls_out_of_sight_does_not_come_back_by_itself(books: TrackedBooks) -> None:
    """The venue tells nothing of prices beyond the depth, not even that they are gone."""
    deep = [[str(1_000 - place), "1"] for place in range(DEPTH)]
    take(books, book("snapshot", 200, deep, [["2000", "1"]]))
    # One price more at the top pushes the last one out of sight; then all but the last four go.
    take(books, book("incremental", 201, [["1001", "1"]], []))
    gone = [["1001", "0"], *([price, "0"] for price, _ in deep[:-4])]
    found = take(books, book("incremental", 202, gone, []))
    assert [price for price, _ in bids(found)] == [float(price) for price, _ in deep[-4:-1]]


def test_a_book_nobody_asked_for_is_an_error(books: TrackedBooks) -> None:
    with pytest.raises(InvalidValue, match="symbol"):
        take(books, book("snapshot", 1, [], [], symbol="DOGEUSDT"))


def test_books_are_verified_in_turn() -> None:
    books = TrackedBooks(["A", "B", "C"])
    assert [tuple(books.next_to_verify(2)) for _ in range(3)] == [("A", "B"), ("C", "A"), ("B", "C")]
    assert TrackedBooks([]).next_to_verify(2) == ()


def test_a_new_connection_begins_with_nothing_known(books: TrackedBooks) -> None:
    books.forget()
    assert take(books, book("incremental", 300, [["97", "1"]], [])) is None
    # Another server may count from elsewhere.
    assert bids(take(books, book("snapshot", 5, [["96", "1"]], [["101", "1"]]))) == [(96, 1)]
