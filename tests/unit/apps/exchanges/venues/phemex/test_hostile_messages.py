"""Messages spoilt in every way: counted, never fatal, and never a number that was not said."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.exchanges.ports import (
    BalanceBatch,
    BestQuoteUpdate,
    BookUpdate,
    CandleUpdate,
    FillBatch,
    MarketSubscription,
    MarkUpdate,
    OrderBatch,
    ParseError,
    PositionBatch,
    TradeBatch,
)
from apps.exchanges.throttling import Unlimited
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.message_stream import LOGGED_IN_FULL
from apps.exchanges.venues.phemex import answers, parse, parse_market
from apps.exchanges.venues.phemex.rest import Judge
from apps.exchanges.venues.phemex.stream_market import MarketDialect, channels
from apps.exchanges.venues.phemex.stream_user import UserDialect
from apps.exchanges.venues.websocket import SubscriptionRefused
from moondev.domain.clock import FixedClock
from moondev.domain.errors import TradingError
from tests.unit.apps.exchanges.venues.phemex.rows import (
    ACCOUNT,
    EVENT,
    FUNDING,
    NAME,
    NOW,
    ORDER,
    PAST,
    POSITION,
    PRODUCT,
    STAMP,
    TRADE,
    account,
    answer,
    book,
    priced,
    sent,
)

WANTED = [MarketSubscription("BTCUSDT", best_quote=True)]
MARKET = [
    book("snapshot", 3, [["99.5", "1.25"], ["99", "2"]], [["101.5", "1.75"]]),
    book("incremental", 4, [["99.25", "3.5"]], [["101.25", "0"]]),
    {"sequence": 2, "symbol": "BTCUSDT", "trades_p": [[STAMP, "Buy", "101.5", "0.375"]], "type": "incremental"},
    {
        "kline_p": [[60, 60, "7", "20686.25", "20695.5", "20680.125", "20691.75", "2.625", "9"]],
        "sequence": 3,
        "symbol": "BTCUSDT",
        "type": "incremental",
    },
    {
        "data": [["BTCUSDT", "62806.875", "62831.75", "0.0008"]],
        "fields": ["symbol", "markRp", "indexRp", "fundingRateRr"],
        "method": "perp_market24h_pack_p.update",
        "timestamp": STAMP,
    },
    {"error": None, "id": 1, "result": {"status": "success"}},
]
USER = [
    account(
        orders_p=[EVENT, EVENT | {"execStatus": "Canceled", "ordStatus": "Canceled"}],
        positions_p=[{"symbol": "BTCUSDT", "side": "Buy", "size": "0.875"}],
        accounts_p=[{"currency": "USDT", "accountBalanceRv": "512.125"}],
    ),
    {"error": None, "id": 1, "result": {"status": "success"}},
    {"error": {"code": 6012, "message": "invalid login token"}, "id": 1, "result": None},
]
ANSWERS: list[tuple[str, Callable[[str], object]]] = [
    (answer({"rows": [ORDER]}), parse.open_orders),
    (answer({"rows": [ORDER]}), lambda text: parse.live_report(text, NAME, NOW)),
    (answer([PAST]), lambda text: parse.past_report(text, NAME, NOW)),
    (answer([TRADE]), lambda text: parse.fills(text, NOW)),
    (answer({"rows": [FUNDING]}), lambda text: parse.funding(text, NOW)),
    (answer({"account": ACCOUNT, "positions": [POSITION]}), lambda text: parse.account_snapshot(text, NOW)),
    (answer({"account": ACCOUNT, "positions": [POSITION]}), parse.touched_symbols),
    (answer({"perpProductsV2": [PRODUCT]}), lambda text: parse.listings(text, "px")),
    (answer(ORDER), lambda text: answers.placed(NAME, text, NOW)),
    (answer(ORDER), lambda text: answers.amended(NAME, text, NOW)),
    (answer(ORDER), lambda text: answers.cancelled(NAME, "", text, NOW)),
    (priced(MARKET[0]), lambda text: parse_market.book_answer(text, NOW)),
    (priced([{"symbol": "BTCUSDT", "markPriceRp": "5"}]), parse_market.marks),
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["NaN", "-1", "1e999", "Infinity", "1_0", "٣", "0x10", "", " 1", "1 ", "9" * 400, "\ud800"])
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2)
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where in a message something could be put."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


@st.composite
def spoilt(draw: st.DrawFn, messages: list[Any]) -> bytes:
    """Return a message with one to three things wrong with it, or cut off, or no message at all."""
    message = json.loads(json.dumps(draw(st.sampled_from(messages))))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(list(places(message)) or [({"": None}, "")]))
        if draw(st.booleans()):
            holder[key] = draw(anything)
        else:
            del holder[key]
    # Loose surrogates travel as escapes, as they would from a careless peer.
    text = json.dumps(message).encode()
    how = draw(st.integers(0, 9))
    if how == 0:
        return text[: draw(st.integers(0, len(text)))]
    return draw(st.binary(max_size=60)) if how == 1 else text


def numbers(value: Any) -> Iterator[float]:
    """Yield every number a message says."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from numbers(inner)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            yield abs(float(value))


