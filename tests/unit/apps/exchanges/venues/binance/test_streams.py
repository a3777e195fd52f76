"""Messages of the streams as events: the venue's own transcripts, and hostile ones that cost nothing but a count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import (
    BalanceBatch,
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    Connected,
    Credentials,
    Disconnected,
    Environment,
    MarketSubscription,
    MarkUpdate,
    OrderBatch,
    PositionBatch,
    Refused,
    TradeBatch,
    VenueConfig,
)
from apps.exchanges.venues.binance.dialects import PING, StreamDialect
from apps.exchanges.venues.binance.stream import STREAMS_PER_CONNECTION, BookDialect, market_stream
from apps.exchanges.venues.binance.together import _States
from apps.exchanges.venues.binance.user_stream import user_stream
from apps.exchanges.venues.websocket import ConnectionSpent, SubscriptionRefused
from moondev.domain.clock import LiveClock
from moondev.domain.errors import Configuration, InvalidValue
from moondev.domain.fills import FillKind, Liquidity
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.domain.values import Side
from tests.unit.apps.exchanges.venues.binance import recordings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = UUID("6f0f2f0e-6d0c-5b57-9a52-6d6f6f6e6465")
VENUE = VenueConfig(
    "here", "binance", Environment.PAPER, "http://127.0.0.1:1/binance", "ws://127.0.0.1:1/binance/fstream"
)
recorded = pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)

ORDER = {
    "s": "BTCUSDT", "c": str(NAME), "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.02", "p": "50000", "x": "TRADE",
    "X": "PARTIALLY_FILLED", "i": 7, "l": "0.01", "z": "0.01", "L": "49999.9", "n": "0.25", "N": "USDT", "T": 1_000,
    "t": 9, "m": True, "R": False,
}  # fmt: skip
DEPTH = {"e": "depthUpdate", "E": 1, "T": 1, "s": "BTCUSDT", "U": 1, "u": 2, "pu": 0, "b": [["1", "1"]], "a": []}


class Listener:
    """Hears what a dialect hands on."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def __call__(self, event: object) -> None:
        self.events.append(event)

    def take(self) -> list[Any]:
        taken, self.events = self.events, []
        return taken


@pytest.fixture
def heard() -> Listener:
    return Listener()


def market_dialects(heard: Listener) -> list[StreamDialect]:
    wanted = MarketSubscription("BTCUSDT", (timedelta(minutes=1),), best_quote=True)
    stream = market_stream(VENUE, [wanted], heard, Tools(LiveClock()))
    dialects = [dialect for dialect in stream._dialects if isinstance(dialect, StreamDialect)]
    (hours,) = [one.__self__ for one in stream._work if getattr(one, "__self__", None) is not None]
    hours._hours = {"BTCUSDT": 4}
    return dialects


def user_dialect(heard: Listener) -> StreamDialect:
    stream = user_stream(VENUE, Credentials("a", "key:secret"), heard, Tools(LiveClock()))
    assert isinstance(stream._dialect, StreamDialect)
    return stream._dialect


def told(dialect: StreamDialect, message: object) -> None:
    dialect.read(msgspec.json.encode(message), NOW)


def order_reports(heard: Listener) -> list[OrderReport]:
    return [report for batch in heard.take() if isinstance(batch, OrderBatch) for report in batch.reports]


@recorded
def test_the_venue_s_own_examples_of_public_messages_become_events(heard: Listener) -> None:
    books, others = market_dialects(heard)
    for name, kind in (("AggTrades", TradeBatch), ("Klines", CandleUpdate), ("MarkPrice", MarkUpdate)):
        told(others, recordings.pushed(name))
        (event,) = heard.take()
        assert isinstance(event, kind)
        assert event.symbol == "BTCUSDT"
    told(books, recordings.pushed("BookTicker"))
    (quote,) = heard.take()
    assert isinstance(quote, BestQuoteUpdate)
    assert quote.bid is not None
    assert quote.bid.price == 25.3519
    # A difference without a snapshot is nobody's book yet.
    told(books, recordings.pushed("Book"))
    assert heard.take() == []
    assert (books.unreadable, others.unreadable) == (0, 0)


