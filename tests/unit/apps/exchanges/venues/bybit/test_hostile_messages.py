"""Frames nobody would send: counted, told of, never fatal, and never a number that the frame did not say."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.exchanges.ports import (
    BalanceBatch,
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    FillBatch,
    FundingBatch,
    MarketSubscription,
    MarkUpdate,
    OrderBatch,
    ParseError,
    PositionBatch,
    TradeBatch,
    Unreadable,
)
from apps.exchanges.venues.bybit import answers, parse, parse_account, parse_market
from apps.exchanges.venues.bybit.stream import MarketDialect, UserDialect
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.websocket import SubscriptionRefused
from moondev.domain.clock import FixedClock
from moondev.domain.market_data import BookLevel
from tests.unit.apps.exchanges.venues.bybit.rows import (
    EXECUTION,
    INSTRUMENT,
    ORDER,
    POSITION,
    WALLET,
    answered,
    book,
    listed,
    news,
    private,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = re.compile(r"-?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
TRADE = {"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "0.5", "p": "100", "L": "PlusTick", "i": "a", "BT": False}
BAR = {"start": 60000, "interval": "1", "open": "1", "close": "2", "high": "3", "low": "1", "volume": "5"}
TICKER = {"symbol": "BTCUSDT", "markPrice": "100", "indexPrice": "101", "fundingRate": "0.0001"}

MARKET = [
    news("orderbook.50.BTCUSDT", book(2, [["100", "1"]], [["101", "3"]])),
    news("orderbook.1.BTCUSDT", book(2, [["100", "1"]], [["101", "3"]])),
    news("publicTrade.BTCUSDT", [TRADE]),
    news("kline.1.BTCUSDT", [BAR | {"confirm": True}]),
    news("tickers.BTCUSDT", TICKER),
]
USER = [
    private("order.linear", ORDER),
    private("execution.linear", EXECUTION, EXECUTION | {"execType": "Funding"}),
    private("position.linear", POSITION),
    private("wallet", WALLET),
]
ANSWERS = [listed(ORDER), listed(EXECUTION), listed(POSITION), listed(INSTRUMENT), answered({"list": [WALLET]})]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
)


@st.composite
def spoilt(draw: st.DrawFn, messages: list[bytes]) -> bytes:
    """Return a message with something in it replaced, left out, added, or cut off."""
    message = draw(st.sampled_from(messages))
    how = draw(st.sampled_from(["replace", "drop", "add", "cut", "bytes"]))
    if how == "cut":
        return message[: draw(st.integers(0, len(message)))]
    if how == "bytes":
        return draw(st.binary(max_size=80))
    parsed = json.loads(message)
    holder, key = draw(st.sampled_from(list(_places(parsed))))
    if how == "drop":
        del holder[key]
    elif how == "add" and isinstance(holder, dict):
        holder[draw(st.text(max_size=8))] = draw(anything)
    else:
        holder[key] = draw(anything)
    return json.dumps(parsed).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a message that something could be put into."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(inside):
        yield value, key
        yield from _places(inner)


def _numbers(value: Any) -> Iterator[float]:
    """Yield every number in a message, whether it is one or a text of one."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float) or (isinstance(value, str) and PLAIN.fullmatch(value)):
        yield abs(float(value))
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _numbers(inner)


# Every amount in an event that must have come from the message as it is, by the kind of event.
TOLD: dict[type, Callable[[Any], list[float]]] = {
    BookUpdate: lambda event: _levels(*event.book.bids, *event.book.asks),
    BestQuoteUpdate: lambda event: _levels(event.bid, event.ask),
    TradeBatch: lambda event: [n for tick in event.trades for n in (tick.price, tick.size)],
    CandleUpdate: lambda event: [event.open, event.high, event.low, event.close, event.volume],
    MarkUpdate: lambda event: [event.mark_price, event.oracle_price],
    FillBatch: lambda event: [n for one in event.fills for n in _floats(one.price, one.quantity, one.fee)],
    FundingBatch: lambda event: [n for one in event.payments for n in (*_floats(one.amount, one.position),)],
    PositionBatch: lambda event: [n for one in event.positions for n in _floats(one.quantity)],
    BalanceBatch: lambda event: [abs(float(one.wallet)) for one in event.balances],
    OrderBatch: lambda event: [n for one in event.reports for n in _floats(one.filled_quantity)],
}


def _levels(*levels: BookLevel | None) -> list[float]:
    return [n for level in levels if level is not None for n in (level.price, level.size)]


def _floats(*amounts: Any) -> list[float]:
    return [abs(float(amount.value)) for amount in amounts]


def _told(event: object) -> list[float]:
    return TOLD[type(event)](event) if type(event) in TOLD else []


def _checked(message: bytes, events: list[object]) -> None:
    """Hold every amount that was told to having been said."""
    amounts = [amount for event in events for amount in _told(event)]
    if amounts:
        assert set(amounts) <= set(_numbers(json.loads(message)))


@settings(max_examples=150, deadline=None)
@given(spoilt(MARKET))
def test_the_market_s_stream_survives_and_tells_no_number_that_was_not_said(message: bytes) -> None:
    events: list[object] = []
    wanted = MarketSubscription("BTCUSDT", candles=(timedelta(minutes=1),), best_quote=True)
    dialect = MarketDialect([wanted], events.append)
    dialect.opening()
    dialect.read(message, NOW)
    _checked(message, events)
    # Whatever that was, what comes next is understood.
    dialect.read(news("publicTrade.BTCUSDT", [TRADE]), NOW)
    assert isinstance(events[-1], TradeBatch)


@settings(max_examples=150, deadline=None)
@given(spoilt(USER))
def test_an_account_s_stream_survives_and_tells_no_number_that_was_not_said(message: bytes) -> None:
    events: list[object] = []
    dialect = UserDialect(ApiKey("key", "secret"), FixedClock(NOW), events.append)
    dialect.opening()
    try:
        dialect.read(message, NOW)
    except SubscriptionRefused:
        return
    _checked(message, events)
    odd = sum(len(event.reasons) for event in events if isinstance(event, Unreadable))
    assert dialect.unreadable >= odd
    dialect.read(private("order.linear", ORDER), NOW)
    assert isinstance(events[-1], OrderBatch)


@settings(max_examples=100, deadline=None)
@given(spoilt([text.encode() for text in ANSWERS]))
def test_answers_over_http_are_read_or_refused_with_their_text(message: bytes) -> None:
    text = message.decode("utf-8", "replace")
    readers = [
        lambda: parse.open_orders(parse.page("orders", text)[0]),
        lambda: parse.order_reports(parse.page("orders", text)[0], "x", NOW),  # type: ignore[arg-type]
        lambda: parse.executions(parse.page("executions", text)[0], NOW),
        lambda: parse_account.positions(parse.page("positions", text)[0]),
        lambda: parse_account.wallet("wallet", text),
        lambda: parse_market.listings(parse.page("instruments", text)[0], "bybit"),
        lambda: parse_market.marks(text),
        lambda: answers.single(text),
        lambda: answers.batch(text, 1),
    ]
    for reader in readers:
        with contextlib.suppress(ParseError):
            reader()


def test_the_same_odd_message_a_thousand_times_is_counted_and_not_logged_a_thousand_times(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dialect = MarketDialect([MarketSubscription("BTCUSDT")], lambda _: None)
    for _ in range(1_000):
        dialect.read(b"{", NOW)
    assert dialect.unreadable == 1_000
    assert len(caplog.records) <= 20
