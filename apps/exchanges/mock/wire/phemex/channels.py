"""The channels of Phemex's socket and what may be asked of them."""

from __future__ import annotations

from dataclasses import dataclass

from apps.exchanges.mock.wire.phemex.books import DEPTHS
from apps.exchanges.mock.wire.phemex.words import INTERVALS, QUOTE

BOOK, TRADE, KLINE, TICK = "orderbook_p", "trade_p", "kline_p", "tick_p"
PACK, ACCOUNT = "perp_market24h_pack_p", "aop_p"
_DEFAULT_DEPTH = "30"


@dataclass(frozen=True, slots=True)
class Topic:
    """One channel of one coin. `detail` is the depth of a book, the seconds of a bar, M for the mark, else empty."""

    channel: str
    coin: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.channel} {self.coin} {self.detail}"

    @classmethod
    def parse(cls, text: str) -> Topic:
        """Return the topic that is written so."""
        channel, coin, detail = text.split(" ")
        return cls(channel, coin, detail)

    @property
    def number(self) -> int:
        """Return the detail of a book or a bar."""
        return int(self.detail)


def read_topic(channel: str, parameters: list[object], coins: frozenset[str]) -> Topic | None:
    """Return what a subscription asks for; None for what there is not."""
    if channel == PACK:
        return Topic(PACK)
    symbol, *rest = [str(parameter) for parameter in parameters] or [""]
    if channel == TICK:
        return _price(symbol, coins)
    coin = symbol.removesuffix(QUOTE)
    if coin == symbol or coin not in coins:
        return None
    if channel == BOOK:
        depth = rest[1] if len(rest) > 1 else _DEFAULT_DEPTH
        return Topic(BOOK, coin, depth) if depth.isdecimal() and int(depth) in DEPTHS else None
    if channel == KLINE:
        seconds = rest[0] if rest else ""
        return Topic(KLINE, coin, seconds) if seconds.isdecimal() and int(seconds) in INTERVALS else None
    return Topic(TRADE, coin) if channel == TRADE else None


def _price(symbol: str, coins: frozenset[str]) -> Topic | None:
    """Return the topic of an index (`.BTCUSDT`) or a mark (`.MBTCUSDT`); of coins that begin with M it is the index."""
    bare = symbol.removeprefix(".").removesuffix(QUOTE)
    if not symbol.startswith(".") or not symbol.endswith(QUOTE):
        return None
    if bare in coins:
        return Topic(TICK, bare)
    return Topic(TICK, bare[1:], "M") if bare.startswith("M") and bare[1:] in coins else None
