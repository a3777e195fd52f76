"""Relayed messages: differences are followed, holes are noticed, nonsense is counted and never becomes a price."""

from __future__ import annotations

from decimal import Decimal
from math import inf, nan
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.relay.dialects import DIALECTS
from apps.exchanges.mock.relay.dialects.bybit import Bybit
from apps.exchanges.mock.relay.dialects.dydx import Dydx
from apps.exchanges.mock.relay.dialects.phemex import Phemex
from apps.exchanges.mock.relay.feed import RelayFeed
from apps.exchanges.mock.relay.opening import source_named
from apps.exchanges.mock.relay.seen import BookSeen, GapError, MarkSeen, Seen, TradeSeen
from apps.exchanges.mock.relay.source import Source
from moondev.domain.clock import FixedClock, from_milliseconds
from moondev.domain.errors import InvalidValue

D = Decimal
SPEC = InstrumentSpec("BTC", 0, 5, 50, sig_figs=20)
texts = st.sampled_from(
    [
        "BTC",
        "BTCUSDT",
        "BTC-USD",
        "l2Book",
        "trades",
        "snapshot",
        "delta",
        "depthUpdate",
        "v4_orderbook",
        "1",
        "-1",
        "x",
    ]
)
keys = st.sampled_from(
    [
        *("channel", "data", "topic", "type", "e", "s", "b", "a", "u", "symbol", "contents", "id", "message_id"),
        *("method", "orderbook_p", "trades_p", "bids", "asks", "fields", "levels", "coin", "ctx", "markets", "trades"),
    ]
)
leaves = st.one_of(texts, st.none(), st.booleans(), st.integers(-5, 5), st.floats())
nodes = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


def bybit(kind: str, number: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return {"topic": "orderbook.50.BTCUSDT", "type": kind, "data": {"b": bids, "a": asks, "u": number}}


def test_follows_differences_and_notices_a_number_left_out() -> None:
    dialect = Bybit(("BTC",))
    dialect.read(bybit("snapshot", 7, [["100", "1"], ["99", "2"]], [["101", "1"]]))
    [book] = dialect.read(bybit("delta", 8, [["100", "0"], ["98", "3"]], [["101", "5"]]))
    assert book == BookSeen("BTC", {99.0: 2.0, 98.0: 3.0}, {101.0: 5.0})
    with pytest.raises(GapError, match="10 after 8"):
        dialect.read(bybit("delta", 10, [], []))


def test_a_difference_before_its_book_is_a_hole() -> None:
    with pytest.raises(GapError):
        Bybit(("BTC",)).read(bybit("delta", 8, [["100", "1"]], []))
    with pytest.raises(GapError):
        Phemex(("BTC",)).read({"symbol": "BTCUSDT", "type": "incremental", "orderbook_p": {"bids": [], "asks": []}})


def test_a_fresher_price_of_dydx_drops_what_stands_against_it() -> None:
    dialect = Dydx(("BTC",))
    rows = {"bids": [{"price": "100", "size": "1"}], "asks": [{"price": "101", "size": "1"}]}
    head = {"channel": "v4_orderbook", "id": "BTC-USD"}
    dialect.read({"type": "subscribed", "message_id": 1, "contents": rows, **head})
    [book] = dialect.read({"type": "channel_data", "message_id": 2, "contents": {"bids": [["102", "4"]]}, **head})
    assert book == BookSeen("BTC", {100.0: 1.0, 102.0: 4.0}, {})
    with pytest.raises(GapError, match="4 after 2"):
        dialect.read({"type": "channel_data", "message_id": 4, "contents": {}, **head})


@pytest.mark.parametrize("venue", sorted(DIALECTS))
def test_says_hello_in_json_and_speaks_of_the_coins_it_was_given(venue: str) -> None:
    dialect = DIALECTS[venue](("BTC", "ETH"))
    sent = orjson.dumps(dialect.requests()).decode()
    assert dialect.address.startswith("wss://")
    assert "BTC" in sent.upper()
    assert "ETH" in sent.upper()
    assert dialect.ping is None or orjson.dumps(dialect.ping)


@given(venue=st.sampled_from(sorted(DIALECTS)), messages=st.lists(nodes, max_size=4))
def test_nonsense_is_counted_and_never_fatal(venue: str, messages: list[Any]) -> None:
    source, told = Source(venue, ("BTC",)), list[Seen]()
    source.follow(told.append)
    dialect = DIALECTS[venue](("BTC",))
    for message in messages:
        try:
            source._take(dialect, orjson.dumps(message, option=orjson.OPT_NON_STR_KEYS))
        except GapError:
            return
    for frame in (b"{", b"", b"\xff", "nonsense"):
        before = source.unreadable
        source._take(dialect, frame)
        assert source.unreadable == before + 1


def relayed() -> tuple[Exchange, Source]:
    source, clock = Source("bybit", ("BTC",)), FixedClock(from_milliseconds(1_772_452_800_000))
    exchange = Exchange([SPEC], clock, {"BTC": D(100)})
    exchange.attach(RelayFeed(source))
    return exchange, source


@given(
    price=st.sampled_from([nan, inf, -inf, 0.0, -1.0, 1e-12]), size=st.sampled_from([nan, inf, 0.0, -2.0, 1e-12, 1.0])
)
def test_no_price_or_size_that_is_none_reaches_the_market(price: float, size: float) -> None:
    exchange, source = relayed()
    tell(source, BookSeen("BTC", {99.0: 1.0}, {101.0: 1.0}), MarkSeen("BTC", 100.5, 100.0))
    exchange.tick(exchange._clock.now())
    before = (exchange.book("BTC"), exchange.mark("BTC"))
    tell(source, TradeSeen("BTC", price, size, is_buy=True), MarkSeen("BTC", nan, 100.0), MarkSeen("BTC", -1.0, 100.0))
    tell(source, BookSeen("BTC", {price: size, 99.0: 1.0}, {101.0: 1.0}), TradeSeen("DOGE", 1.0, 1.0, is_buy=True))
    exchange.tick(exchange._clock.now())
    assert (exchange.book("BTC").asks, exchange.mark("BTC")) == (before[0].asks, before[1])
    assert exchange.book("BTC").bids[0].price == D(99)


def tell(source: Source, *news: Seen) -> None:
    for one in news:
        for hear in source._followers:
            hear(one)


def test_a_crossed_book_is_not_shown_and_a_pause_leaves_trades_out() -> None:
    exchange, source = relayed()
    tell(source, BookSeen("BTC", {99.0: 1.0}, {101.0: 1.0}))
    exchange.tick(exchange._clock.now())
    tell(source, BookSeen("BTC", {102.0: 1.0}, {101.0: 1.0}))
    exchange.tick(exchange._clock.now())
    assert exchange.book("BTC").bids[0].price == D(99)
    exchange.pause_feed()
    tell(source, TradeSeen("BTC", 101.0, 1.0, is_buy=True), BookSeen("BTC", {98.0: 1.0}, {100.0: 1.0}))
    exchange.tick(exchange._clock.now())
    assert exchange.book("BTC").bids[0].price == D(99)
    exchange.resume_feed()
    assert exchange.book("BTC").asks[0].price == D(100)
    assert exchange.trades("BTC") == []


@pytest.mark.parametrize("text", ["relay:kraken", "relay:", "relay:bybit@http://somewhere"])
def test_refuses_a_source_it_cannot_know(text: str) -> None:
    with pytest.raises(InvalidValue, match="feed"):
        source_named(text, ("BTC",))
