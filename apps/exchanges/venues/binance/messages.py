"""The shapes of Binance's futures JSON, as far as we read it; msgspec checks every field and type.

Fields we do not read may appear: the venue adds some without notice. Amounts arrive as text and stay text here.
Names are the venue's own.
"""

# ruff: noqa: N815 - the names are the venue's
from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

SideWord = Literal["BUY", "SELL"]


class ErrorBody(Struct):
    """What every refusal says."""

    code: int
    msg: str


class OrderRow(Struct):
    """An order, as every answer about ordinary orders shows it. `time` is missing where it was just placed."""

    symbol: str
    orderId: int
    clientOrderId: str
    status: str
    side: SideWord
    type: str
    price: str
    origQty: str
    executedQty: str
    reduceOnly: bool
    updateTime: int
    stopPrice: str = "0"
    time: int | None = None


class AlgoRow(Struct):
    """A conditional order. `actualOrderId` names the ordinary order it has become, empty before that."""

    algoId: int
    clientAlgoId: str
    orderType: str
    symbol: str
    side: SideWord
    quantity: str
    algoStatus: str
    triggerPrice: str
    price: str
    reduceOnly: bool
    createTime: int
    updateTime: int
    activatePrice: str | None = None
    callbackRate: str | None = None
    actualOrderId: str = ""


class TradeRow(Struct):
    """One element of userTrades."""

    symbol: str
    id: int
    orderId: int
    side: SideWord
    price: str
    qty: str
    commission: str
    commissionAsset: str
    time: int
    maker: bool


class IncomeRow(Struct):
    """One element of income; `symbol` is empty for transfers."""

    symbol: str
    incomeType: str
    income: str
    asset: str
    time: int


class FundingRow(Struct):
    """One element of fundingRate; `markPrice` is empty for the oldest."""

    symbol: str
    fundingTime: int
    fundingRate: str
    markPrice: str = ""


class FundingInfoRow(Struct):
    """One element of fundingInfo: a symbol whose funding interval was ever changed."""

    symbol: str
    fundingIntervalHours: int


class AssetRow(Struct):
    """One currency of an account; `marginBalance` counts open positions at the mark."""

    asset: str
    marginBalance: str
    availableBalance: str
    initialMargin: str


class PositionRow(Struct):
    """One position of an account; `notional` is signed and at the mark."""

    symbol: str
    positionSide: str
    positionAmt: str
    unrealizedProfit: str
    notional: str
    initialMargin: str


class AccountAnswer(Struct):
    """The answer to v3/account."""

    assets: list[AssetRow]
    positions: list[PositionRow]


class SymbolFilter(Struct):
    """One rule of a symbol; which fields it has depends on its type."""

    filterType: str
    tickSize: str | None = None
    stepSize: str | None = None
    maxQty: str | None = None
    notional: str | None = None


class SymbolRow(Struct):
    """One symbol of exchangeInfo."""

    symbol: str
    contractType: str
    status: str
    baseAsset: str
    quoteAsset: str
    marginAsset: str
    filters: list[SymbolFilter]


class ExchangeInfo(Struct):
    """The answer to exchangeInfo, each symbol still to be read."""

    symbols: list[Any]


class MarkRow(Struct):
    """One element of premiumIndex."""

    symbol: str
    markPrice: str


class DepthAnswer(Struct):
    """The answer to depth."""

    lastUpdateId: int
    T: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class AggregateTrade(Struct):
    """One element of aggTrades; `m` tells that the buyer was the maker."""

    a: int
    p: str
    q: str
    T: int
    m: bool


class TimeAnswer(Struct):
    """The answer to time, in milliseconds."""

    serverTime: int


class ListenKeyAnswer(Struct):
    """The answer to listenKey."""

    listenKey: str
