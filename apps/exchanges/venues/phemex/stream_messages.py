"""The shapes of what Phemex sends over its socket, beside the book, which is the same over HTTP.

https://phemex-docs.github.io/#usds-m-perpetual-websocket-api. The account's channel has shorter names for quantities.
"""

# ruff: noqa: N815 - the names are the venue's
from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from apps.exchanges.venues.phemex.messages import KlineRow, MarketError, Nanoseconds, SideWord

# Time, side of the taker, price, size. A trade has no name.
TradeTuple = tuple[int, SideWord, str, str]


class TradesMessage(Struct):
    """Public trades."""

    trades_p: list[TradeTuple]
    symbol: str
    type: Literal["snapshot", "incremental"]


class KlineMessage(Struct):
    """Bars."""

    kline_p: list[KlineRow]
    symbol: str
    type: Literal["snapshot", "incremental"]


class PackMessage(Struct):
    """The tickers of all symbols, as a table whose columns are named."""

    data: list[list[str]]
    fields: list[str]


class Reply(Struct):
    """The answer to a request on the socket."""

    id: int | None
    error: MarketError | None = None
    result: object = None


class AccountMessage(Struct):
    """What the account's channel tells: money, orders with their fills, positions."""

    type: Literal["snapshot", "incremental"]
    timestamp: Nanoseconds
    accounts_p: list[object] = field(default_factory=list)
    orders_p: list[object] = field(default_factory=list)
    positions_p: list[object] = field(default_factory=list)


class OrderEvent(Struct):
    """One event of an order: it was taken, filled, changed or ended. `execStatus` tells which."""

    symbol: str
    side: SideWord
    orderID: str
    ordStatus: str
    execStatus: str
    cumQty: str
    transactTimeNs: Nanoseconds
    currency: str = ""
    clOrdID: str = ""
    execID: str = ""
    execQty: str = "0"
    execPriceRp: str = "0"
    execFeeRv: str = "0"
    ptFeeRv: str = "0"
    tradeType: str = ""
    cxlRejReason: int | str = 0
    message: str = ""


class AccountEvent(Struct):
    """The account's money as the stream tells it."""

    currency: str
    accountBalanceRv: str


class PositionEvent(Struct):
    """A position as the stream tells it."""

    symbol: str
    side: Literal["Buy", "Sell", "None"]
    size: str
    transactTimeNs: Nanoseconds = 0
