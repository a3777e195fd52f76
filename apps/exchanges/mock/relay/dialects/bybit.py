"""Bybit: https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook, /trade and /ticker."""

from __future__ import annotations

from collections.abc import Sequence

from apps.exchanges.mock.relay.dialects.port import Json, levels
from apps.exchanges.mock.relay.seen import GapError, MarkSeen, Seen, SideBooks, TradeSeen

_QUOTE = "USDT"


class Bybit:
    """Books come as a snapshot and differences that are numbered one by one."""

    address = "wss://stream.bybit.com/v5/public/linear"
    greeting = ""

    def __init__(self, coins: Sequence[str]) -> None:
        """Follow `coins`."""
        self._coins = {coin + _QUOTE: coin for coin in coins}
        self._books = SideBooks()
        self._last: dict[str, int] = {}
        self._prices: dict[str, Json] = {}

    @property
    def ping(self) -> Json:
        """Return the venue's own ping, which it wants every twenty seconds."""
        return {"op": "ping"}

    def requests(self) -> list[Json]:
        """Return one subscription per coin: the venue takes ten topics at once."""
        return [
            {"op": "subscribe", "args": [f"orderbook.50.{symbol}", f"publicTrade.{symbol}", f"tickers.{symbol}"]}
            for symbol in self._coins
        ]

    def read(self, message: Json) -> list[Seen]:
        """Return what `message` says. Raises GapError for a number left out."""
        topic, _, symbol = str(message.get("topic", "")).rpartition(".")
        coin = self._coins.get(symbol)
        if coin is None:
            return []
        if topic.startswith("orderbook"):
            return [self._book(coin, message)]
        if topic == "publicTrade":
            return [TradeSeen(coin, float(row["p"]), float(row["v"]), row["S"] == "Buy") for row in message["data"]]
        return self._mark(coin, message["data"]) if topic == "tickers" else []

    def _book(self, coin: str, message: Json) -> Seen:
        data = message["data"]
        bids, asks, number = levels(data["b"]), levels(data["a"]), int(data["u"])
        if message["type"] == "snapshot":
            self._last[coin] = number
            return self._books.replace(coin, bids, asks)
        if number != self._last.get(coin, number) + 1:
            raise GapError(f"{coin}: {number} after {self._last.get(coin)}")
        self._last[coin] = number
        return self._books.change(coin, bids, asks)

    def _mark(self, coin: str, data: Json) -> list[Seen]:
        # A difference names only what changed.
        known = self._prices.setdefault(coin, {})
        known.update({key: data[key] for key in ("markPrice", "indexPrice") if data.get(key)})
        if len(known) < 2:
            return []
        return [MarkSeen(coin, float(known["markPrice"]), float(known["indexPrice"]))]
