"""Phemex, USDT perpetuals: https://phemex-docs.github.io/#subscribe-orderbook-2 and what follows there."""

from __future__ import annotations

from collections.abc import Sequence

from apps.exchanges.mock.relay.dialects.port import Json, levels
from apps.exchanges.mock.relay.seen import MarkSeen, Seen, SideBooks, TradeSeen

_QUOTE = "USDT"
_DEPTH = 30
_PACK = "perp_market24h_pack_p"


class Phemex:
    """Books come as a snapshot and differences; the venue sends a snapshot again every minute."""

    address = "wss://ws.phemex.com"
    greeting = ""

    def __init__(self, coins: Sequence[str]) -> None:
        """Follow `coins`."""
        self._coins = {coin + _QUOTE: coin for coin in coins}
        self._books = SideBooks()
        self._fields: list[str] = []

    @property
    def ping(self) -> Json:
        """Return the venue's own ping: it hangs up after thirty quiet seconds."""
        return {"id": 0, "method": "server.ping", "params": []}

    def requests(self) -> list[Json]:
        """Return one subscription per stream and coin, and one for all prices."""
        wanted: list[tuple[str, list[object]]] = [(_PACK, [])]
        for symbol in self._coins:
            wanted += [("orderbook_p", [symbol, False, _DEPTH]), ("trade_p", [symbol])]
        return [
            {"id": number, "method": f"{channel}.subscribe", "params": parameters}
            for number, (channel, parameters) in enumerate(wanted, start=1)
        ]

    def read(self, message: Json) -> list[Seen]:
        """Return what `message` says."""
        if message.get("method") == f"{_PACK}.update":
            return self._marks(message)
        coin = self._coins.get(str(message.get("symbol")))
        if coin is None:
            return []
        if "orderbook_p" in message:
            book = message["orderbook_p"]
            take = self._books.replace if message["type"] == "snapshot" else self._books.change
            return [take(coin, levels(book["bids"]), levels(book["asks"]))]
        if message.get("type") == "incremental":
            # Oldest first, though the venue tells the newest first; a snapshot is history.
            return [
                TradeSeen(coin, float(row[2]), float(row[3]), row[1] == "Buy")
                for row in reversed(message.get("trades_p", []))
            ]
        return []

    def _marks(self, message: Json) -> list[Seen]:
        self._fields = message.get("fields") or self._fields
        rows = [dict(zip(self._fields, row, strict=True)) for row in message["data"]]
        return [
            MarkSeen(self._coins[row["symbol"]], float(row["markRp"]), float(row["indexRp"]))
            for row in rows
            if row["symbol"] in self._coins
        ]