@recorded
def test_the_venue_s_own_examples_of_private_messages_become_events(heard: Listener) -> None:
    dialect = user_dialect(heard)
    told(dialect, recordings.pushed("AccountUpdate"))
    positions, balances = heard.take()
    assert isinstance(positions, PositionBatch)
    # Of the example's three positions two are those of hedge mode.
    assert [(news.symbol, news.quantity.value) for news in positions.positions] == [("BTCUSDT", Decimal(0))]
    assert isinstance(balances, BalanceBatch)
    assert [news.currency for news in balances.balances] == ["USDT", "BUSD"]
    told(dialect, recordings.pushed("OrderUpdate"))
    (report,) = order_reports(heard)
    assert (report.venue_order_id, report.status, report.fills) == ("8886774", OrderStatus.OPEN, ())
    told(dialect, recordings.pushed("AlgoOrderUpdate"))
    (report,) = order_reports(heard)
    assert (report.venue_order_id, report.status) == ("algo:2148719", OrderStatus.CANCELLED)
    for name in ("TradeUpdate", "Leverage", "MarginUpdate", "StrategyUpdate", "GridUpdate", "ConditionalTrigger"):
        told(dialect, recordings.pushed(name))
    assert heard.take() == []
    assert dialect.unreadable == 0


def test_a_trade_comes_with_the_order_it_belongs_to(heard: Listener) -> None:
    dialect = user_dialect(heard)
    told(dialect, {"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": ORDER})
    (report,) = order_reports(heard)
    (fill,) = report.fills
    assert (report.client_order_id, report.venue_order_id, report.status) == (NAME, "7", OrderStatus.PARTIALLY_FILLED)
    assert (fill.venue_trade_id, fill.side, fill.price.value) == ("BTCUSDT-7-9", Side.BUY, Decimal("49999.9"))
    assert (fill.fee.value, fill.fee.currency, fill.liquidity) == (Decimal("0.25"), "USDT", Liquidity.MAKER)
    assert fill.kind is FillKind.ORDER
    assert report.filled_quantity == fill.quantity
    # Without a fee the venue leaves its fields out.
    free = {key: value for key, value in ORDER.items() if key not in {"n", "N"}}
    told(dialect, {"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": free})
    assert order_reports(heard)[0].fills[0].fee.value == 0


@pytest.mark.parametrize(
    ("name", "execution", "kind"),
    [
        ("autoclose-123", "TRADE", FillKind.LIQUIDATION),
        ("web_1", "CALCULATED", FillKind.LIQUIDATION),
        ("adl_autoclose", "TRADE", FillKind.DELEVERAGING),
    ],
)
def test_what_the_venue_does_to_us_is_told_apart(heard: Listener, name: str, execution: str, kind: FillKind) -> None:
    told(user_dialect(heard), {"e": "ORDER_TRADE_UPDATE", "o": {**ORDER, "c": name, "x": execution, "X": "NEW_ADL"}})
    (report,) = order_reports(heard)
    assert (report.client_order_id, report.fills[0].kind) == (None, kind)


def test_a_conditional_order_hands_over_to_the_ordinary_one_it_becomes(heard: Listener) -> None:
    dialect = user_dialect(heard)

    def algo(status: str, **more: object) -> list[OrderReport]:
        order = {"caid": str(NAME), "aid": 3, "s": "BTCUSDT", "X": status, "ai": "", **more}
        told(dialect, {"e": "ALGO_UPDATE", "T": 1_000, "E": 1_000, "o": order})
        return order_reports(heard)

    (waits,) = algo("NEW")
    assert (waits.venue_order_id, waits.status, waits.triggered) == (None, OrderStatus.OPEN, False)
    (released,) = algo("TRIGGERED", ai="77")
    assert (released.venue_order_id, released.status, released.triggered) == ("77", None, True)
    # How it ends, the ordinary order says; and before it has an id there is nothing to hand over to.
    assert algo("FINISHED", ai="77") == []
    assert algo("TRIGGERING") == []
    (refused,) = algo("REJECTED", rm="margin")
    assert (refused.status, refused.reason) == (OrderStatus.REJECTED, "margin")
    (ended,) = algo("EXPIRED")
    assert (ended.status, ended.venue_order_id) == (OrderStatus.EXPIRED, None)
    assert algo("PUZZLED") == []
    assert dialect.unreadable == 1


