"""What the engine reports: trades, books, bars, accounts. Plain frozen data, amounts in Decimal.

Times are whole milliseconds since 1970-01-01 UTC in the run's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ForcedClose:
    """How a liquidation was filled: the mark at the time, and whether the venue's fund took the position over."""

    mark_px: Decimal
    takeover: bool


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of one account. `start_position` is signed and from before the fill.

    On a spot pair that is what the account had of the base asset. `closed_pnl` is gross of `fee` and in quote currency;
    `fee` is in `fee_asset`: the asset received on a spot pair, the quote otherwise. `builder_fee`, in quote, is part of
    it. `crossed` tells the taker.
    """

    coin: str
    oid: int
    cloid: str | None
    tid: int
    is_buy: bool
    price: Decimal
    size: Decimal
    time_ms: int
    start_position: Decimal
    closed_pnl: Decimal
    fee: Decimal
    fee_asset: str
    crossed: bool
    liquidation: ForcedClose | None
    builder_fee: Decimal = Decimal(0)

    @property
    def end_position(self) -> Decimal:
        """Return the signed position after the fill."""
        return self.start_position + (self.size if self.is_buy else -self.size)


@dataclass(frozen=True, slots=True)
class BalanceState:
    """What an account has of one asset at the spot market; `held` of it is tied up by its open orders.

    `entry_notional` is what the total was bought for, in quote currency; deposits cost nothing.
    """

    asset: str
    total: Decimal
    held: Decimal
    entry_notional: Decimal

    @property
    def free(self) -> Decimal:
        """Return what may be spent."""
        return self.total - self.held


@dataclass(frozen=True, slots=True)
class Trade:
    """One public trade; `is_buy` is the aggressor's side."""

    coin: str
    tid: int
    is_buy: bool
    price: Decimal
    size: Decimal
    time_ms: int
    buyer: str
    seller: str


@dataclass(frozen=True, slots=True)
class LevelView:
    """One price of the book: price, total size, number of orders."""

    price: Decimal
    size: Decimal
    orders: int


@dataclass(frozen=True, slots=True)
class BookView:
    """The top of one book: bids falling, asks rising."""

    coin: str
    time_ms: int
    bids: tuple[LevelView, ...]
    asks: tuple[LevelView, ...]


@dataclass(frozen=True, slots=True)
class Candle:
    """One bar; `close_ms` is its last millisecond, `volume` in base units, `trades` their count."""

    coin: str
    interval: str
    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int


@dataclass(frozen=True, slots=True)
class PositionState:
    """One position at the mark. `size` is signed; `liquidation_px` None when out of reach.

    `margin_used` of an isolated position is what it has: `isolated_margin`, which it was given, and its unrealised
    profit. `isolated_margin` is None of a cross position.
    `cum_funding` is what the account paid (positive) or received since it was opened.
    """

    coin: str
    size: Decimal
    entry_px: Decimal
    mark_px: Decimal
    position_value: Decimal
    unrealised_pnl: Decimal
    return_on_equity: Decimal
    leverage: int
    max_leverage: int
    is_cross: bool
    margin_used: Decimal
    isolated_margin: Decimal | None
    liquidation_px: Decimal | None
    cum_funding: Decimal


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account at the marks, exact to six decimals.

    `account_value` = deposit + realised cash flows - fees + funding + sum of size x mark, where a
    purchase is a negative cash flow. `cash` is the same without the positions. `funding` is what
    was paid (positive) or received; `volume` the quote currency traded so far; `forfeited` what the insurance fund took
    (or paid, negative), which the account value has lost.

    `cross_value` and `cross_margin` leave the isolated positions out, as do `maintenance_margin` and `withdrawable`.
    """

    address: str
    time_ms: int
    deposit: Decimal
    cash: Decimal
    account_value: Decimal
    cross_value: Decimal
    total_notional: Decimal
    margin_used: Decimal
    cross_margin: Decimal
    order_margin: Decimal
    maintenance_margin: Decimal
    withdrawable: Decimal
    fees: Decimal
    funding: Decimal
    forfeited: Decimal
    volume: Decimal
    positions: tuple[PositionState, ...]


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """One hourly payment. `paid` is positive when the account paid; `rate` a fraction."""

    coin: str
    time_ms: int
    paid: Decimal
    position: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True)
class FundingRate:
    """One hour's rate of a coin: fractions of the notional per hour; positive: longs pay."""

    coin: str
    time_ms: int
    rate: Decimal
    premium: Decimal


@dataclass(frozen=True, slots=True)
class AssetContext:
    """What is known about a coin now. `mid` None while one side of its book is empty.

    `funding` is the hourly rate that would be paid now; volumes cover the last 24 hours.
    """

    coin: str
    mark: Decimal
    oracle: Decimal
    mid: Decimal | None
    funding: Decimal
    premium: Decimal
    open_interest: Decimal
    day_notional_volume: Decimal
    day_base_volume: Decimal
    prev_day_px: Decimal
    impact_bid: Decimal | None
    impact_ask: Decimal | None


@dataclass(frozen=True, slots=True)
class Agent:
    """A wallet that may sign for a master account. `name` None is the unnamed agent."""

    address: str
    name: str | None
    valid_until_ms: int
