"""Rows of this venue in the shape of its documentation, to be varied by tests."""

from __future__ import annotations

import json
from typing import Any

NAME = "7e2ae69c-4edf-4800-a352-893d52b446aa"

ORDER: dict[str, Any] = {
    "orderId": "fd4300ae-7847-404e-b947-b46980a4d140",
    "orderLinkId": NAME,
    "symbol": "BTCUSDT",
    "price": "49000",
    "qty": "0.10",
    "side": "Buy",
    "positionIdx": 0,
    "orderStatus": "New",
    "cancelType": "UNKNOWN",
    "rejectReason": "EC_NoError",
    "leavesQty": "0.10",
    "cumExecQty": "0.00",
    "timeInForce": "GTC",
    "orderType": "Limit",
    "triggerPrice": "",
    "reduceOnly": False,
    "createdTime": "1684738540559",
    "updatedTime": "1684738540561",
}
EXECUTION: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "orderId": "fd4300ae-7847-404e-b947-b46980a4d140",
    "orderLinkId": NAME,
    "side": "Sell",
    "execId": "e0cbe81d-0f18-5866-9415-cf319b5dab3b",
    "execPrice": "50010.5",
    "execQty": "0.1",
    "execFee": "2.7505775",
    "execType": "Trade",
    "execTime": "1672282722429",
    "isMaker": False,
    "feeRate": "0.00055",
    "feeCurrency": "",
}
POSITION: dict[str, Any] = {
    "positionIdx": 0,
    "symbol": "BTCUSDT",
    "side": "Sell",
    "size": "0.3",
    "avgPrice": "50000.5",
    "positionValue": "15000.15",
    "leverage": "10",
    "markPrice": "49000",
    "unrealisedPnl": "300.15",
    "updatedTime": "1697673600012",
}
COIN: dict[str, Any] = {
    "coin": "USDT",
    "equity": "10300.15",
    "walletBalance": "10000",
    "totalPositionIM": "1470",
    "totalOrderIM": "0",
}
WALLET: dict[str, Any] = {"accountType": "UNIFIED", "totalAvailableBalance": "8830.15", "coin": [COIN]}
INSTRUMENT: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "contractType": "LinearPerpetual",
    "status": "Trading",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
    "priceFilter": {"minPrice": "0.10", "maxPrice": "199999.80", "tickSize": "0.10"},
    "lotSizeFilter": {"minOrderQty": "0.001", "qtyStep": "0.001", "minNotionalValue": "5"},
}


def answered(result: object, *, time: int = 1_684_765_770_483) -> str:
    """Return an answer over HTTP."""
    return json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": time})


def listed(*rows: object, cursor: str = "") -> str:
    """Return an answer that is a list."""
    return answered({"category": "linear", "list": list(rows), "nextPageCursor": cursor})


def news(topic: str, data: object, kind: str = "snapshot", ts: int = 1_684_765_770_483) -> bytes:
    """Return a message of the public stream."""
    return json.dumps({"topic": topic, "type": kind, "ts": ts, "data": data}).encode()


def private(topic: str, *rows: object) -> bytes:
    """Return a message of the private stream."""
    return json.dumps({"id": "x", "topic": topic, "creationTime": 1, "data": list(rows)}).encode()


def book(u: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, object]:
    """Return the data of a message about a book."""
    return {"s": "BTCUSDT", "b": bids, "a": asks, "u": u, "seq": u}
