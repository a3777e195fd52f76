"""Books as they are streamed: what changed, numbered without a hole, and the whole for who comes later."""

from decimal import Decimal

from apps.exchanges.mock.engine.api import BookView, LevelView
from apps.exchanges.mock.wire.bybit.books import StreamedBook

TOPIC = "orderbook.50.BTCUSDT"


def view(bids: dict[int, int], asks: dict[int, int]) -> BookView:
    sides = [
        tuple(LevelView(Decimal(price), Decimal(size), 1) for price, size in side.items()) for side in (bids, asks)
    ]
    return BookView("BTC", 7, *sides)


def test_a_difference_names_what_changed_and_what_is_gone() -> None:
    book = StreamedBook("BTC", 50)
    book.change(TOPIC, view({100: 1, 99: 2}, {101: 3}), 1)
    message = book.change(TOPIC, view({100: 5, 98: 4}, {101: 3}), 2)
    assert message is not None
    assert message["type"] == "delta"
    assert message["data"]["b"] == [["99", "0"], ["100", "5"], ["98", "4"]]
    assert message["data"]["a"] == []
    snapshot = book.snapshot(TOPIC, 3)
    assert (snapshot["type"], snapshot["data"]["u"]) == ("snapshot", message["data"]["u"])
    assert snapshot["data"]["b"] == [["100", "5"], ["98", "4"]]


def test_numbers_have_no_hole_and_nothing_new_is_not_told() -> None:
    book = StreamedBook("BTC", 50)
    numbers = []
    for step in (1, 2, 2, 3):
        message = book.change(TOPIC, view({100: step}, {}), step)
        if message is not None:
            numbers.append(message["data"]["u"])
    assert numbers == [2, 3, 4]


def test_the_best_price_alone_is_told_in_full() -> None:
    book = StreamedBook("BTC", 1)
    book.change("orderbook.1.BTCUSDT", view({100: 1}, {101: 1}), 1)
    message = book.change("orderbook.1.BTCUSDT", view({99: 1}, {101: 1}), 2)
    assert message is not None
    assert (message["type"], message["data"]["b"]) == ("snapshot", [["99", "1"]])
