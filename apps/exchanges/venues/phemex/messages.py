"""The shapes of what Phemex sends. Amounts are text ("real values"), times whole nanoseconds unless said otherwise.

https://phemex-docs.github.io/#usds-m-perpetual-rest-api. Fields nobody asked for are ignored.
"""

# ruff: noqa: N815 - the names are the venue's
from __future__ import annotations

from typing import Generic, Literal, TypeVar

from msgspec import Struct

T = TypeVar("T")

SideWord = Literal["Buy", "Sell"]
# The socket has been seen to send its own stamps as text and as a number.
Nanoseconds = int | str


class Answer(Struct, Generic[T]):
    """The envelope of everything but prices."""

    code: int | str
    data: T
    msg: str | None = ""


class MarketError(Struct):
    """Why a price was not told."""

    code: int | str
    message: str | None = ""


class MarketAnswer(Struct, Generic[T]):
    """The envelope of prices."""

    result: T


class Verdict(Struct):
    """What either envelope says about itself, whatever it carries."""

    code: int | str = 0
    msg: str | None = ""
    error: MarketError | None = None


class Product(Struct):
    """One perpetual of `perpProductsV2`."""

    symbol: str
    type: str
    status: str
    code: int
    baseCurrency: str
    quoteCurrency: str
    settleCurrency: str
    tickSize: str
    qtyStepSize: str
    minOrderValueRv: str
    maxLeverage: int | float
    maxOrderQtyRq: str = ""


class Products(Struct):
    """The part of `/public/products` that is about perpetuals."""

    perpProductsV2: list[object]


class ProductKind(Struct):
    """What tells whether a product is one of ours."""

    type: str
    settleCurrency: str = ""
    status: str = ""


class OrderRow(Struct):
    """An order as the order endpoints tell it."""

    symbol: str
    orderID: str
    side: SideWord
    orderQtyRq: str
    ordStatus: str
    clOrdID: str = ""
    cumQtyRq: str = "0"
    leavesQtyRq: str = "0"
    priceRp: str = "0"
    stopPxRp: str = "0"
    actionTimeNs: int = 0
    transactTimeNs: int = 0
    reduceOnly: bool = False
    execInst: str = ""
    bizError: int | str = 0
    message: str = ""


class Outcome(Struct):
    """The part of an answer to a write that says whether it was carried out."""

    bizError: int | str = 0
    orderID: str = ""
    ordStatus: str = ""
    cumQtyRq: str = "0"
    message: str = ""


class PastOrder(Struct):
    """An order as the history tells it: the same, with other letters in the names of its ids."""

    symbol: str
    orderId: str
    ordStatus: str
    clOrdId: str = ""
    cumQtyRq: str = "0"
    transactTimeNs: int = 0


class OrderPage(Struct):
    """The rows of `activeList`; `nextPageArg` is not empty when there are more than one answer tells."""

    rows: list[object]
    nextPageArg: str | None = ""


class TradeRow(Struct):
    """A fill as `/api-data/g-futures/trades` tells it."""

    transactTimeNs: int
    symbol: str
    currency: str
    side: SideWord
    tradeType: str
    execQtyRq: str
    execPriceRp: str
    execFeeRv: str
    execID: str
    orderID: str
    execStatus: str
    clOrdID: str = ""
    ptFeeRv: str | int | float = "0"


class TradeKind(Struct):
    """What tells a fill from a funding payment in the list of trades."""

    tradeType: str = ""


class AccountRow(Struct):
    """The USDT account."""

    currency: str
    accountBalanceRv: str
    totalUsedBalanceRv: str


class PositionRow(Struct):
    """One symbol the account has dealt in. `valueRv` is what was paid for it, not what it is worth."""

    symbol: str
    side: Literal["Buy", "Sell", "None"]
    size: str
    valueRv: str
    avgEntryPriceRp: str
    markPriceRp: str
    leverageRr: str
    posSide: str = "Merged"


class AccountPositions(Struct):
    """The account and its positions."""

    account: AccountRow
    positions: list[PositionRow]


class SymbolRow(Struct):
    """The name of a position row, whatever else is in it."""

    symbol: str


class AccountSymbols(Struct):
    """Which symbols an account has dealt in."""

    positions: list[SymbolRow]


class FundingRow(Struct):
    """A funding payment; `execFeeRv` is positive when it was paid, `createTime` in milliseconds."""

    symbol: str
    currency: str
    execQtyRq: str
    side: SideWord
    fundingRateRr: str
    execFeeRv: str
    createTime: int


class FundingPage(Struct):
    """The rows of funding-fees."""

    rows: list[object]


class FundingRateRow(Struct):
    """A rate that was paid; the time in milliseconds."""

    fundingRate: str
    fundingTime: int


class FundingRates(Struct):
    """The rows of funding-rate-history."""

    rows: list[FundingRateRow]


class TickerRow(Struct):
    """The mark price of one symbol."""

    symbol: str
    markPriceRp: str


# Time in seconds, length in seconds, the close before, open, high, low, close, volume, turnover.
KlineRow = tuple[int, int, str, str, str, str, str, str, str]
Level = tuple[str, str]


class Klines(Struct):
    """The rows of a kline answer."""

    rows: list[KlineRow]


class Sides(Struct):
    """Both sides of a book or of a difference."""

    asks: list[Level]
    bids: list[Level]


class BookMessage(Struct):
    """A book or a difference, over HTTP and in the stream."""

    orderbook_p: Sides
    sequence: int
    symbol: str
    timestamp: Nanoseconds
    type: Literal["snapshot", "incremental"]
