"""The shapes of Hyperliquid's JSON, as far as we read it; msgspec checks every field and type.

Fields we do not read are allowed to appear: the venue adds some without notice (`liquidation`,
`twapId` and `builderFee` all came that way), and a new field changes no meaning of an old one.
Names are the venue's own. Numbers arrive as strings: those of orders and money stay strings here, those of market data
are decoded as float64 by a decoder that is told to (`strict=False`).
"""

# ruff: noqa: N815 - the names are the venue's
from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Raw, Struct, field

from moondev.domain.market_data import BookLevel

SideLetter = Literal["A", "B"]
# Market data is read as float64 straight from the venue's text; neither NaN nor infinity is within bounds.
PriceText = Annotated[float, msgspec.Meta(gt=0, le=sys.float_info.max)]
SizeText = Annotated[float, msgspec.Meta(ge=0, le=sys.float_info.max)]
NumberText = Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


class Envelope(Struct):
    """Every websocket message."""

    channel: str
    data: Raw = field(default_factory=Raw)


class Level(BookLevel, frozen=True, gc=False, rename={"price": "px", "size": "sz"}):
    """One price of a book."""

    price: PriceText
    size: SizeText


class BookMessage(Struct, gc=False):
    """`l2Book`, over the socket and over HTTP."""

    coin: str
    levels: tuple[tuple[Level, ...], tuple[Level, ...]]
    time: int


class BestQuoteMessage(Struct, gc=False):
    """`bbo`."""

    coin: str
    time: int
    bbo: tuple[Level | None, Level | None]


class TradeMessage(Struct, gc=False):
    """One element of `trades`; the side is the aggressor's."""

    coin: str
    side: SideLetter
    px: PriceText
    sz: SizeText
    time: int
    tid: int


class CandleMessage(Struct):
    """`candle` and one element of candleSnapshot; `t` is the open time."""

    t: int
    s: str
    i: str
    o: PriceText
    c: PriceText
    h: PriceText
    l: PriceText  # noqa: E741 - the venue's name
    v: SizeText


class AssetContext(Struct):
    """The part of an asset's context that we read; `markPx` is null for what never traded."""

    oraclePx: str
    funding: str
    markPx: str | None = None


class StreamedContext(Struct):
    """The same over the socket, as market data."""

    oraclePx: PriceText
    funding: NumberText
    markPx: PriceText | None = None


class AssetContextMessage(Struct):
    """`activeAssetCtx`."""

    coin: str
    ctx: StreamedContext


class OrderMessage(Struct):
    """An order as every read shows it; `sz` is what remains, `origSz` what was asked for."""

    coin: str
    side: SideLetter
    limitPx: str
    sz: str
    oid: int
    timestamp: int
    origSz: str
    cloid: str | None = None
    reduceOnly: bool = False
    isTrigger: bool = False
    triggerPx: str = "0.0"


class OrderUpdateMessage(Struct):
    """One element of `orderUpdates`, and the `order` of an orderStatus answer."""

    order: OrderMessage
    status: str
    statusTimestamp: int


class OrderStatusAnswer(Struct):
    """The answer to orderStatus; `order` is absent for an id the venue never heard of."""

    status: Literal["order", "unknownOid"]
    order: OrderUpdateMessage | None = None


class LiquidationMessage(Struct):
    """On fills that came from a liquidation, ours or the other side's."""

    liquidatedUser: str


class FillMessage(Struct):
    """One fill; `crossed` means that we took liquidity, `fee` is positive when paid."""

    coin: str
    px: str
    sz: str
    side: SideLetter
    time: int
    dir: str
    oid: int
    crossed: bool
    fee: str
    tid: int
    feeToken: str
    cloid: str | None = None
    liquidation: LiquidationMessage | None = None


class UserFillsMessage(Struct):
    """`userFills`, each still to be read; the first message after subscribing is a snapshot."""

    user: str
    fills: list[Any]
    isSnapshot: bool = False


class FundingMessage(Struct):
    """One funding payment over the socket; `usdc` is positive when received."""

    time: int
    coin: str
    usdc: str
    szi: str
    fundingRate: str


class UserFundingsMessage(Struct):
    """`userFundings`, each still to be read; the first message after subscribing is a snapshot."""

    user: str
    fundings: list[Any]
    isSnapshot: bool = False


class FundingDelta(Struct):
    """The payment inside one row of userFunding."""

    type: Literal["funding"]
    coin: str
    usdc: str
    szi: str
    fundingRate: str


class FundingRow(Struct):
    """One row of userFunding over HTTP."""

    time: int
    delta: FundingDelta


class FundingRateMessage(Struct):
    """One element of fundingHistory: what every position of a coin paid."""

    coin: str
    fundingRate: str
    time: int


class LeverageMessage(Struct):
    """The leverage of a position."""

    type: Literal["cross", "isolated"]
    value: int


class PositionMessage(Struct):
    """A position; `positionValue` is unsigned, `szi` signed."""

    coin: str
    szi: str
    leverage: LeverageMessage
    positionValue: str
    unrealizedPnl: str
    entryPx: str | None = None


class AssetPosition(Struct):
    """One element of `assetPositions`."""

    position: PositionMessage


class MarginSummary(Struct):
    """Totals of an account, isolated positions included."""

    accountValue: str
    totalMarginUsed: str


class ClearinghouseState(Struct):
    """The answer to clearinghouseState; old recordings have no `time`."""

    assetPositions: list[AssetPosition]
    marginSummary: MarginSummary
    withdrawable: str
    time: int | None = None


class AccountStateMessage(Struct):
    """The data of the channel clearinghouseState; the state itself is read as the answer of the same name is."""

    clearinghouseState: dict[str, Any]


class AssetMeta(Struct):
    """One perpetual; its place in the list is its asset number, delisted ones keep theirs."""

    name: str
    szDecimals: int
    maxLeverage: int
    isDelisted: bool = False


class Meta(Struct):
    """The answer to meta."""

    universe: list[AssetMeta]


class SpotPair(Struct):
    """One spot pair; orders call it by this name."""

    name: str
    index: int


class SpotMeta(Struct):
    """The answer to spotMeta."""

    universe: list[SpotPair]


class Resting(Struct):
    """The order rests."""

    oid: int


class Filled(Struct):
    """The order traded at once; `totalSz` may be less than what was asked for."""

    totalSz: str
    oid: int


class Outcome(Struct):
    """What became of one item of a request: exactly one of the three."""

    resting: Resting | None = None
    filled: Filled | None = None
    error: str | None = None


class Outcomes(Struct):
    """The items of an answer, in the order of the request; words stand for "success" and the like."""

    statuses: list[str | Outcome]


class ActionResponse(Struct):
    """What an accepted request says; `data` is absent where there is nothing per item."""

    type: str
    data: Outcomes | None = None


class ActionAnswer(Struct):
    """The whole answer to an action: `response` is a sentence when `status` is err."""

    status: Literal["ok", "err"]
    response: str | ActionResponse


class RequestAllowance(Struct):
    """How many requests an account has made and may make in all; `nRequestsSurplus` were bought besides."""

    nRequestsUsed: int
    nRequestsCap: int
    nRequestsSurplus: int = 0