def test_a_key_that_expired_ends_the_connection(heard: Listener) -> None:
    with pytest.raises(ConnectionSpent):
        told(user_dialect(heard), {"e": "listenKeyExpired", "E": 1, "listenKey": "x"})


def test_the_opening_asks_in_few_messages_and_stands_when_all_are_answered(heard: Listener) -> None:
    streams = [f"s{number}@depth@100ms" for number in range(450)]
    dialect = StreamDialect(streams, {}, heard)
    *asked, ping = [json.loads(message) for message in dialect.opening()]
    assert [len(message["params"]) for message in asked] == [200, 200, 50]
    assert [name for message in asked for name in message["params"]] == streams
    assert msgspec.json.encode(ping) == PING == dialect.ping()
    for message in asked:
        assert not dialect.read(msgspec.json.encode({"result": None, "id": message["id"]}), NOW)
    assert dialect.read(b'{"id":0,"result":[]}', NOW)
    with pytest.raises(SubscriptionRefused, match="nonsense"):
        told(dialect, {"error": {"code": 2, "msg": "nonsense"}, "id": 1})
    dialect.opening()
    assert not dialect.standing


def test_snapshots_are_wanted_once_the_differences_flow_and_not_before(heard: Listener) -> None:
    books, _ = market_dialects(heard)
    assert isinstance(books, BookDialect)
    books.opening()
    assert books._snapshots._wanted == {}
    books.read(b'{"id":1,"result":null}', NOW)
    assert books._snapshots._wanted == {}
    assert books.read(b'{"id":0,"result":[]}', NOW)
    assert list(books._snapshots._wanted) == ["BTCUSDT"]
    books._snapshots._wanted.clear()
    # The answer to a later ping is no new beginning.
    books.read(b'{"id":0,"result":[]}', NOW)
    assert books._snapshots._wanted == {}


def test_more_streams_than_fit_one_connection_take_several(heard: Listener) -> None:
    wanted = [MarketSubscription(f"C{number}USDT") for number in range(STREAMS_PER_CONNECTION + 1)]
    stream = market_stream(VENUE, wanted, heard, Tools(LiveClock()))
    assert [type(dialect) is BookDialect for dialect in stream._dialects] == [True, True, False, False, False]
    with pytest.raises(InvalidValue, match="at least one"):
        market_stream(VENUE, [], heard, Tools(LiveClock()))


