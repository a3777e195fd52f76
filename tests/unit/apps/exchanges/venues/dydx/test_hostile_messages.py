"""Frames nobody would send: counted, told of, never fatal, and never a number that the frame did not say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.exchanges.ports import (
    BookUpdate,
    CandleUpdate,
    FillBatch,
    MarketSubscription,
    MarkUpdate,
    ParseError,
    TradeBatch,
)
from apps.exchanges.throttling import Unlimited
from apps.exchanges.venues.dydx import parse, parse_account, parse_market
from apps.exchanges.venues.dydx.judging import Judge
from apps.exchanges.venues.dydx.stream import MarketDialect
from apps.exchanges.venues.dydx.user_stream import AccountDialect
from apps.exchanges.venues.websocket import ConnectionSpent, SubscriptionRefused
from moondev.domain.errors import TradingError
from tests.unit.apps.exchanges.venues.dydx.rows import (
    ADDRESS,
    CANDLE,
    FILL,
    FUNDING,
    MARKET,
    ORDER,
    POSITION,
    TRADE,
    account,
)
from tests.unit.apps.exchanges.venues.dydx.test_stream import Owner

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TICKER, ACCOUNT = "BTC-USD", f"{ADDRESS}/0"
BOOK = {"bids": [{"price": "100", "size": "1"}], "asks": [{"price": "101", "size": "3"}]}
DIFFERENCE = {"bids": [["100", "0"], ["99.5", "2"]], "asks": [["101.5", "1"]]}
NEWS = {"orders": [ORDER], "fills": [FILL], "perpetualPositions": [POSITION], "blockHeight": "5"}

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NASTY = st.sampled_from(
    ["", "NaN", "Infinity", "-1", "1e999", "0x10", "\uff11", "1_000", " 1", None, 1, 1.5, True, [], {}, "9" * 400]
)


def whole(channel: str, name: str, kind: str, contents: Any) -> dict[str, Any]:
    return {"type": kind, "connection_id": "c", "message_id": 0, "channel": channel, "id": name, "contents": contents}


MARKET_MESSAGES = [
    whole("v4_orderbook", TICKER, "subscribed", BOOK),
    whole("v4_orderbook", TICKER, "channel_data", DIFFERENCE),
    whole("v4_trades", TICKER, "channel_data", {"trades": [TRADE]}),
    whole("v4_candles", f"{TICKER}/1MIN", "channel_data", CANDLE),
    whole("v4_markets", "v4_markets", "subscribed", {"markets": {TICKER: MARKET}}),
    whole("v4_markets", "v4_markets", "channel_data", {"oraclePrices": {TICKER: {"oraclePrice": "5"}}}),
    whole("v4_block_height", "v4_block_height", "channel_data", {"blockHeight": "5"}),
]
ACCOUNT_MESSAGES = [
    whole("v4_subaccounts", ACCOUNT, "subscribed", {"subaccount": account("1", POSITION), "orders": [ORDER]}),
    whole("v4_subaccounts", ACCOUNT, "channel_data", NEWS),
]
JUDGE = Judge(Unlimited())
ANSWERS: list[tuple[Any, Callable[[str], object]]] = [
    ([ORDER], lambda text: parse.open_orders(text, lambda _: None)),
    ([ORDER], lambda text: parse.named_orders(text, ADDRESS)),
    ({"fills": [FILL]}, lambda text: parse.fills(text, lambda _: None, NOW)),
    ({"fundingPayments": [FUNDING]}, lambda text: parse_account.funding_payments(text, NOW)),
    ({"subaccount": account("-14000", POSITION)}, lambda text: parse_account.account_snapshot(text, {}, NOW)),
    ({"markets": {TICKER: MARKET}}, lambda text: parse_market.markets(text, "dydx")),
    ({"markets": {TICKER: MARKET}}, parse_market.marks),
    (BOOK, lambda text: parse_market.book(text, NOW)),
    ({"trades": [TRADE]}, lambda text: parse_market.trades(TICKER, text, NOW)),
    ({"candles": [CANDLE]}, lambda text: parse_market.candle_rows(text, MINUTE)),
    ({"historicalFunding": [{"rate": "1", "effectiveAt": "2026-01-01T00:00:00Z"}]}, parse_market.funding_rates),
    (
        {"result": {"code": 5, "codespace": "clob", "log": "", "hash": ""}},
        lambda text: Judge(Unlimited())(200, {}, text),
    ),
]


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every part of a message."""
    yield here
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from paths(part, (*here, key))


def spoilt(value: Any, path: tuple[Any, ...], part: Any) -> Any:
    """Return a copy of `value` with one part put in the place of another."""
    if not path:
        return part
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = spoilt(value[path[0]], path[1:], part)
    return copy


