"""The relay reads what the venues themselves were heard to say; the recordings lie beside the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apps.exchanges.mock.relay.dialects import DIALECTS
from apps.exchanges.mock.relay.seen import BookSeen, MarkSeen, Seen, TradeSeen

FOLDER = Path(__file__).parents[7] / "shared/fixtures"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the venues' recorded messages are not beside the project")


def read(venue: str, coin: str, messages: list[dict[str, Any]]) -> list[Seen]:
    dialect = DIALECTS[venue]((coin,))
    return [seen for message in messages for seen in dialect.read(message)]


def pushed(path: str) -> list[dict[str, Any]]:
    transcript = json.loads((FOLDER / path).read_text())["transcript"]
    return [message for who, message in transcript if who == "pushed"]


def test_reads_dydx() -> None:
    names = ("orderbook_subscribed", "orderbook_update", "trades_update")
    messages = [json.loads((FOLDER / f"dydx/nautilus/ws_{name}.json").read_text()) for name in names]
    first, second, *trades = read("dydx", "BTC", messages)
    assert first == BookSeen(
        "BTC", {43240.0: 1.5, 43235.0: 2.3, 43230.0: 0.8}, {43250.0: 1.2, 43255.0: 2.0, 43260.0: 0.9}
    )
    assert isinstance(second, BookSeen)
    assert (second.bids[43240.0], 43250.0 in second.asks, second.asks[43252.0]) == (2.0, False, 3.0)
    assert trades
    assert all(isinstance(trade, TradeSeen) and trade.price > 0 for trade in trades)
    update = json.loads((FOLDER / "dydx/nautilus/ws_markets_update.json").read_text())
    assert read("dydx", "BTC", [update]) == [MarkSeen("BTC", 43300.0, 43300.0)]


@pytest.mark.parametrize("wrapped", [True, False])
def test_reads_binance(wrapped: bool) -> None:
    messages = [
        message
        for name in ("PartialBook", "AggTrades", "MarkPrice")
        for message in pushed(f"binance/jkorf/Subscriptions/UsdFutures/{name}.json")
    ]
    bare = [message if wrapped else message["data"] for message in messages]
    coins = {str(message["data"].get("s")).removesuffix("USDT") for message in messages}
    seen = [one for coin in coins for one in read("binance", coin, bare)]
    assert {type(one) for one in seen} == {BookSeen, TradeSeen, MarkSeen}


def test_reads_bybits_trades_and_prices() -> None:
    trades = pushed("bybit/jkorf/Subscriptions/V5/Linear/Trades.json")
    coin = trades[0]["topic"].rpartition(".")[2].removesuffix("USDT")
    seen = read("bybit", coin, trades)
    assert seen
    assert all(isinstance(one, TradeSeen) for one in seen)
    prices = pushed("bybit/jkorf/Subscriptions/V5/Linear/Ticker.json")
    coin = prices[0]["topic"].rpartition(".")[2].removesuffix("USDT")
    assert all(isinstance(one, MarkSeen) for one in read("bybit", coin, prices))


def test_reads_hyperliquid() -> None:
    streams = json.loads((FOLDER / "hyperliquid/ccxt_static/ws.json").read_text())
    seen = read("hyperliquid", "BTC", [*streams["activeAssetCtx"], *streams["trades"], *streams["candle"]])
    assert {type(one) for one in seen} == {MarkSeen, TradeSeen}
    assert all(60_000 < one.price < 70_000 for one in seen if isinstance(one, TradeSeen))