def test_a_rate_is_told_by_the_hour_and_not_before_the_interval_is_known(heard: Listener) -> None:
    _, others = market_dialects(heard)
    message = {"e": "markPriceUpdate", "E": 1, "s": "BTCUSDT", "p": "50000", "i": "49999", "r": "0.0004", "T": 2}
    told(others, message)
    told(others, {**message, "s": "ETHUSDT"})
    first, second = heard.take()
    # Four hours where the venue names the symbol, eight where it does not.
    assert (first.funding_rate, second.funding_rate) == (0.0001, 0.00005)
    wanted = MarketSubscription("BTCUSDT", book=False, trades=False)
    stream = market_stream(VENUE, [wanted], heard, Tools(LiveClock()))
    (dialect,) = stream._dialects
    assert isinstance(dialect, StreamDialect)
    told(dialect, message)
    assert (heard.take(), dialect.unreadable) == ([], 0)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b'{"e":"depthUpdate"',
        b'{"e":"depthUpdate"}',
        b'{"e":',
        b'{"e":"',
        b'{"e":"unheardOf","s":"BTCUSDT"}',
        b'{"result":null}',
        b'{"id":"x"}',
        json.dumps({**DEPTH, "s": "ETHUSDT"}).encode(),
        json.dumps({**DEPTH, "b": [["1"]]}).encode(),
        json.dumps({**DEPTH, "b": [[1, 1]]}).encode(),
        json.dumps({**DEPTH, "u": "2"}).encode(),
        b'{"e":"bookTicker","s":"BTCUSDT","T":1,"b":"2","B":"1","a":"1","A":"1"}',
        b'{"e":"bookTicker","s":"BTCUSDT","T":1,"b":"NaN","B":"1","a":"3","A":"1"}',
        b'{"e":"bookTicker","s":"BTCUSDT","T":99999999999999999,"b":"1","B":"1","a":"3","A":"1"}',
    ],
)
def test_odd_messages_are_counted_and_give_nothing(heard: Listener, message: bytes) -> None:
    books, _ = market_dialects(heard)
    books.read(message, NOW)
    assert heard.take() == []
    assert books.unreadable == 1


