"""Binance USDⓈ-M: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams."""

from __future__ import annotations

from collections.abc import Sequence

from apps.exchanges.mock.relay.dialects.port import Json, levels
from apps.exchanges.mock.relay.seen import BookSeen, MarkSeen, Seen, TradeSeen

_QUOTE = "USDT"


class Binance:
    """The best twenty levels come whole ten times a second, so nothing can be missing."""

    address = "wss://fstream.binance.com/ws"
    greeting = ""
    # The venue pings by itself, and aiohttp answers.
    ping: Json | None = None

    def __init__(self, coins: Sequence[str]) -> None:
        """Follow `coins`."""
        self._coins = {coin + _QUOTE: coin for coin in coins}

    def requests(self) -> list[Json]:
        """Return one subscription for everything."""
        streams = [
            f"{symbol.lower()}@{stream}"
            for symbol in self._coins
            for stream in ("depth20@100ms", "aggTrade", "markPrice@1s")
        ]
        return [{"method": "SUBSCRIBE", "params": streams, "id": 1}]

    def read(self, message: Json) -> list[Seen]:
        """Return what `message` says, wrapped with the name of its stream or not."""
        message = message["data"] if "stream" in message else message
        kind, coin = message.get("e"), self._coins.get(str(message.get("s")))
        if coin is None:
            return []
        if kind == "depthUpdate":
            return [BookSeen(coin, levels(message["b"]), levels(message["a"]))]
        if kind == "aggTrade":
            return [TradeSeen(coin, float(message["p"]), float(message["q"]), not message["m"])]
        if kind == "markPriceUpdate":
            return [MarkSeen(coin, float(message["p"]), float(message["i"]))]
        return []
