"""Books as the mock's Phemex tells them."""

from __future__ import annotations

from decimal import Decimal

from apps.exchanges.mock.engine.api import BookView, LevelView
from apps.exchanges.mock.wire.phemex.books import StreamedBook


def view(bids: dict[int, int], asks: dict[int, int]) -> BookView:
    def side(levels: dict[int, int]) -> tuple[LevelView, ...]:
        return tuple(LevelView(Decimal(price), Decimal(size), 1) for price, size in levels.items())

    return BookView("BTC", 7, side(bids), side(asks))


def test_a_difference_names_what_changed_and_zero_what_went() -> None:
    book = StreamedBook("BTC", 30, snapshot_due=0.0)
    book.take(view({99: 1, 98: 2}, {101: 1}))
    whole = book.snapshot(5)
    assert (whole["type"], whole["sequence"], whole["timestamp"]) == ("snapshot", 5, 7_000_000)
    assert whole["orderbook_p"] == {"asks": [["101", "1"]], "bids": [["99", "1"], ["98", "2"]]}
    change = book.change(view({98: 3, 97: 1}, {101: 1}), 9)
    assert change is not None
    assert change["orderbook_p"] == {"asks": [], "bids": [["99", "0"], ["98", "3"], ["97", "1"]]}
    assert book.change(view({98: 3, 97: 1}, {101: 1}), 12) is None


def test_a_snapshot_repeats_what_was_told_so_that_the_next_difference_fits() -> None:
    book = StreamedBook("BTC", 30, snapshot_due=0.0)
    book.take(view({99: 1}, {}))
    assert book.snapshot(5) == book.snapshot(5)
    assert book.snapshot(5)["orderbook_p"]["bids"] == [["99", "1"]]


def test_what_only_falls_out_of_the_depth_is_not_told_of() -> None:
    book = StreamedBook("BTC", 2, snapshot_due=0.0)
    book.take(view({99: 1, 98: 1}, {101: 1, 102: 1}))
    change = book.change(view({100: 1, 99: 1}, {102: 1, 103: 1}), 6)
    assert change is not None
    # 98 fell out of sight; 101 is gone for good.
    assert change["orderbook_p"] == {"asks": [["101", "0"], ["103", "1"]], "bids": [["100", "1"]]}


def test_of_a_whole_book_everything_that_goes_is_told() -> None:
    book = StreamedBook("BTC", 0, snapshot_due=0.0)
    book.take(view({99: 1, 98: 1}, {}))
    change = book.change(view({100: 1, 99: 1}, {}), 6)
    assert change is not None
    assert change["orderbook_p"]["bids"] == [["98", "0"], ["100", "1"]]
