"""Answers over HTTP, spoilt at random: read, left out row by row, or refused with the evidence. Never anything else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.exchanges.ports import ParseError, ReportSource
from apps.exchanges.venues.binance import parse, parse_account, parse_market
from apps.exchanges.venues.rows import Rows
from moondev.domain.market_data import BarSeries, Book

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

ORDER = {
    "symbol": "BTCUSDT", "orderId": 7, "clientOrderId": "x", "status": "NEW", "side": "BUY", "type": "LIMIT",
    "price": "49000.0", "origQty": "0.030", "executedQty": "0.010", "reduceOnly": False, "updateTime": 1_000,
}  # fmt: skip
ALGO = {
    "algoId": 3, "clientAlgoId": "x", "orderType": "STOP", "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01",
    "algoStatus": "NEW", "triggerPrice": "45000", "price": "44900", "reduceOnly": True, "createTime": 1,
    "updateTime": 1,
}  # fmt: skip
FILL = {
    "symbol": "BTCUSDT", "id": 1, "orderId": 7, "side": "BUY", "price": "1", "qty": "1", "commission": "0",
    "commissionAsset": "USDT", "time": 1, "maker": True,
}  # fmt: skip
ASSET = {"asset": "USDT", "marginBalance": "1", "availableBalance": "1", "initialMargin": "1"}
POSITION = {
    "symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "1", "unrealizedProfit": "1", "notional": "2",
    "initialMargin": "1",
}  # fmt: skip
SYMBOL = {
    "symbol": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "filters": [
        {"filterType": "PRICE_FILTER", "tickSize": "0.1"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001"},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
    ],
}  # fmt: skip
READERS: list[tuple[object, Callable[[str], object]]] = [
    (ORDER, lambda text: parse.order(text, ReportSource.SEND, NOW)),
    ([ORDER, {"code": -1, "msg": "x"}], lambda text: parse.answers(text, 2)),
    ([ORDER, ORDER], parse.resting_orders),
    ([ALGO, ALGO], parse.waiting_orders),
    ([FILL, FILL], lambda text: parse.fills(text, NOW)),
    ([{"symbol": "", "incomeType": "T", "income": "1", "asset": "USDT", "time": 1}], parse.incomes),
    ({"assets": [ASSET], "positions": [POSITION]}, lambda text: parse_account.account_snapshot(text, NOW)),
    ({"symbols": [SYMBOL]}, lambda text: parse_account.listings(text, "here")),
    ({"lastUpdateId": 1, "T": 1, "bids": [["1", "1"]], "asks": [["2", "1"]]},
     lambda text: parse_market.book_answer(text, 5, NOW)),
    ([[0, "1", "2", "1", "1", "3", 1]], lambda text: parse_market.candles(text, MINUTE)),
    ([{"symbol": "B", "fundingTime": 1, "fundingRate": "0.1", "markPrice": "1"}], parse_market.funding_rates),
    ([{"symbol": "B", "fundingIntervalHours": 8}], parse_market.funding_hours),
    ([{"symbol": "B", "markPrice": "1"}], parse_market.marks),
    ([{"a": 1, "p": "1", "q": "1", "T": 1, "m": True}], lambda text: parse_market.trades(text, "B", NOW)),
]  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["NaN", "-1", "0", "1e999", "1_0", " 1", "Infinity"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = changed(value[path[0]], path[1:], new)
    return copied


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_whatever_the_venue_answers_it_is_read_left_out_or_refused(data: st.DataObject) -> None:
    sample, read = data.draw(st.sampled_from(READERS))
    path = data.draw(st.sampled_from(list(paths(sample))))
    text = json.dumps(changed(sample, path, data.draw(JSON)))
    if data.draw(st.booleans()):
        text = text[: data.draw(st.integers(0, len(text)))]
    with suppress(ParseError):
        require_sound(read(text))


def require_sound(found: object) -> None:
    """Hold what was read to numbers that can be numbers."""
    if isinstance(found, Book):
        assert all(0 < level.price < float("inf") for level in (*found.bids, *found.asks))
    if isinstance(found, BarSeries):
        assert all(0 < price < float("inf") for price in found.close)
    if isinstance(found, Rows):
        assert all(isinstance(error, ParseError) for error in found.unreadable)
