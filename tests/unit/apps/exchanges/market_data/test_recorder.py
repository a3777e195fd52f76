from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from apps.exchanges.market_data.cache import MarketWriter
from apps.exchanges.market_data.codec import StoredState
from apps.exchanges.market_data.recorder import MarketRecorder
from apps.exchanges.market_data.wishes import Wanted
from apps.exchanges.ports import BookUpdate, CandleUpdate, Connected, MarkUpdate, TradeBatch
from moondev.domain.market_data import BarSeries, Book, BookLevel, TradeTick
from moondev.domain.values import Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP = 60_000


class ListWriter(MarketWriter):
    """Keeps what would be written; has no server behind it."""

    def __init__(self) -> None:
        super().__init__(client=None)  # type: ignore[arg-type]


def book(bid: float, ask: float, at: datetime = NOW) -> BookUpdate:
    return BookUpdate("BTC", Book((BookLevel(bid, 1.0),), (BookLevel(ask, 1.0),), at, at))


def candle(minute: int, high: float = 101.0) -> CandleUpdate:
    return CandleUpdate("BTC", MINUTE, minute * STEP, 100.0, high, 99.0, 100.5, 3.0, closed=False, time_received=NOW)


@pytest.fixture
def writer() -> ListWriter:
    return ListWriter()


@pytest.fixture
def gaps() -> list[tuple[str, timedelta]]:
    return []


@pytest.fixture
def recorder(writer: ListWriter, gaps: list[tuple[str, timedelta]]) -> MarketRecorder:
    wanted = [Wanted("BTC", "hyperliquid:BTC", ((MINUTE, 100),), 2.0)]
    return MarketRecorder("hyperliquid", wanted, writer, lambda symbol, interval: gaps.append((symbol, interval)))


def kinds(writer: ListWriter) -> list[str]:
    return [event["type"] for event in writer._events]


def test_a_book_becomes_the_instruments_state(recorder: MarketRecorder, writer: ListWriter) -> None:
    recorder.take(book(100.0, 101.0))
    stored = writer.state("hyperliquid:BTC").stored().book()
    assert stored is not None
    assert (stored.bids[0].price, stored.asks[0].price) == (100.0, 101.0)


def test_a_small_move_of_the_book_is_no_news_and_a_large_one_is(recorder: MarketRecorder, writer: ListWriter) -> None:
    recorder.take(book(10_000.0, 10_002.0))
    recorder.take(book(10_001.0, 10_003.0))
    assert kinds(writer) == ["book"]
    recorder.take(book(10_003.0, 10_005.0, NOW + timedelta(seconds=1)))
    assert kinds(writer) == ["book", "book"]


def test_a_closed_bar_is_written_and_told(recorder: MarketRecorder, writer: ListWriter) -> None:
    recorder.take(candle(10))
    recorder.take(candle(11))
    assert writer.state("hyperliquid:BTC").bars == {60: 10 * STEP}
    assert writer._events[0]["id"] == f"bar:hyperliquid:BTC:60:{10 * STEP}"


def test_the_same_candle_twice_makes_one_event(recorder: MarketRecorder, writer: ListWriter) -> None:
    for minute in (10, 11, 10, 11, 11):
        recorder.take(candle(minute))
    assert kinds(writer) == ["bar"]


def test_a_skipped_bar_asks_for_the_missing_ones(
    recorder: MarketRecorder, writer: ListWriter, gaps: list[tuple[str, timedelta]]
) -> None:
    for minute in (10, 11, 14, 15):
        recorder.take(candle(minute))
    assert gaps == [("BTC", MINUTE)]


def test_a_reconnection_asks_for_every_series_and_the_first_connection_for_none(
    recorder: MarketRecorder, gaps: list[tuple[str, timedelta]]
) -> None:
    recorder.take(Connected(None, NOW))
    assert gaps == []
    recorder.take(Connected(NOW, NOW))
    assert gaps == [("BTC", MINUTE)]


def test_data_that_breaks_the_rules_is_counted_and_goes_no_further(
    recorder: MarketRecorder, writer: ListWriter
) -> None:
    recorder.take(candle(10, high=101.0))
    recorder.take(CandleUpdate("BTC", MINUTE, 10 * STEP + 7, 1.0, 1.0, 1.0, 1.0, 1.0, closed=False, time_received=NOW))
    assert recorder.refused == 1
    assert kinds(writer) == []


def test_data_nobody_asked_for_is_let_go(recorder: MarketRecorder, writer: ListWriter) -> None:
    recorder.take(MarkUpdate("DOGE", 1.0, 1.0, 0.0, NOW))
    assert not writer.dirty


def test_an_overdue_bar_is_closed_by_the_clock(recorder: MarketRecorder, writer: ListWriter) -> None:
    recorder.take(candle(10))
    recorder.close_due(datetime.fromtimestamp(11 * 60 + 1, tz=UTC))
    assert kinds(writer) == []
    recorder.close_due(datetime.fromtimestamp(11 * 60 + 2, tz=UTC))
    assert kinds(writer) == ["bar"]


def test_a_backfill_tells_of_the_newest_bar_that_closed_while_nobody_listened(
    recorder: MarketRecorder, writer: ListWriter
) -> None:
    column = np.full(3, 100.0)
    stamps = np.array([8, 9, 10], dtype=np.int64) * STEP
    history = BarSeries(MINUTE, stamps, column, column, column, column, column)
    recorder.backfill("BTC", history, datetime.fromtimestamp(10 * 60 + 30, tz=UTC))
    assert [event["id"] for event in writer._events] == [f"bar:hyperliquid:BTC:60:{9 * STEP}"]


def test_the_age_of_every_book_is_known_and_a_symbol_without_one_has_none(
    recorder: MarketRecorder, writer: ListWriter
) -> None:
    assert recorder.book_ages(NOW) == {}
    recorder.take(book(100.0, 101.0))
    assert recorder.book_ages(NOW + timedelta(seconds=3)) == {"BTC": 3.0}
    # Whoever stamps the book may be ahead of us.
    assert recorder.book_ages(NOW - timedelta(seconds=3)) == {"BTC": 0.0}


def test_trades_are_put_up_each_and_only_of_what_is_wanted(recorder: MarketRecorder, writer: ListWriter) -> None:
    ticks = tuple(TradeTick("BTC", str(number), Side.BUY, 100.0, 1.0, NOW, NOW) for number in range(3))
    recorder.take(TradeBatch("BTC", ticks))
    recorder.take(TradeBatch("DOGE", ticks))
    assert list(writer.take().trades) == list(ticks)


def test_of_many_books_between_two_writes_the_newest_is_written_once(
    recorder: MarketRecorder, writer: ListWriter
) -> None:
    for step in range(50):
        recorder.take(book(100.0 + step, 200.0))
    (command,) = [command for command in writer.take().commands if command[0] == "MSET"]
    assert command[1::2] == ("md:state:hyperliquid:BTC",)
    assert msgspec.msgpack.decode(command[2], type=StoredState).bids == [(149.0, 1.0)]
