"""What goes into the engine and what comes out: plain frozen data, amounts in Decimal.

Times are whole milliseconds since 1970-01-01 UTC in the run's own clock. Addresses are lower-case
hex strings. Prices are quote currency per base unit, sizes base units without direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from apps.exchanges.mock.engine.reports import (
    AccountState,
    Agent,
    AssetContext,
    BalanceState,
    BookView,
    Candle,
    Fill,
    ForcedClose,
    FundingPayment,
    FundingRate,
    LevelView,
    PositionState,
    Trade,
)
from moondev.domain.errors import InvalidValue, TradingError

__all__ = [
    "ASSET_DECIMALS",
    "CASH_DECIMALS",
    "AccountState",
    "Ack",
    "Agent",
    "AssetContext",
    "BalanceState",
    "BookView",
    "CancelAck",
    "CancelReason",
    "Cancelled",
    "Candle",
    "Done",
    "Fill",
    "Filled",
    "ForcedClose",
    "FundingPayment",
    "FundingRate",
    "Grouping",
    "InstrumentSpec",
    "LevelView",
    "NewOrder",
    "OrderSnapshot",
    "OrderStatus",
    "PositionState",
    "RejectCode",
    "Rejected",
    "Resting",
    "SelfTrade",
    "Tif",
    "TpSl",
    "Trade",
    "Trigger",
    "UnknownAccount",
    "WaitingForFill",
    "WaitingForTrigger",
]

CASH_DECIMALS = 6
# Of a spot balance, whatever the asset: fine enough for the fee on one lot.
ASSET_DECIMALS = 8


class UnknownAccount(TradingError):
    """Nobody opened an account for this address."""

    def __init__(self, address: str) -> None:
        """Keep the address that was asked for."""
        super().__init__(f"address is {address!r}; allowed: an address with an account")
        self.address = address


@dataclass(frozen=True, slots=True)
class InstrumentSpec:
    """One perpetual, or one spot pair, and its rules.

    `base` is the asset a spot pair trades for its `quote`; None is a perpetual. `coin` is the instrument's name either
    way, and unique within the venue.
    `sz_decimals` are the decimals of a size. Price and size decimals add up to six, so a notional
    always has exactly six. `sig_figs` caps the significant figures of a price that is not an
    integer; venues that have a `tick` instead set no such cap. `min_notional` is in `quote` currency and
    does not bind reduce-only orders.
    """

    coin: str
    asset_id: int
    sz_decimals: int
    max_leverage: int
    sig_figs: int = 5
    min_notional: Decimal = Decimal(10)
    tick: Decimal | None = None
    quote: str = "USDC"
    base: str | None = None

    def __post_init__(self) -> None:
        """Refuse decimals, leverage, figures or a tick the engine cannot represent."""
        if not 0 <= self.sz_decimals <= CASH_DECIMALS:
            raise InvalidValue("sz_decimals", self.sz_decimals, f"0 to {CASH_DECIMALS}")
        if self.max_leverage < 1:
            raise InvalidValue("max_leverage", self.max_leverage, "1 or more")
        if self.sig_figs < 1:
            raise InvalidValue("sig_figs", self.sig_figs, "1 or more")
        smallest = Decimal(1).scaleb(-self.price_max_decimals)
        if self.tick is not None and (self.tick <= 0 or self.tick % smallest):
            raise InvalidValue("tick", self.tick, f"a multiple of {smallest}")
        if self.base is not None and self.base in ("", self.quote):
            raise InvalidValue("base", self.base, "another asset than the quote")

    @property
    def is_spot(self) -> bool:
        """Return whether assets change hands here, instead of a position being opened."""
        return self.base is not None

    @property
    def lot(self) -> Decimal:
        """Return the smallest size, of which every size is a multiple."""
        return Decimal(1).scaleb(-self.sz_decimals)

    @property
    def price_max_decimals(self) -> int:
        """Return how many decimals a price may have."""
        return CASH_DECIMALS - self.sz_decimals


class Tif(StrEnum):
    """Time in force. FRONTEND_MARKET matches like IOC and is refused with another code; FOK is all or nothing."""

    GTC = "Gtc"
    IOC = "Ioc"
    ALO = "Alo"
    FOK = "Fok"
    FRONTEND_MARKET = "FrontendMarket"

    @property
    def immediate(self) -> bool:
        """Return whether an unmatched remainder is cancelled at once."""
        return self in (Tif.IOC, Tif.FOK, Tif.FRONTEND_MARKET)


class TpSl(StrEnum):
    """Whether a trigger takes profit or stops a loss; with the side it gives the direction."""

    TP = "tp"
    SL = "sl"


class Grouping(StrEnum):
    """How the orders of one request belong together.

    NORMAL_TPSL: the first is the parent, the rest wait for its fill and exclude each other.
    POSITION_TPSL: all follow the size of the position and exclude each other.
    """

    NA = "na"
    NORMAL_TPSL = "normalTpsl"
    POSITION_TPSL = "positionTpsl"


class SelfTrade(StrEnum):
    """Which order ends when an account would trade with itself: its resting one, the arriving one, both, or none.

    The arriving order decides, as at every venue here.
    """

    CANCEL_MAKER = "cancel_maker"
    CANCEL_TAKER = "cancel_taker"
    CANCEL_BOTH = "cancel_both"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Trigger:
    """Hold the order back until the mark price reaches `trigger_px`.

    `is_market`: execute at once up to the order's price; else rest as a limit order.
    """

    is_market: bool
    trigger_px: Decimal
    tpsl: TpSl


@dataclass(frozen=True, slots=True)
class NewOrder:
    """Ask for an order. `price` is the worst acceptable price, for market orders too.

    `tif` is ignored when there is a `trigger`. `cloid` None means no client order id. The order is cancelled at
    `expires_ms`; None means never. `builder_ppm` is what the client's maker takes of the notional, besides the fee.
    """

    coin: str
    is_buy: bool
    size: Decimal
    price: Decimal
    tif: Tif = Tif.GTC
    reduce_only: bool = False
    trigger: Trigger | None = None
    cloid: str | None = None
    self_trade: SelfTrade = SelfTrade.CANCEL_MAKER
    expires_ms: int | None = None
    builder_ppm: int = 0


class RejectCode(StrEnum):
    """Why a request was refused."""

    UNKNOWN_COIN = "unknown_coin"
    ZERO_SIZE = "zero_size"
    INVALID_SIZE = "invalid_size"
    TICK = "tick"
    MIN_NOTIONAL = "min_notional"
    PRICE_TOO_FAR = "price_too_far"
    INSUFFICIENT_MARGIN = "insufficient_margin"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    REDUCE_ONLY = "reduce_only"
    BAD_ALO_PRICE = "bad_alo_price"
    IOC_NO_MATCH = "ioc_no_match"
    FOK_NO_MATCH = "fok_no_match"
    NO_LIQUIDITY = "no_liquidity"
    BAD_TRIGGER_PRICE = "bad_trigger_price"
    DUPLICATE_CLOID = "duplicate_cloid"
    TOO_MANY_OPEN_ORDERS = "too_many_open_orders"
    PARENT_REJECTED = "parent_rejected"
    UNKNOWN_ORDER = "unknown_order"
    CANNOT_MODIFY = "cannot_modify"
    ALREADY_EXPIRED = "already_expired"
    INVALID_LEVERAGE = "invalid_leverage"
    AGENT_IN_USE = "agent_in_use"
    MARGIN_MODE_LOCKED = "margin_mode_locked"
    NO_ISOLATED_POSITION = "no_isolated_position"
    SCHEDULE_TOO_SOON = "schedule_too_soon"
    SCHEDULE_LIMIT = "schedule_limit"


class CancelReason(StrEnum):
    """Why an order that was accepted ended without being filled completely."""

    USER = "user"
    MARGIN = "margin"
    REDUCE_ONLY = "reduce_only"
    SELF_TRADE = "self_trade"
    SIBLING_FILLED = "sibling_filled"
    PARENT = "parent"
    SCHEDULED = "scheduled"
    EXPIRED = "expired"
    LIQUIDATED = "liquidated"
    IMMEDIATE_REMAINDER = "immediate_remainder"


class OrderStatus(StrEnum):
    """Where an order stands. TRIGGERED is passed through on the way to the book.

    OPEN is a resting order and also a trigger order that still waits.
    """

    OPEN = "open"
    TRIGGERED = "triggered"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        """Return whether nothing can follow."""
        return self in (OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED)


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """One order at one moment.

    `size` is the original size (less what a reduce-only cut took), `remaining` what may still be
    filled. `reason` belongs to CANCELED and REJECTED. `children` are the oids that wait for its
    fill. `waiting` tells a trigger or child order that is not in the book yet.
    """

    oid: int
    cloid: str | None
    coin: str
    is_buy: bool
    price: Decimal
    size: Decimal
    remaining: Decimal
    tif: Tif
    reduce_only: bool
    trigger: Trigger | None
    position_tpsl: bool
    waiting: bool
    children: tuple[int, ...]
    placed_ms: int
    status: OrderStatus
    status_ms: int
    reason: CancelReason | RejectCode | None

    @property
    def filled(self) -> Decimal:
        """Return how much was filled, in base units."""
        return self.size - self.remaining


@dataclass(frozen=True, slots=True)
class Resting:
    """The order stands in the book."""

    oid: int
    cloid: str | None


@dataclass(frozen=True, slots=True)
class Filled:
    """The order was filled at once, completely or (IOC) as far as the book went.

    `total_sz` 0: it ended without a fill because it would have traded with its owner's own order.
    """

    oid: int
    cloid: str | None
    total_sz: Decimal
    avg_px: Decimal


@dataclass(frozen=True, slots=True)
class Rejected:
    """The request was refused. `detail` is plain English; the quotes belong to BAD_ALO_PRICE.

    `oid` is set when the refusal is on record as an order, None when it is not.
    """

    code: RejectCode
    detail: str = ""
    oid: int | None = None
    best_bid: Decimal | None = None
    best_ask: Decimal | None = None


@dataclass(frozen=True, slots=True)
class WaitingForTrigger:
    """The order waits for the mark price."""

    oid: int
    cloid: str | None


@dataclass(frozen=True, slots=True)
class WaitingForFill:
    """The order waits for its parent's fill."""

    oid: int
    cloid: str | None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The cancel took effect."""

    oid: int


@dataclass(frozen=True, slots=True)
class Done:
    """The request took effect and there is nothing to tell."""


Ack: TypeAlias = Resting | Filled | Rejected | WaitingForTrigger | WaitingForFill
CancelAck: TypeAlias = Cancelled | Rejected