# Every amount of an event that must have been said as it is.
TOLD: dict[type, Callable[[Any], list[float]]] = {
    BookUpdate: lambda event: [part for one in (*event.book.bids, *event.book.asks) for part in (one.price, one.size)],
    BestQuoteUpdate: lambda event: [part for one in (event.bid, event.ask) if one for part in (one.price, one.size)],
    TradeBatch: lambda event: [part for one in event.trades for part in (one.price, one.size)],
    CandleUpdate: lambda event: [event.open, event.high, event.low, event.close, event.volume],
    MarkUpdate: lambda event: [event.mark_price, event.oracle_price],
    FillBatch: lambda event: [
        abs(float(part.value)) for one in event.fills for part in (one.price, one.quantity, one.fee)
    ],
    OrderBatch: lambda event: [float(one.filled_quantity.value) for one in event.reports if one.filled_quantity],
    PositionBatch: lambda event: [abs(float(one.quantity.value)) for one in event.positions],
    BalanceBatch: lambda event: [abs(float(one.wallet)) for one in event.balances],
}


def hold(message: bytes, events: list[Any], before: set[float]) -> None:
    """Hold every amount to having been said, by this message or (books) by one before it."""
    amounts = {amount for event in events if type(event) in TOLD for amount in TOLD[type(event)](event)}
    if amounts:
        assert amounts <= set(numbers(json.loads(message))) | before
        assert all(map(math.isfinite, amounts))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(message=spoilt(MARKET))
def test_a_spoilt_market_message_is_never_a_price_that_was_not_said(message: bytes) -> None:
    events: list[Any] = []
    dialect = MarketDialect(channels(WANTED), WANTED, events.append)
    dialect.opening()
    dialect.read(sent(MARKET[0]), NOW)
    before = set(numbers(MARKET[0]))
    events.clear()
    dialect.read(message, NOW)
    hold(message, events, before)
    # Whatever it was, the next good message is read.
    assert dialect.unreadable <= 1
    dialect.read(sent(MARKET[0] | {"sequence": 10**6}), NOW)
    dialect.read(sent(MARKET[2]), NOW)
    assert any(isinstance(event, TradeBatch) for event in events)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(message=spoilt(USER))
def test_a_spoilt_account_message_is_never_a_fill_that_was_not_said(message: bytes) -> None:
    events: list[Any] = []
    dialect = UserDialect(ApiKey("key", "secret"), events.append, FixedClock(NOW))
    dialect.opening()
    with suppress(SubscriptionRefused):
        dialect.read(message, NOW)
    hold(message, events, {0.0})
    events.clear()
    dialect.read(sent(USER[0]), NOW)
    assert [type(event) for event in events] == [FillBatch, OrderBatch, PositionBatch, BalanceBatch]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_spoilt_answer_is_read_or_a_parse_error_and_nothing_else(data: st.DataObject) -> None:
    text, read = data.draw(st.sampled_from(ANSWERS))
    message = data.draw(spoilt([json.loads(text)])).decode("utf-8", "replace")
    with suppress(ParseError):
        read(message)
    with suppress(TradingError):
        Judge(Unlimited())(data.draw(st.sampled_from([200, 400, 429, 500])), {}, message)


def test_a_flood_of_odd_messages_is_counted_in_full_and_logged_in_part(caplog: pytest.LogCaptureFixture) -> None:
    dialect = MarketDialect(channels(WANTED), WANTED, lambda _: None)
    dialect.opening()
    with caplog.at_level(logging.ERROR):
        for number in range(10 * LOGGED_IN_FULL):
            dialect.read(b'{"orderbook_p": %d}' % number, NOW)
    assert dialect.unreadable == 10 * LOGGED_IN_FULL
    assert len(caplog.records) == LOGGED_IN_FULL