def test_a_side_without_quotes_is_told_as_empty(heard: Listener) -> None:
    books, _ = market_dialects(heard)
    told(books, {"e": "bookTicker", "s": "BTCUSDT", "T": 1, "b": "0", "B": "0", "a": "3", "A": "1"})
    (quote,) = heard.take()
    assert (quote.bid, quote.ask.price) == (None, 3.0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
SAMPLES: list[dict[str, Any]] = [
    DEPTH,
    {"e": "aggTrade", "E": 1, "s": "BTCUSDT", "a": 1, "p": "1", "q": "1", "f": 1, "l": 1, "T": 1, "m": True},
    {"e": "bookTicker", "u": 1, "E": 1, "T": 1, "s": "BTCUSDT", "b": "1", "B": "1", "a": "2", "A": "1"},
    {"e": "markPriceUpdate", "E": 1, "s": "BTCUSDT", "p": "1", "i": "1", "r": "0.1", "T": 1},
    {"e": "kline", "E": 1, "s": "BTCUSDT",
     "k": {"t": 0, "T": 1, "s": "BTCUSDT", "i": "1m", "o": "1", "c": "1", "h": "1", "l": "1", "v": "1", "x": False}},
    {"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": ORDER},
    {"e": "ALGO_UPDATE", "E": 1, "T": 1, "o": {"caid": "x", "aid": 1, "s": "B", "X": "NEW", "ai": ""}},
    {"e": "ACCOUNT_UPDATE", "E": 1, "T": 1,
     "a": {"B": [{"a": "USDT", "wb": "1"}], "P": [{"s": "BTCUSDT", "pa": "1", "ps": "BOTH"}]}},
    {"result": None, "id": 1},
]  # fmt: skip


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _paths(item, (*path, place))


def _changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = _changed(value[path[0]], path[1:], new)
    return copied


@cache
def _fuzzed() -> tuple[Listener, tuple[StreamDialect, ...]]:
    """Return dialects to be fuzzed, built once: behind each stands a whole ccxt."""
    heard = Listener()
    return heard, (*market_dialects(heard), user_dialect(heard))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_wrong_with_a_message_it_ends_nothing_and_makes_up_no_price(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(SAMPLES))
    path = data.draw(st.sampled_from(list(_paths(sample))))
    text = json.dumps(_changed(sample, path, data.draw(JSON))).encode(errors="surrogatepass")
    text = text[: data.draw(st.integers(0, len(text)))] if data.draw(st.booleans()) else text
    heard, dialects = _fuzzed()
    for dialect in dialects:
        before = dialect.unreadable
        try:
            dialect.read(text, NOW)
        except SubscriptionRefused:
            continue
        assert dialect.unreadable - before in {0, 1}
    for event in heard.take():
        assert _prices_are_sound(event), event


def _prices_are_sound(event: object) -> bool:
    if isinstance(event, TradeBatch):
        return all(0 < trade.price < float("inf") and trade.size >= 0 for trade in event.trades)
    if isinstance(event, CandleUpdate):
        return all(0 < price < float("inf") for price in (event.open, event.high, event.low, event.close))
    if isinstance(event, MarkUpdate):
        return 0 < event.mark_price < float("inf") and 0 < event.oracle_price < float("inf")
    if isinstance(event, BestQuoteUpdate):
        return event.bid is None or event.ask is None or 0 < event.bid.price < event.ask.price
    # No snapshot came, so there is no book to be told.
    return not isinstance(event, BookUpdate)


def test_several_connections_are_up_together_and_down_with_the_first() -> None:
    heard = Listener()
    states = _States(2, heard)
    states.heard(0, Connected(None, NOW))
    assert heard.take() == []
    states.heard(1, Connected(None, NOW))
    assert heard.take() == [Connected(None, NOW)]
    states.heard(0, Disconnected("cut", NOW))
    states.heard(1, Disconnected("cut too", NOW))
    assert heard.take() == [Disconnected("cut", NOW)]
    early, late = NOW - timedelta(seconds=9), NOW - timedelta(seconds=3)
    states.heard(1, Connected(early, NOW))
    states.heard(0, Connected(late, NOW))
    # Since the first of them fell silent.
    assert heard.take() == [Connected(early, NOW)]
    states.heard(1, Refused("no", NOW))
    assert heard.take() == [Refused("no", NOW)]


def test_what_was_missed_before_all_were_up_once_is_everything() -> None:
    heard = Listener()
    states = _States(2, heard)
    states.heard(0, Connected(None, NOW))
    states.heard(0, Disconnected("cut", NOW))
    states.heard(0, Connected(NOW, NOW))
    states.heard(1, Connected(None, NOW))
    assert heard.take() == [Connected(None, NOW)]


@pytest.mark.parametrize(
    ("environment", "rest", "socket", "words"),
    [
        ("paper", "https://fapi.binance.com", "ws://127.0.0.1:1", "must name the mock"),
        ("paper", "http://127.0.0.1:1", "wss://fstream.binance.com", "must name the mock"),
        ("paper", "http://127.0.0.1:1", "wss://FSTREAM.BINANCEFUTURE.com", "must name the mock"),
        ("paper", "https://demo-fapi.binance.com", "ws://127.0.0.1:1", "must name the mock"),
        ("live", "https://demo-fapi.binance.com", "wss://fstream.binance.com", "live environment is at"),
        ("live", "https://fapi.binance.com", "wss://fstream.binancefuture.com", "live environment is at"),
        ("live", "http://fapi.binance.com", "wss://fstream.binance.com", "must start with https"),
        ("testnet", "https://fapi.binance.com", "wss://fstream.binancefuture.com", "testnet environment is at"),
        ("testnet", "https://demo-fapi.binance.com", "ws://fstream.binancefuture.com", "must start with wss"),
        ("paper", "ftp://127.0.0.1", "ws://127.0.0.1:1", "starts with http or https"),
        ("paper", "http://127.0.0.1:1", "nonsense", "starts with ws or wss"),
    ],
)
def test_an_address_of_another_world_is_refused(environment: str, rest: str, socket: str, words: str) -> None:
    venue = VenueConfig("here", "binance", Environment(environment), rest, socket)
    with pytest.raises(Configuration, match=words):
        user_stream(venue, Credentials("a", "key:secret"), Listener(), Tools(LiveClock()))


def test_a_key_that_is_no_pair_is_refused_without_a_word_of_it() -> None:
    with pytest.raises(Configuration) as caught:
        user_stream(VENUE, Credentials("a", "hushhush"), Listener(), Tools(LiveClock()))
    assert "hushhush" not in str(caught.value)
