"""The shapes of what Bybit says, as far as it is read. Fields nobody asked for are ignored.

Amounts are texts at this venue; a JSON number in their place is another type and an error.
https://bybit-exchange.github.io/docs/v5/intro
"""

# ruff: noqa: N815 - the venue's own names

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field


class Answer(Struct):
    """Every answer over HTTP; `time` is the venue's clock in milliseconds."""

    retCode: int
    retMsg: str
    result: Any = None
    retExtInfo: Any = None
    time: int = 0


class Page(Struct):
    """A result that is a list, which may be null where there is nothing; its cursor is empty on the last page."""

    rows: list[Any] | None = field(name="list")
    nextPageCursor: str = ""


class Ack(Struct):
    """What create, amend and cancel say: which order, and not what became of it."""

    orderId: str
    orderLinkId: str = ""


class Code(Struct):
    """How one order of a batch came out."""

    code: int
    msg: str = ""


class OrderRow(Struct):
    """An order in realtime, history and the stream."""

    orderId: str
    orderLinkId: str
    symbol: str
    side: str
    price: str
    qty: str
    orderStatus: str
    cumExecQty: str
    reduceOnly: bool
    createdTime: str
    updatedTime: str
    triggerPrice: str = ""
    cancelType: str = ""
    rejectReason: str = ""
    leavesQty: str = ""
    positionIdx: int = 0


class ExecutionRow(Struct):
    """A fill, or a funding payment, which is an execution at this venue."""

    symbol: str
    orderId: str
    orderLinkId: str
    side: str
    execId: str
    execPrice: str
    execQty: str
    execFee: str
    execType: str
    execTime: str
    isMaker: bool
    feeRate: str = ""
    feeCurrency: str = ""


class PositionRow(Struct):
    """A position in position/list. `side` is empty for a flat one."""

    symbol: str
    side: str
    size: str
    avgPrice: str
    markPrice: str
    leverage: str
    unrealisedPnl: str
    positionIdx: int = 0


class PositionEvent(Struct):
    """A position in the stream, as far as it is a hint."""

    symbol: str
    side: str
    size: str
    updatedTime: str
    positionIdx: int = 0


class CoinBalance(Struct):
    """One currency of a unified account. `walletBalance` has no open position in it."""

    coin: str
    walletBalance: str
    equity: str = ""
    totalPositionIM: str = ""
    totalOrderIM: str = ""


class Wallet(Struct):
    """A unified account; its totals are in dollars, not in the currency of an instrument."""

    accountType: str
    coin: list[CoinBalance]
    totalAvailableBalance: str = ""


class PriceFilter(Struct):
    """The grid of prices."""

    tickSize: str


class LotSizeFilter(Struct):
    """The grid of sizes."""

    qtyStep: str
    minOrderQty: str
    minNotionalValue: str = ""
    maxMktOrderQty: str = ""


class LeverageFilter(Struct):
    """The highest leverage, as a decimal text."""

    maxLeverage: str


class InstrumentRow(Struct):
    """A contract in instruments-info."""

    symbol: str
    contractType: str
    status: str
    baseCoin: str
    quoteCoin: str
    settleCoin: str
    priceFilter: PriceFilter
    lotSizeFilter: LotSizeFilter
    leverageFilter: LeverageFilter


class MarkRow(Struct):
    """A ticker over HTTP, as far as its mark."""

    symbol: str
    markPrice: str


class BookResult(Struct):
    """The order book over HTTP; prices and sizes are texts read as floats."""

    s: str
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]
    ts: int


class KlineResult(Struct):
    """Bars, newest first: start, open, high, low, close, volume, turnover."""

    symbol: str
    rows: list[tuple[int, float, float, float, float, float, float]] = field(name="list")


class FundingRateRow(Struct):
    """One rate that was paid."""

    symbol: str
    fundingRate: str
    fundingRateTimestamp: str


class RecentTrade(Struct):
    """A public trade over HTTP."""

    execId: str
    symbol: str
    price: float
    size: float
    side: str
    time: int


class Envelope(Struct):
    """Any message of a socket: news of a topic, or an answer to something we said."""

    topic: str = ""
    type: str = ""
    ts: int = 0
    data: Raw = Raw(b"null")
    success: bool | None = None
    ret_msg: str = ""
    op: str = ""
    req_id: str = ""


class BookNews(Struct):
    """A snapshot or a difference; `u` counts the messages of this topic without a hole."""

    s: str
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]
    u: int


class TradeNews(Struct):
    """A public trade; `S` is the aggressor's side."""

    T: int
    s: str
    S: str
    v: float
    p: float
    i: str


class KlineNews(Struct):
    """The state of one bar; `confirm` says that it is closed."""

    start: int
    interval: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    confirm: bool


class TickerNews(Struct):
    """What changed of a ticker; everything, in a snapshot."""

    symbol: str
    markPrice: float | UnsetType = UNSET
    indexPrice: float | UnsetType = UNSET
    fundingRate: float | UnsetType = UNSET
    fundingIntervalHour: float | UnsetType = UNSET
