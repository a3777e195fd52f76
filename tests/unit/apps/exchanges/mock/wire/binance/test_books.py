"""Numbered differences: a client that starts from a snapshot and applies them has the book."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.engine.orders import Order
from apps.exchanges.mock.wire.binance.books import Books
from moondev.domain.clock import LiveClock

SPEC = InstrumentSpec("BTC", 0, 3, 40, tick=Decimal("0.1"), quote="USDT")


@pytest.fixture
def exchange() -> Exchange:
    return Exchange([SPEC], LiveClock(), {"BTC": Decimal(50_000)})


class Maker:
    """Rests the market's own orders, and takes them back."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._house = exchange, exchange.house()
        self._market = self._house.market("BTC")
        self._orders: dict[int, Order] = {}

    def bid(self, price: int, size: int) -> None:
        """Bid `size` at `price` instead of what was bid there; nothing takes it back."""
        before = self._orders.pop(price, None)
        if before is not None:
            self._house.withdraw(before)
        units, lots = self._market.grid.price_units(Decimal(price)), self._market.grid.size_units(Decimal(size))
        assert units is not None
        order = self._house.quote(self._market, units, lots, is_buy=True) if lots else None
        if order is not None:
            self._orders[price] = order
        self._exchange.tick(LiveClock().now())


def applied(book: dict[str, str], changes: list[list[str]]) -> None:
    for price, size in changes:
        if Decimal(size):
            book[price] = size
        else:
            book.pop(price, None)


def whole(exchange: Exchange) -> dict[str, str]:
    return {f"{level.price:.1f}": f"{level.size:f}" for level in exchange.book("BTC", None).bids}


def test_differences_join_and_lead_from_any_snapshot_to_the_book(exchange: Exchange) -> None:
    books = Books(exchange, {"BTC": SPEC}, 1_000)
    books.follow("BTC")
    chance, maker = random.Random(1), Maker(exchange)
    followed: dict[str, str] | None = None
    last: int | None = None
    for step in range(200):
        maker.bid(chance.randrange(49_000, 49_020), chance.randrange(0, 5))
        if step % 23 == 5:
            # A client comes anew: the next difference spans the number of its snapshot.
            followed, last = whole(exchange), books.stamp("BTC")
        if chance.random() < 0.5:
            continue
        told: dict[str, Any] | None = books.difference("BTC", 0)
        if told is None or followed is None or last is None:
            continue
        assert told["pu"] == told["U"] - 1
        assert told["U"] <= last + 1 <= told["u"] + 1
        applied(followed, told["b"])
        last = told["u"]
        assert followed == whole(exchange)
    assert books.difference("BTC", 0) is None or followed


def test_a_price_that_a_snapshot_showed_in_passing_is_told_as_gone(exchange: Exchange) -> None:
    books = Books(exchange, {"BTC": SPEC}, 1_000)
    books.follow("BTC")
    maker = Maker(exchange)
    maker.bid(49_000, 1)
    books.stamp("BTC")
    maker.bid(49_000, 0)
    told = books.difference("BTC", 0)
    assert told is not None
    assert told["b"] == [["49000.0", "0"]]


def test_nothing_new_is_not_told_and_a_forgotten_book_starts_over(exchange: Exchange) -> None:
    books = Books(exchange, {"BTC": SPEC}, 1_000)
    books.follow("BTC")
    assert books.difference("BTC", 0) is None
    Maker(exchange).bid(49_000, 1)
    books.forget("BTC")
    books.follow("BTC")
    assert books.difference("BTC", 0) is None
    assert books.top("BTC", 5, 0)["b"] == [["49000.0", "1.000"]]
