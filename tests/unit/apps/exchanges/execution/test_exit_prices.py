"""From which price the cap of an exit counts when the venue's mark is absurd."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.exchanges.execution.exit_prices import trusted_mark
from apps.exchanges.execution.exits import Exit
from moondev.domain.clock import LiveClock
from moondev.domain.errors import Connectivity
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.market_data import Book, BookLevel
from moondev.domain.values import Money, Price, Quantity, Side

D = Decimal
BTC = Instrument(
    venue="v", symbol="BTC", asset="BTC", quote="USDC", price_grid=PriceGrid(D("0.1"), 6), lot=Quantity(D("0.001")),
    min_notional=Money(D(10), "USDC"), max_leverage=20,
)  # fmt: skip


class Books:
    """A book around 1,000, or none."""

    def __init__(self, bid: float | None = 999.0, ask: float = 1_001.0) -> None:
        self.bid, self.ask, self.asked = bid, ask, 0

    def book(self, venue: str, symbol: str) -> Book:
        self.asked += 1
        if self.bid is None:
            raise Connectivity("timed out")
        now = LiveClock().now()
        return Book((BookLevel(self.bid, 1.0),), (BookLevel(self.ask, 1.0),), now, now)

    def close(self) -> None:
        """Nothing is open."""


def exit_of(mark: str, entry: str | None = "1005", side: Side = Side.SELL) -> Exit:
    return Exit("turtle", 1, BTC, side, D(1), Price(D(mark)), None if entry is None else Price(D(entry)))


def test_a_mark_near_the_entry_is_taken_without_asking_anybody() -> None:
    books = Books()
    assert trusted_mark(exit_of("1000"), 0, books) == Price(D(1_000))
    assert books.asked == 0


@pytest.mark.parametrize(("side", "touch"), [(Side.SELL, "999"), (Side.BUY, "1001")])
@pytest.mark.parametrize("mark", ["10000", "100", "0.001"])
def test_an_absurd_mark_is_outvoted_by_book_and_entry(mark, side, touch) -> None:
    found = trusted_mark(exit_of(mark, side=side), 0, Books())
    assert found in {Price(D(touch)), Price(D(1_005))}


def test_a_book_that_fell_away_is_outvoted_by_mark_and_entry() -> None:
    assert trusted_mark(exit_of("1000"), 1, Books(bid=10.0)) == Price(D(1_000))


def test_a_market_that_has_gone_far_since_the_entry_is_believed_by_mark_and_book() -> None:
    assert trusted_mark(exit_of("1000", entry="100"), 0, Books()) == Price(D(1_000))


@pytest.mark.parametrize(("entry", "bid"), [("1005", None), (None, 999.0)])
def test_without_a_book_or_an_entry_it_is_the_mark(entry, bid) -> None:
    assert trusted_mark(exit_of("10000", entry=entry), 1, Books(bid=bid)) == Price(D(10_000))
