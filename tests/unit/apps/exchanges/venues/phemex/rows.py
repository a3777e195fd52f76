"""Rows and messages as Phemex writes them, each whole, to be changed by the tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = UUID("0f2a9b6c-5f4e-4b1a-9a3e-1c2d3e4f5a6b")
STAMP = 1_700_000_000_123_456_789

ORDER: Json = {
    "bizError": 0,
    "orderID": "c2621102-1cc0-4686-b520-9879311bcc26",
    "clOrdID": str(NAME),
    "symbol": "BTCUSDT",
    "side": "Sell",
    "actionTimeNs": STAMP,
    "transactTimeNs": STAMP,
    "orderType": "Limit",
    "priceRp": "22490.4",
    "orderQtyRq": "0.005",
    "displayQtyRq": "0.005",
    "timeInForce": "GoodTillCancel",
    "reduceOnly": False,
    "cumQtyRq": "0",
    "cumValueRv": "0",
    "leavesQtyRq": "0.005",
    "stopDirection": "UNSPECIFIED",
    "stopPxRp": "0",
    "trigger": "UNSPECIFIED",
    "execStatus": "New",
    "ordStatus": "New",
    "execInst": "None",
}
PAST: Json = {
    "orderId": ORDER["orderID"],
    "clOrdId": str(NAME),
    "symbol": "BTCUSDT",
    "side": "Buy",
    "ordType": "Market",
    "priceRp": "21206.7",
    "orderQtyRq": "0.001",
    "cumQtyRq": "0.001",
    "leavesQtyRq": "0",
    "ordStatus": "Filled",
    "transactTimeNs": STAMP,
    "bizError": 0,
}
TRADE: Json = {
    "transactTimeNs": STAMP,
    "symbol": "BTCUSDT",
    "currency": "USDT",
    "action": "New",
    "posSide": "Merged",
    "side": "Sell",
    "tradeType": "Trade",
    "execQtyRq": "0.25",
    "execPriceRp": "16600",
    "execFeeRv": "0.415",
    "execID": "5c3d96e1-8874-53b6-b6e5-9dcc4d28b4ab",
    "orderID": ORDER["orderID"],
    "clOrdID": str(NAME),
    "execStatus": "MakerFill",
}
ACCOUNT: Json = {
    "userID": 1,
    "accountId": 2,
    "currency": "USDT",
    "accountBalanceRv": "1000",
    "totalUsedBalanceRv": "10",
}
POSITION: Json = {
    "symbol": "BTCUSDT",
    "currency": "USDT",
    "side": "Buy",
    "size": "0.5",
    "valueRv": "10000",
    "avgEntryPriceRp": "20000",
    "markPriceRp": "20100",
    "leverageRr": "-10",
    "posSide": "Merged",
}
FUNDING: Json = {
    "symbol": "ETHUSDT",
    "currency": "USDT",
    "execQtyRq": "0.16",
    "side": "Buy",
    "execPriceRp": "1322.84500459",
    "fundingRateRr": "0.0001",
    "execFeeRv": "0.02116552",
    "createTime": 1_671_004_800_021,
}
PRODUCT: Json = {
    "symbol": "BTCUSDT",
    "code": 41541,
    "type": "PerpetualV2",
    "status": "Listed",
    "baseCurrency": "BTC",
    "quoteCurrency": "USDT",
    "settleCurrency": "USDT",
    "tickSize": "0.1",
    "qtyStepSize": "0.001",
    "minOrderValueRv": "1",
    "maxLeverage": 100,
}
EVENT: Json = {
    "accountID": 2,
    "action": "New",
    "clOrdID": str(NAME),
    "currency": "USDT",
    "cumQty": "0.003",
    "cxlRejReason": 0,
    "execFeeRv": "0.0125",
    "execID": "b88d2950-04a2-52d8-8927-346059900242",
    "execPriceRp": "20849",
    "execQty": "0.001",
    "execStatus": "TakerFill",
    "leavesQty": "0",
    "message": "No error",
    "ordStatus": "Filled",
    "orderID": ORDER["orderID"],
    "orderQty": "0.003",
    "ptFeeRv": "0",
    "side": "Buy",
    "symbol": "BTCUSDT",
    "tradeType": "Trade",
    "transactTimeNs": str(STAMP),
}


def answer(data: object, **more: object) -> str:
    """Return an answer in the envelope of everything but prices."""
    return json.dumps({"code": 0, "msg": "", "data": data, **more})


def priced(result: object) -> str:
    """Return an answer in the envelope of prices."""
    return json.dumps({"error": None, "id": 0, "result": result})


def book(kind: str, sequence: int, bids: list[list[str]], asks: list[list[str]], symbol: str = "BTCUSDT") -> Json:
    """Return a book or a difference."""
    return {
        "depth": 30,
        "orderbook_p": {"asks": asks, "bids": bids},
        "sequence": sequence,
        "symbol": symbol,
        "timestamp": STAMP,
        "type": kind,
    }


def account(kind: str = "incremental", **parts: list[Json]) -> Json:
    """Return a message of the account's channel."""
    return {"sequence": 1, "timestamp": str(STAMP), "type": kind, "version": 0, **parts}


def sent(message: Json) -> bytes:
    """Return a message as it travels."""
    return json.dumps(message).encode()
