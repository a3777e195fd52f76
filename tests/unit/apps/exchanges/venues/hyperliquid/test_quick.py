"""The quick way of reading says what the slow way says, and nothing that was bent on the way passes for a price."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.exchanges.ports import (
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    Environment,
    MarketSubscription,
    MarkUpdate,
    TradeBatch,
    VenueConfig,
)
from apps.exchanges.venues.hyperliquid.quick import UNREAD
from apps.exchanges.venues.hyperliquid.stream import HyperliquidDialect, market_stream
from moondev.domain.clock import FixedClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VENUE = VenueConfig("hyperliquid", "hyperliquid", Environment.PAPER, "http://127.0.0.1:1", "ws://127.0.0.1:1/ws")
LEVELS = [[{"px": "99.5", "sz": "1.5", "n": 2}, {"px": "99", "sz": "3", "n": 1}], [{"px": "100.25", "sz": "2", "n": 1}]]
CONTEXT = {"funding": "-0.00001", "oraclePx": "100.1", "markPx": "100.2", "openInterest": "5"}
TRADE = {"coin": "BTC", "side": "A", "px": "100.5", "sz": "0.25", "time": 1_764_160_000_000, "tid": 12, "hash": "0x0"}
CANDLE = {
    "t": 1_764_160_020_000,
    "T": 1,
    "s": "BTC",
    "i": "1m",
    "o": "1",
    "c": "2",
    "h": "3",
    "l": "0.5",
    "v": "9",
    "n": 1,
}
DATA: dict[str, object] = {
    "l2Book": {"coin": "BTC", "time": 1_764_160_000_000, "levels": LEVELS},
    "bbo": {"coin": "BTC", "time": 1_764_160_000_000, "bbo": [LEVELS[0][0], None]},
    "trades": [TRADE, TRADE | {"tid": 13, "time": 1_764_159_999_000}],
    "candle": CANDLE,
    "activeAssetCtx": {"coin": "BTC", "ctx": CONTEXT},
}
MESSAGES = [msgspec.json.encode({"channel": channel, "data": data}) for channel, data in DATA.items()]


class Heard:
    """A dialect and what it has told."""

    def __init__(self) -> None:
        self.events: list[object] = []
        stream = market_stream(VENUE, [MarketSubscription("BTC")], self.events.append, FixedClock(NOW))
        self.dialect: HyperliquidDialect = stream._dialect

    def read(self, message: bytes) -> list[object]:
        self.events.clear()
        self.dialect.read(message, NOW)
        return list(self.events)


@pytest.mark.parametrize("message", MESSAGES, ids=list(DATA))
def test_both_ways_say_the_same(message: bytes) -> None:
    heard = Heard()
    quick = heard.dialect._quick.read(message, NOW)
    assert quick is not UNREAD
    assert heard.dialect._slowly(message, NOW) == quick
    assert heard.read(message) == [quick]


def test_the_fields_may_come_in_any_order() -> None:
    for channel, data in DATA.items():
        (event,) = Heard().read(msgspec.json.encode({"data": data, "channel": channel}))
        assert [event] == Heard().read(msgspec.json.encode({"channel": channel, "data": data}))


@pytest.mark.parametrize(
    "bent",
    [
        b'{"channel":"l2Book","data":{"coin":"BTC","time":1,"levels":[[{"px":"nan","sz":"1"}],[]]}}',
        b'{"channel":"l2Book","data":{"coin":"BTC","time":1,"levels":[[{"px":"-1","sz":"1"}],[]]}}',
        b'{"channel":"l2Book","data":{"coin":"BTC","time":1,"levels":[[{"px":"1e999","sz":"1"}],[]]}}',
        b'{"channel":"l2Book","data":{"coin":"BTC","time":1,"levels":[[{"px":"1_0","sz":"1"}],[]]}}',
        b'{"channel":"l2Book","data":{"coin":"BTC","time":1,"levels":[[{"px":true,"sz":"1"}],[]]}}',
        b'{"channel":"l2Book","data":{"coin":"BTC","time":1e300,"levels":[[],[]]}}',
        b'{"channel":"l2Book","data":{"coin":"BTC","time":1}}',
        b'{"channel":"trades","data":[{"coin":"BTC","side":"X","px":"1","sz":"1","time":1,"tid":1}]}',
        b'{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"0","sz":"1","time":1,"tid":1}]}',
        b'{"channel":"candle","data":{"t":1,"s":"BTC","i":"7m","o":"1","c":"1","h":"1","l":"1","v":"1"}}',
        b'{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"oraclePx":"1","funding":"inf"}}}',
        b'{"channel":"nonsense","data":{}}',
        b'{"channel":5}',
        b"[]",
        b"",
        b"\xff\xfe",
    ],
)
def test_what_is_not_as_it_should_be_is_counted_and_gives_no_event(bent: bytes) -> None:
    heard = Heard()
    assert heard.read(bent) == []
    assert heard.dialect.unreadable == 1


def numbers(event: object) -> list[float]:
    """Return every price of an event."""
    match event:
        case BookUpdate():
            return [level.price for level in (*event.book.bids, *event.book.asks)]
        case BestQuoteUpdate():
            return [level.price for level in (event.bid, event.ask) if level is not None]
        case TradeBatch():
            return [trade.price for trade in event.trades]
        case CandleUpdate():
            return [event.open, event.high, event.low, event.close]
        case MarkUpdate():
            return [event.mark_price, event.oracle_price]
    raise AssertionError(event)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(MESSAGES), st.integers(0, 400), st.binary(max_size=4), st.integers(0, 4))
def test_bytes_that_were_cut_or_changed_never_raise_and_never_give_a_price_that_cannot_be(
    message: bytes, place: int, put: bytes, taken: int
) -> None:
    heard = Heard()
    for event in heard.read(message[:place] + put + message[place + taken :]):
        assert all(0 < number < math.inf for number in numbers(event))
    assert [type(event) for event in heard.read(message)] == [type(event) for event in Heard().read(message)]
