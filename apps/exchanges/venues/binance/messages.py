"""The shapes of Binance's futures JSON, as far as we read it; msgspec checks every field and type.

Fields we do not read may appear: the venue adds some without notice. Amounts arrive as text and stay text here.
Names are the venue's own; those of the streams are single letters, renamed here.
"""

# ruff: noqa: N815 - the names are the venue's
from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

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


# streams


class Told(Struct):
    """What every message of a stream is told apart by: an event, an answer, or a refusal."""

    event: str | None = field(name="e", default=None)
    id: int | None = None
    error: ErrorBody | None = None


class DepthEvent(Struct):
    """`depthUpdate`: the changes after `previous`, up to and including `last`."""

    symbol: str = field(name="s")
    time: int = field(name="T")
    first: int = field(name="U")
    last: int = field(name="u")
    previous: int = field(name="pu")
    bids: list[tuple[str, str]] = field(name="b")
    asks: list[tuple[str, str]] = field(name="a")


class QuoteEvent(Struct):
    """`bookTicker`."""

    symbol: str = field(name="s")
    time: int = field(name="T")
    bid: str = field(name="b")
    bid_size: str = field(name="B")
    ask: str = field(name="a")
    ask_size: str = field(name="A")


class TradeEvent(Struct):
    """`aggTrade`; `buyer_made` tells that the buyer was the maker, so the aggressor sold."""

    symbol: str = field(name="s")
    number: int = field(name="a")
    price: str = field(name="p")
    size: str = field(name="q")
    time: int = field(name="T")
    buyer_made: bool = field(name="m")


class Bar(Struct):
    """The bar inside a `kline` event."""

    opened_ms: int = field(name="t")
    interval: str = field(name="i")
    open: str = field(name="o")
    close: str = field(name="c")
    high: str = field(name="h")
    low: str = field(name="l")
    volume: str = field(name="v")
    closed: bool = field(name="x")


class BarEvent(Struct):
    """`kline`."""

    symbol: str = field(name="s")
    bar: Bar = field(name="k")


class MarkEvent(Struct):
    """`markPriceUpdate`; `rate` is for the whole funding interval."""

    symbol: str = field(name="s")
    mark: str = field(name="p")
    index: str = field(name="i")
    rate: str = field(name="r")


class OrderNews(Struct):
    """The order inside an `ORDER_TRADE_UPDATE`. The last trade's fields say nothing unless `execution` is one."""

    symbol: str = field(name="s")
    client_id: str = field(name="c")
    side: SideWord = field(name="S")
    quantity: str = field(name="q")
    execution: str = field(name="x")
    status: str = field(name="X")
    order_id: int = field(name="i")
    filled: str = field(name="z")
    time: int = field(name="T")
    trade_id: int = field(name="t")
    last_size: str = field(name="l")
    last_price: str = field(name="L")
    maker: bool = field(name="m")
    fee: str | None = field(name="n", default=None)
    fee_asset: str | None = field(name="N", default=None)
    algo_id: int = field(name="si", default=0)


class OrderEvent(Struct):
    """`ORDER_TRADE_UPDATE`."""

    order: OrderNews = field(name="o")


class AlgoNews(Struct):
    """The order inside an `ALGO_UPDATE`."""

    client_id: str = field(name="caid")
    algo_id: int = field(name="aid")
    symbol: str = field(name="s")
    status: str = field(name="X")
    order_id: str = field(name="ai", default="")
    reason: str = field(name="rm", default="")


class AlgoEvent(Struct):
    """`ALGO_UPDATE`."""

    time: int = field(name="T")
    order: AlgoNews = field(name="o")


class BalanceItem(Struct):
    """One currency in an `ACCOUNT_UPDATE`."""

    asset: str = field(name="a")
    wallet: str = field(name="wb")


class PositionItem(Struct):
    """One position in an `ACCOUNT_UPDATE`."""

    symbol: str = field(name="s")
    amount: str = field(name="pa")
    side: str = field(name="ps")


class AccountChange(Struct):
    """What an `ACCOUNT_UPDATE` is about."""

    balances: list[BalanceItem] = field(name="B", default_factory=list)
    positions: list[PositionItem] = field(name="P", default_factory=list)


class AccountEvent(Struct):
    """`ACCOUNT_UPDATE`."""

    time: int = field(name="T")
    change: AccountChange = field(name="a")
