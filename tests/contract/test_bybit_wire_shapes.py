"""The mock's answers beside recorded ones: every field the venue sends is there, with the venue's JSON type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.bybit_world import ALICE, BTC, World, bybit_world
from tests.contract.test_bybit_wire_streams import Line, line
from tests.unit.apps.exchanges.venues.bybit import recordings

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT),
]

# Fields of other products, of other kinds of account, or that the venue has dropped since.
ELSEWHERE = frozenset(
    {"predictedDeliveryPrice", "basisRate", "basis", "deliveryFeeRate", "deliveryTime", "isLeverage", "feeCurrency"}
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with bybit_world(limits=False) as running:
        alice = running.ccxt()
        alice.load_markets()
        alice.create_order(BTC, "market", "buy", 0.1)
        alice.create_order(BTC, "limit", "buy", 0.1, 49000)
        alice.create_order(BTC, "limit", "buy", 0.1, 49000, {"timeInForce": "IOC"})
        running.mock.call(lambda exchange: exchange.pay_funding())
        yield running


def differences(recorded: Any, ours: Any, where: str = "") -> list[str]:
    """Return in what our JSON lacks a field of the recorded one, or has another type there."""
    if type(recorded) is not type(ours):
        return [f"{where}: {type(recorded).__name__} there, {type(ours).__name__} here"]
    if isinstance(recorded, dict):
        found = []
        for key, value in recorded.items():
            if key in ELSEWHERE and key not in ours:
                continue
            found += (
                differences(value, ours[key], f"{where}.{key}") if key in ours else [f"{where}.{key}: missing here"]
            )
        return found
    if isinstance(recorded, list) and recorded:
        return differences(recorded[0], ours[0], f"{where}[0]") if ours else [f"{where}: empty here"]
    return []


def public(world: World, path: str, **query: str) -> Any:
    return requests.get(f"{world.rest_url}/v5/market/{path}", {"category": "linear", **query}, timeout=5).json()


@pytest.mark.parametrize(
    ("name", "path", "query"),
    [
        ("ExchangeData/GetLinearInverseSymbols", "instruments-info", {}),
        ("ExchangeData/GetLinearInverseTickers", "tickers", {}),
        ("ExchangeData/GetKlines", "kline", {"symbol": "BTCUSDT", "interval": "1"}),
        ("ExchangeData/GetMarkPriceKlines", "mark-price-kline", {"symbol": "BTCUSDT", "interval": "1"}),
        ("ExchangeData/GetIndexPriceKlines", "index-price-kline", {"symbol": "BTCUSDT", "interval": "1"}),
        ("ExchangeData/GetRiskLimit", "risk-limit", {"symbol": "BTCUSDT"}),
        ("ExchangeData/GetOpenInterest", "open-interest", {"symbol": "BTCUSDT", "intervalTime": "1h"}),
        ("ExchangeData/GetOrderbook", "orderbook", {"symbol": "BTCUSDT"}),
        ("ExchangeData/GetTradeHistory", "recent-trade", {"symbol": "BTCUSDT"}),
        ("ExchangeData/GetFundingRateHistory", "funding/history", {"symbol": "BTCUSDT"}),
    ],
)
def test_the_market(world: World, name: str, path: str, query: dict[str, str]) -> None:
    assert differences(json.loads(recordings.answer(name)), public(world, path, **query)) == []


@pytest.mark.parametrize(
    ("name", "method", "query"),
    [
        ("Trading/GetOrders", "privateGetV5OrderRealtime", {"symbol": "BTCUSDT"}),
        ("Trading/GetOrderHistory", "privateGetV5OrderHistory", {}),
        ("Trading/GetUserTrades", "privateGetV5ExecutionList", {"execType": "Trade"}),
        ("Trading/GetPositions", "privateGetV5PositionList", {"symbol": "BTCUSDT"}),
        ("Account/GetBalances", "privateGetV5AccountWalletBalance", {"accountType": "UNIFIED"}),
        ("Account/GetFeeRate", "privateGetV5AccountFeeRate", {"symbol": "BTCUSDT"}),
    ],
)
def test_an_account(world: World, name: str, method: str, query: dict[str, str]) -> None:
    client = world.ccxt()
    getattr(client, method)({"category": "linear", **query})
    assert differences(json.loads(recordings.answer(name)), json.loads(client.last_http_response)) == []


def test_orders(world: World) -> None:
    client = world.ccxt()

    def sent(method: str, **body: object) -> Any:
        getattr(client, method)({"category": "linear", **body})
        return json.loads(client.last_http_response)

    order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.1", "price": "48000"}
    placed = sent("privatePostV5OrderCreate", **order)
    named = {"symbol": "BTCUSDT", "orderId": placed["result"]["orderId"]}
    pairs = [
        ("PlaceOrder", placed),
        ("EditOrder", sent("privatePostV5OrderAmend", **named, price="47000")),
        ("PlaceMultipleOrders", sent("privatePostV5OrderCreateBatch", request=[order, order])),
        ("EditMultipleOrders", sent("privatePostV5OrderAmendBatch", request=[{**named, "price": "46000"}])),
        ("CancelMultipleOrders", sent("privatePostV5OrderCancelBatch", request=[named, {**named, "orderId": "x"}])),
        ("CancelAllOrder", sent("privatePostV5OrderCancelAll", symbol="BTCUSDT")),
    ]
    for name, ours in pairs:
        assert differences(json.loads(recordings.answer(f"Trading/{name}")), ours) == [], name


def test_the_streams(world: World) -> None:
    with line(world, "public/linear") as public_line, line(world, "private") as private_line:
        public_line.send(op="subscribe", args=["tickers.BTCUSDT", "publicTrade.BTCUSDT"])
        private_line.sign_in(ALICE)
        private_line.send(op="subscribe", args=["order", "execution", "position", "wallet"])
        private_line.next(lambda message: message.get("op") == "subscribe")
        world.ccxt().privatePostV5OrderCreate(
            {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.1"}
        )
        lines: dict[str, tuple[Line, str]] = {
            "Linear/Ticker": (public_line, "tickers.BTCUSDT"),
            "Linear/Trades": (public_line, "publicTrade.BTCUSDT"),
            "Private/UserTrades": (private_line, "execution"),
            "Private/Order": (private_line, "order"),
            "Private/Position": (private_line, "position"),
            "Private/Balance": (private_line, "wallet"),
        }
        for name, (opened, topic) in lines.items():
            (recorded,) = recordings.pushed(name)
            assert differences(json.loads(recorded), opened.topic(topic)) == [], name
