"""The public stream, the same on every venue: what it tells, how it comes back, and how it is seen to stand still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    Connected,
    Disconnected,
    MarketSubscription,
    MarkUpdate,
    Stream,
    TradeBatch,
)
from moondev.domain.clock import LiveClock
from moondev.domain.orders import OrderStatus
from moondev.domain.values import Side
from tests.contract.suite.ears import Ears, running
from tests.contract.suite.orders import limit
from tests.contract.suite.scene import Trader, VenueScene

pytestmark = pytest.mark.contract

MINUTE = timedelta(minutes=1)
STILL_SECONDS = 0.25


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def stream(scene: VenueScene, ears: Ears) -> Iterator[Stream]:
    """Hear everything about two symbols, from when the subscriptions stand."""
    wanted = [
        MarketSubscription(scene.symbol(coin), candles=(MINUTE,), best_quote=True, trades=True)
        for coin in ("BTC", "ETH")
    ]
    with running(scene.market_stream(ears, *wanted)) as stream:
        ears.connected()
        yield stream


def top(scene: VenueScene, coin: str = "BTC") -> tuple[float, float]:
    """Return best bid and ask of the engine's book."""
    book = scene.engine(lambda engine: engine.book(coin, 1))
    return float(book.bids[0].price), float(book.asks[0].price)


def shown(ears: Ears, symbol: str) -> tuple[float, float] | None:
    """Return best bid and ask of the last book heard."""
    books = [update.book for update in ears.of(BookUpdate) if update.symbol == symbol]
    return (books[-1].bids[0].price, books[-1].asks[0].price) if books else None


def shows(scene: VenueScene, ears: Ears) -> Callable[[], bool]:
    """Return the question whether the last book heard is the engine's, with any of our quotes in it."""
    wanted = top(scene)
    return lambda: shown(ears, scene.symbol()) == wanted


def test_the_market_is_told_as_it_is(scene: VenueScene, ears: Ears, stream: Stream) -> None:
    for coin in ("BTC", "ETH"):
        ears.until(lambda coin=coin: shown(ears, scene.symbol(coin)) == top(scene, coin), f"the book of {coin}")
    scene.trade("buy", "50010", "0.02")
    trade = ears.first(TradeBatch, lambda batch: batch.symbol == scene.symbol()).trades[0]
    assert (trade.side, trade.price, trade.size) == (Side.BUY, 50_010.0, 0.02)
    assert abs(trade.time_received - trade.time_exchange) < MINUTE
    candle = ears.first(CandleUpdate, lambda bar: bar.symbol == scene.symbol() and bar.close == 50_010)
    assert candle.interval == MINUTE
    assert candle.opened_ms % 60_000 == 0
    assert candle.low <= candle.close <= candle.high
    with scene.mark_at(50_100):
        mark = ears.first(MarkUpdate, lambda mark: mark.symbol == scene.symbol() and mark.mark_price == 50_100)
        assert mark.oracle_price > 0
    quote = ears.first(BestQuoteUpdate, lambda quote: quote.symbol == scene.symbol())
    assert quote.bid is not None
    assert quote.ask is not None
    assert quote.bid.price < quote.ask.price
    assert stream.connected
    assert stream.unreadable == 0
    assert stream.age_seconds < MINUTE.total_seconds()


def test_books_follow_every_change(scene: VenueScene, ears: Ears, stream: Stream, trader: Trader) -> None:
    bid, ask = limit(scene.key(), at=49_993), limit(scene.key(), Side.SELL, 50_007)
    for order in (bid, ask):
        trader.place(order)
        ears.until(shows(scene, ears), "the book with our quote")
    for order in (bid, ask):
        trader.cancel(order)
    ears.until(lambda: shown(ears, scene.symbol()) == (49_990.0, 50_010.0), "the book without our quotes")
    for update in ears.of(BookUpdate):
        prices = [level.price for level in update.book.bids]
        assert prices == sorted(prices, reverse=True)
        assert all(level.size > 0 for level in (*update.book.bids, *update.book.asks))


def test_a_stream_that_is_cut_comes_back_with_the_time_of_the_silence(
    scene: VenueScene, ears: Ears, stream: Stream, trader: Trader
) -> None:
    ears.until(shows(scene, ears), "the book")
    before = LiveClock().now()
    scene.cut(stream)
    again = ears.connected(times=2)
    assert again.silent_since is not None
    assert again.silent_since <= again.time_received
    assert abs(again.silent_since - before) < MINUTE
    assert len(ears.of(Disconnected)) == 1
    ears.clear()
    trader.place(limit(scene.key(), at=49_994))
    ears.until(shows(scene, ears), "a book after the cut")
    assert stream.unreadable == 0


def test_after_a_gap_the_book_is_built_anew(scene: VenueScene, ears: Ears, stream: Stream, trader: Trader) -> None:
    ears.until(shows(scene, ears), "the book")
    scene.fault("ws_gap", value=10)
    lost = limit(scene.key(), at=49_994)
    trader.place(lost)
    ears.until(lambda: stream.age_seconds > STILL_SECONDS / 2, "silence though the book has changed")
    scene.heal()
    trader.place(limit(scene.key(), Side.SELL, 50_006))
    ears.until(lambda: shown(ears, scene.symbol()) == (49_994.0, 50_006.0), "the book with what the gap swallowed")
    ears.clear()
    trader.cancel(lost)
    # Some venues only promise to cancel: the book to wait for is the one after they did.
    trader.known(lost.client_order_id, OrderStatus.CANCELLED)
    ears.until(shows(scene, ears), "the book followed again")


@pytest.mark.parametrize("disorder", ["ws_duplicate", "ws_out_of_order"])
def test_disorder_on_the_line_never_leaves_a_wrong_book(
    scene: VenueScene, ears: Ears, stream: Stream, trader: Trader, disorder: str
) -> None:
    ears.until(shows(scene, ears), "the book")
    scene.fault(disorder, count=3)
    orders = [limit(scene.key(), at=at) for at in (49_992, 49_994, 49_996)]
    for order in orders:
        trader.place(order)
    scene.heal()
    trader.cancel(orders[-1])
    trader.place(limit(scene.key(), Side.SELL, 50_006))
    ears.until(lambda: shown(ears, scene.symbol()) == (49_994.0, 50_006.0), "the book as it is")


def test_a_line_that_stands_still_is_seen_by_its_age(scene: VenueScene, ears: Ears, stream: Stream) -> None:
    ears.until(shows(scene, ears), "the book")
    scene.stall(2 * STILL_SECONDS)
    ears.clear()
    scene.trade("sell", "49990", "0.01")
    ears.until(lambda: stream.age_seconds > STILL_SECONDS, "an age that grows while the venue is busy")
    assert stream.connected
    assert ears.of(TradeBatch) == []
    assert ears.first(TradeBatch)
    # A stream of several connections is as old as the one that has been still for longest.
    ears.until(lambda: stream.age_seconds < STILL_SECONDS, "an age that is small again")
    assert len(ears.of(Connected)) == 0


def test_what_was_not_asked_for_is_not_told(scene: VenueScene, ears: Ears) -> None:
    wanted = MarketSubscription(scene.symbol("ETH"), book=True, trades=False, mark=False)
    with running(scene.market_stream(ears, wanted)):
        ears.connected()
        scene.trade("buy", "3001", "0.05", coin="ETH")
        ears.first(BookUpdate)
    for kind in (TradeBatch, CandleUpdate, MarkUpdate, BestQuoteUpdate):
        assert ears.of(kind) == []
