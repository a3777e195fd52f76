"""Shapes of what the indexer and the node say. Amounts are text; what nobody needs is left out and ignored.

https://docs.dydx.xyz/indexer-client/http and https://docs.dydx.xyz/indexer-client/websockets
"""

# ruff: noqa: N815 - the names are the venue's
from __future__ import annotations

from typing import Any, Literal

import msgspec

BuySell = Literal["BUY", "SELL"]
# The two ways in which the indexer writes a price of a book: an object in a snapshot, a pair in a difference.
Levels = list["LevelMessage"]
Pairs = list[tuple[str, str]]


class LevelMessage(msgspec.Struct):
    """One price of a book."""

    price: str
    size: str


class BookMessage(msgspec.Struct):
    """A whole book."""

    bids: Levels
    asks: Levels


class BookDifference(msgspec.Struct):
    """Prices that changed; a size of zero takes one out."""

    bids: Pairs = []
    asks: Pairs = []


class MarketMessage(msgspec.Struct):
    """A perpetual market. The integers are exponents and steps in quantums (wire.md 0.4: JSON integers)."""

    clobPairId: str
    ticker: str
    status: str
    oraclePrice: str | None
    nextFundingRate: str
    initialMarginFraction: str
    atomicResolution: int
    quantumConversionExponent: int
    tickSize: str
    stepSize: str
    stepBaseQuantums: int
    subticksPerTick: int


class MarketsMessage(msgspec.Struct):
    """All markets, by ticker."""

    markets: dict[str, Any]


class OracleMessage(msgspec.Struct):
    """A new oracle price."""

    oraclePrice: str


class TradingMessage(msgspec.Struct):
    """What changed of a market beside its price."""

    nextFundingRate: str | None = None


class MarketsDifference(msgspec.Struct):
    """What changed of some markets."""

    oraclePrices: dict[str, OracleMessage] = {}
    trading: dict[str, TradingMessage] = {}


class TradeMessage(msgspec.Struct):
    """A public trade; the side is the taker's."""

    id: str
    side: BuySell
    size: str
    price: str
    createdAt: str


class TradesMessage(msgspec.Struct):
    """Public trades, newest first."""

    trades: list[TradeMessage]


class CandleMessage(msgspec.Struct):
    """A bar with at least one trade; there are none of minutes in which nothing was traded."""

    startedAt: str
    ticker: str
    resolution: str
    low: str
    high: str
    open: str
    close: str
    baseTokenVolume: str


class CandlesMessage(msgspec.Struct):
    """Bars, newest first."""

    candles: list[CandleMessage]


class FundingRateMessage(msgspec.Struct):
    """The rate of one hour."""

    rate: str
    effectiveAt: str


class FundingRatesMessage(msgspec.Struct):
    """Rates, newest first."""

    historicalFunding: list[FundingRateMessage]


class OrderMessage(msgspec.Struct):
    """An order. Short-term ones carry a last block, the others a last second."""

    id: str
    clientId: str
    clobPairId: str
    side: BuySell
    size: str
    price: str
    status: str
    orderFlags: str
    reduceOnly: bool = False
    ticker: str = ""
    totalFilled: str = "0"
    goodTilBlock: str | None = None
    goodTilBlockTime: str | None = None
    triggerPrice: str | None = None
    updatedAt: str | None = None
    removalReason: str = ""


class NamedOrder(msgspec.Struct):
    """As much of an order as it takes to cancel it."""

    id: str
    clientId: str
    clobPairId: str
    orderFlags: str
    ticker: str = ""
    reduceOnly: bool = False


class FillMessage(msgspec.Struct):
    """A fill of the account. The stream calls the market by either of two words."""

    id: str
    side: BuySell
    liquidity: Literal["TAKER", "MAKER"]
    type: str
    price: str
    size: str
    fee: str
    createdAt: str
    market: str = ""
    ticker: str = ""
    orderId: str | None = None


class FillsMessage(msgspec.Struct):
    """Fills, newest first."""

    fills: list[Any]


class FundingPaymentMessage(msgspec.Struct):
    """A funding payment, positive when received."""

    createdAt: str
    ticker: str
    size: str
    rate: str
    payment: str


class FundingPaymentsMessage(msgspec.Struct):
    """Funding payments, newest first."""

    fundingPayments: list[Any]


class PositionMessage(msgspec.Struct):
    """A position; the size of a short one is negative. Of a closed one the stream may say little."""

    market: str
    status: str
    size: str
    entryPrice: str | None = None
    unrealizedPnl: str | None = None


class AssetMessage(msgspec.Struct):
    """What the account has in the bank: a size without a sign and a side."""

    symbol: str
    side: Literal["LONG", "SHORT"]
    size: str


class SubaccountMessage(msgspec.Struct):
    """An account as the indexer sees it."""

    equity: str
    freeCollateral: str
    openPerpetualPositions: dict[str, PositionMessage]
    assetPositions: dict[str, AssetMessage]


class SubaccountAnswer(msgspec.Struct):
    """The answer to a question for one subaccount."""

    subaccount: SubaccountMessage


class AccountFirst(msgspec.Struct):
    """What an account's stream begins with."""

    subaccount: SubaccountMessage
    orders: list[Any] = []
    blockHeight: str = ""


class AccountNews(msgspec.Struct):
    """What an account's stream goes on with."""

    orders: list[Any] = []
    fills: list[Any] = []
    perpetualPositions: list[Any] = []
    assetPositions: list[Any] = []
    blockHeight: str = ""


class BlockMessage(msgspec.Struct):
    """A block; the first message and those after it use different words."""

    height: str = ""
    blockHeight: str = ""


class HeightMessage(msgspec.Struct):
    """The indexer's last block."""

    height: str


class Envelope(msgspec.Struct):
    """What every message of the indexer's socket is wrapped in. `contents` is read once the channel is known.

    The `id` is a topic's, or the number of a ping in the answer to it.
    """

    type: str
    message_id: int
    channel: str = ""
    id: str | int = ""
    contents: msgspec.Raw = msgspec.Raw(b"null")
    message: str = ""


class AbciResponse(msgspec.Struct):
    """The inner part of the node's word on itself."""

    last_block_height: str


class AbciInfo(msgspec.Struct):
    """The node's word on itself."""

    response: AbciResponse


class AbciAnswer(msgspec.Struct):
    """The answer of abci_info."""

    result: AbciInfo


class Checked(msgspec.Struct):
    """What a node made of a transaction: 0, or why it does not take it."""

    code: int
    log: str = ""
    codespace: str = ""
    hash: str = ""


class BroadcastAnswer(msgspec.Struct):
    """The answer of broadcast_tx_sync."""

    result: Checked


class AccountInfo(msgspec.Struct):
    """An account on the chain; its number is part of every signature."""

    account_number: str


class AccountAnswer(msgspec.Struct):
    """The answer of account_info."""

    info: AccountInfo