@st.composite
def spoilt_message(draw: st.DrawFn, messages: list[Any]) -> tuple[int, Any]:
    """Draw a message with one part of it spoilt."""
    index = draw(st.integers(0, len(messages) - 1))
    path = draw(st.sampled_from(list(paths(messages[index]))))
    return index, spoilt(messages[index], path, draw(NASTY | junk))


def numbers_in(value: Any) -> set[float]:
    """Return every number a message says, as text or not."""
    found: set[float] = set()
    for path in paths(value):
        part = value
        for key in path:
            part = part[key]
        with suppress(TypeError, ValueError, OverflowError):
            found.add(float(part))
    return found


def hear(dialect: Any, events: list[Any], message: bytes) -> None:
    """Let a dialect read what it may: only a refusal may end the connection, nothing may end the process."""
    dialect._handler = events.append
    dialect.opening()
    with suppress(ConnectionSpent, SubscriptionRefused):
        dialect.read(message, NOW)


def market_dialect() -> MarketDialect:
    return MarketDialect([MarketSubscription(TICKER, candles=(MINUTE,), best_quote=True)], lambda _: None)


def account_dialect() -> AccountDialect:
    return AccountDialect(ADDRESS, lambda _: None, Owner())


@settings(max_examples=150, deadline=None)
@given(spoilt_message(MARKET_MESSAGES))
def test_a_spoilt_market_message_is_never_fatal_and_never_makes_up_a_price(drawn: tuple[int, Any]) -> None:
    _, message = drawn
    dialect, events = market_dialect(), []
    hear(dialect, events, json.dumps(message).encode("utf-8", "surrogatepass"))
    said = numbers_in(message)
    for event in events:
        if isinstance(event, BookUpdate):
            assert {level.price for level in (*event.book.bids, *event.book.asks)} <= said
        elif isinstance(event, TradeBatch):
            assert {trade.price for trade in event.trades} <= said
        elif isinstance(event, CandleUpdate):
            assert {event.open, event.high, event.low, event.close} <= said
        elif isinstance(event, MarkUpdate):
            assert event.mark_price in said
            assert event.mark_price > 0


@settings(max_examples=150, deadline=None)
@given(spoilt_message(ACCOUNT_MESSAGES))
def test_a_spoilt_account_message_is_never_fatal_and_never_makes_up_a_fill(drawn: tuple[int, Any]) -> None:
    _, message = drawn
    dialect, events = account_dialect(), []
    hear(dialect, events, json.dumps(message).encode("utf-8", "surrogatepass"))
    said = numbers_in(message)
    fills = [fill for event in events if isinstance(event, FillBatch) for fill in event.fills]
    assert {float(fill.price.value) for fill in fills} | {float(fill.quantity.value) for fill in fills} <= said


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.sampled_from(MARKET_MESSAGES).flatmap(
    lambda message: st.integers(0, len(json.dumps(message))).map(lambda cut: json.dumps(message)[:cut].encode())
))  # fmt: skip
def test_what_is_no_message_is_counted(frame: bytes) -> None:
    for dialect in (market_dialect(), account_dialect()):
        events: list[Any] = []
        hear(dialect, events, frame)
        complete = re.fullmatch(rb"\{.*\}", frame, re.DOTALL) is not None
        assert complete or (dialect.unreadable == 1 and events == [])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_spoilt_answer_is_read_or_refused_in_our_own_words(data: st.DataObject) -> None:
    index, answer = data.draw(spoilt_message([answer for answer, _ in ANSWERS]))
    text = json.dumps(answer)
    with suppress(TradingError):
        ANSWERS[index][1](text)
    cut = data.draw(st.integers(0, max(0, len(text) - 1)))
    if index < len(ANSWERS) - 1:
        with pytest.raises(ParseError):
            ANSWERS[index][1](text[:cut])


@pytest.mark.parametrize("field", ["price", "size"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-5", "1e400", "", "abc"])
def test_a_number_that_is_none_never_becomes_a_level(field: str, value: str) -> None:
    level = {"price": "100", "size": "1", field: value}
    dialect, events = market_dialect(), []
    hear(dialect, events, json.dumps(whole("v4_orderbook", TICKER, "subscribed", BOOK | {"bids": [level]})).encode())
    assert [event for event in events if isinstance(event, BookUpdate)] == []
    assert dialect.unreadable == 1


def test_fields_nobody_asked_for_change_nothing() -> None:
    dialect, events = market_dialect(), []
    message = whole("v4_orderbook", TICKER, "subscribed", BOOK | {"news": {"price": "1"}}) | {"extra": [1]}
    hear(dialect, events, json.dumps(message).encode())
    assert dialect.unreadable == 0
    assert len([event for event in events if isinstance(event, BookUpdate)]) == 1
