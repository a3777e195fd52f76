"""The indexer of dYdX v4: https://docs.dydx.xyz/indexer-client/websockets."""

from __future__ import annotations

from collections.abc import Sequence

from apps.exchanges.mock.relay.dialects.port import Json, Levels, levels
from apps.exchanges.mock.relay.seen import GapError, MarkSeen, Seen, SideBooks, TradeSeen

_QUOTE = "-USD"


class Dydx:
    """Books come as a snapshot and differences; each message of a connection has the next number.

    The indexer's books cross at times, because its fills and its orders come by different ways: what stands against a
    fresher price is dropped. There is one price, the oracle's.
    """

    address = "wss://indexer.dydx.trade/v4/ws"
    greeting = ""
    # The venue pings by itself, and aiohttp answers.
    ping: Json | None = None

    def __init__(self, coins: Sequence[str]) -> None:
        """Follow `coins`."""
        self._coins = {coin + _QUOTE: coin for coin in coins}
        self._books = SideBooks()
        self._last: int | None = None

    def requests(self) -> list[Json]:
        """Return one subscription per channel and market, and one for all prices."""
        return [
            {"type": "subscribe", "channel": "v4_markets"},
            *(
                {"type": "subscribe", "channel": channel, "id": ticker}
                for ticker in self._coins
                for channel in ("v4_orderbook", "v4_trades")
            ),
        ]

    def read(self, message: Json) -> list[Seen]:
        """Return what `message` says. Raises GapError for a number left out."""
        number = message.get("message_id")
        if number is not None:
            if self._last is not None and number != self._last + 1:
                raise GapError(f"message {number} after {self._last}")
            self._last = number
        channel, first = message.get("channel"), message.get("type") == "subscribed"
        if channel == "v4_markets":
            return self._marks(message["contents"])
        coin = self._coins.get(str(message.get("id")))
        if coin is None or "contents" not in message:
            return []
        contents = message["contents"]
        if channel == "v4_orderbook":
            return [self._snapshot(coin, contents) if first else self._difference(coin, contents)]
        if channel == "v4_trades" and not first:
            return [
                TradeSeen(coin, float(row["price"]), float(row["size"]), row["side"] == "BUY")
                for row in reversed(contents["trades"])
            ]
        return []

    def _snapshot(self, coin: str, contents: Json) -> Seen:
        bids, asks = ({float(row["price"]): float(row["size"]) for row in contents[side]} for side in ("bids", "asks"))
        return self._books.replace(coin, bids, asks)

    def _difference(self, coin: str, contents: Json) -> Seen:
        bids, asks = levels(contents.get("bids", ())), levels(contents.get("asks", ()))
        self._books.change(coin, bids, asks)
        self._books.uncross(coin, _present(bids), _present(asks))
        return self._books.seen(coin)

    def _marks(self, contents: Json) -> list[Seen]:
        rows = {**contents.get("markets", {}), **contents.get("oraclePrices", {})}
        return [
            MarkSeen(self._coins[ticker], float(row["oraclePrice"]), float(row["oraclePrice"]))
            for ticker, row in rows.items()
            if ticker in self._coins and row.get("oraclePrice")
        ]


def _present(side: Levels) -> Levels:
    return {price: size for price, size in side.items() if size > 0}
