"""Hyperliquid: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions."""

from __future__ import annotations

from collections.abc import Sequence

from apps.exchanges.mock.relay.dialects.port import Json, Levels
from apps.exchanges.mock.relay.seen import BookSeen, MarkSeen, Seen, TradeSeen

_STREAMS = ("l2Book", "trades", "activeAssetCtx")


class Hyperliquid:
    """Books come whole, so nothing can be missing."""

    address = "wss://api.hyperliquid.xyz/ws"
    greeting = "Websocket connection established."

    def __init__(self, coins: Sequence[str]) -> None:
        """Follow `coins`."""
        self._coins = tuple(coins)

    @property
    def ping(self) -> Json:
        """Return the venue's own ping: it hangs up after a quiet minute."""
        return {"method": "ping"}

    def requests(self) -> list[Json]:
        """Return one subscription per stream and coin."""
        return [
            {"method": "subscribe", "subscription": {"type": stream, "coin": coin}}
            for coin in self._coins
            for stream in _STREAMS
        ]

    def read(self, message: Json) -> list[Seen]:
        """Return what `message` says."""
        channel = message.get("channel")
        if channel == "l2Book":
            return [_book(message["data"])]
        if channel == "trades":
            return [
                TradeSeen(row["coin"], float(row["px"]), float(row["sz"]), row["side"] == "B")
                for row in message["data"]
            ]
        if channel == "activeAssetCtx":
            data = message["data"]
            return [MarkSeen(data["coin"], float(data["ctx"]["markPx"]), float(data["ctx"]["oraclePx"]))]
        return []


def _book(data: Json) -> BookSeen:
    bids, asks = data["levels"]
    return BookSeen(data["coin"], _side(bids), _side(asks))


def _side(rows: list[Json]) -> Levels:
    return {float(row["px"]): float(row["sz"]) for row in rows}
