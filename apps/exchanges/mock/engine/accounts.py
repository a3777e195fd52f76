"""Accounts: cash, positions, and the orders and fills that are theirs. Whole units throughout."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from apps.exchanges.mock.engine.api import Agent, Fill, FundingPayment
from apps.exchanges.mock.engine.grid import divided
from apps.exchanges.mock.engine.orders import Order

ONE_MILLION = 1_000_000


@dataclass(slots=True, eq=False)
class Position:
    """Holdings of one coin. `cost` is size x entry price, signed as the size.

    `funding` is what was paid (positive) or received since the position was opened. `margin` is what an isolated
    position has of its own, unrealised profit apart; nothing else of the account answers for it.
    """

    size: int = 0
    cost: int = 0
    funding: int = 0
    margin: int = 0

    def apply(self, signed: int, px: int) -> int:
        """Book a fill of `signed` units at `px`; return the profit of what it closed."""
        if self.size * signed >= 0:
            self.size += signed
            self.cost += signed * px
            return 0
        direction = 1 if signed > 0 else -1
        closing = min(abs(signed), abs(self.size))
        released = divided(self.cost * closing, abs(self.size))
        profit = -direction * closing * px - released
        opening = signed - direction * closing
        self.cost += opening * px - released
        self.size += signed
        if not self.size or opening:
            self.funding = 0
        return profit

    def move_margin(self, signed: int, px: int, leverage: int) -> None:
        """Put up margin for what a fill is about to open, give back the share of what it closes."""
        closing = min(abs(signed), abs(self.size)) if self.size * signed < 0 else 0
        if closing:
            self.margin -= divided(self.margin * closing, abs(self.size))
        self.margin += -(-(abs(signed) - closing) * px // leverage)


@dataclass(slots=True, eq=False)
class Exposure:
    """Unfilled size of resting orders that may open a position, by side."""

    buys: int = 0
    sells: int = 0

    def change(self, order: Order, by: int) -> None:
        """Add `by` on the side of `order`."""
        if order.is_buy:
            self.buys += by
        else:
            self.sells += by


@dataclass(frozen=True, slots=True)
class Fees:
    """Fee rates in millionths of the notional."""

    maker_ppm: int
    taker_ppm: int

    def on(self, notional: int, order: Order, taker: Order) -> int:
        """Return the fee `order` pays when `taker` was the aggressor, its builder's included, to a money unit."""
        rate = self.taker_ppm if order is taker else self.maker_ppm
        return divided(notional * (rate + order.builder_ppm), ONE_MILLION)


@dataclass(slots=True, eq=False)
class Balance:
    """What an account has of one asset at the spot market, in hundred-millionths.

    `held` of it is tied up by resting orders; `cost` is what the total was bought for, in hundred-millionths of quote.
    """

    total: int = 0
    held: int = 0
    cost: int = 0

    @property
    def free(self) -> int:
        """Return what may be spent."""
        return self.total - self.held

    def receive(self, units: int, cost: int = 0) -> None:
        """Add `units` that were had for `cost`."""
        self.total += units
        self.cost += cost

    def give(self, units: int) -> int:
        """Take `units` away; return what they had cost."""
        released = divided(self.cost * units, self.total) if self.total > units else self.cost
        self.total -= units
        self.cost -= released
        return released


@dataclass(slots=True, eq=False)
class Account:
    """One account. `house` marks the market's own flow: no margin, no fees, no events.

    `followers` are the live orders of a coin that shrink with the position.
    `cash` = deposit - purchases + sales - fees - funding paid - `forfeited`, which is what the insurance fund took (or
    paid, negative). `isolated` are the coins whose positions have margin of their own; `cut_ms` is when a liquidation
    last took only a part. `kept_orders` and `kept_fills` bound
    what stays on record.
    """

    address: str
    fees: Fees
    spot_fees: Fees
    kept_orders: int
    kept_fills: int
    house: bool = False
    deposit: int = 0
    cash: int = 0
    fees_paid: int = 0
    funding_paid: int = 0
    volume: int = 0
    forfeited: int = 0
    cut_ms: int | None = None
    cancel_at_ms: int | None = None
    positions: dict[str, Position] = field(default_factory=dict)
    leverage: dict[str, int] = field(default_factory=dict)
    isolated: set[str] = field(default_factory=set)
    exposures: dict[str, Exposure] = field(default_factory=dict)
    balances: dict[str, Balance] = field(default_factory=dict)
    live: dict[int, Order] = field(default_factory=dict)
    followers: dict[str, dict[int, Order]] = field(default_factory=dict)
    finished: OrderedDict[int, Order] = field(default_factory=OrderedDict)
    cloids: dict[str, Order] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    schedules_fired: dict[int, int] = field(default_factory=dict)
    fills: deque[Fill] = field(init=False)
    payments: deque[FundingPayment] = field(init=False)

    def __post_init__(self) -> None:
        self.fills = deque(maxlen=self.kept_fills)
        self.payments = deque(maxlen=self.kept_fills)

    def isolated_positions(self) -> list[str]:
        """Return the coins of the isolated positions."""
        return [coin for coin in self.positions if coin in self.isolated]

    def cross_sizes(self) -> list[tuple[str, int]]:
        """Return coin and signed size of every position that shares the account's value."""
        return [(coin, p.size) for coin, p in self.positions.items() if coin not in self.isolated]

    def size_of(self, coin: str) -> int:
        """Return the signed position in `coin`."""
        position = self.positions.get(coin)
        return position.size if position else 0

    def balance(self, asset: str) -> Balance:
        """Return what the account has of `asset` at the spot market, to be changed in place."""
        balance = self.balances.get(asset)
        if balance is None:
            balance = self.balances[asset] = Balance()
        return balance

    def exposure(self, coin: str) -> Exposure:
        """Return the open orders' exposure in `coin`, to be changed in place."""
        exposure = self.exposures.get(coin)
        if exposure is None:
            exposure = self.exposures[coin] = Exposure()
        return exposure

    def admit(self, order: Order) -> None:
        """Keep `order` as a live one."""
        self.live[order.oid] = order
        if order.cloid is not None:
            self.cloids[order.cloid] = order

    def archive(self, order: Order) -> None:
        """Move `order` from the live ones to the record and forget the oldest beyond the bound."""
        self.live.pop(order.oid, None)
        if self.house:
            return
        if order.cloid is not None:
            known = self.cloids.get(order.cloid)
            if known is None or (known.status.final and known.oid < order.oid):
                self.cloids[order.cloid] = order
        self.finished[order.oid] = order
        if len(self.finished) <= self.kept_orders:
            return
        _, oldest = self.finished.popitem(last=False)
        if oldest.cloid is not None and self.cloids.get(oldest.cloid) is oldest:
            del self.cloids[oldest.cloid]

    def find(self, key: int | str) -> Order | None:
        """Return the order with this oid (int) or client order id (str), live or on record."""
        if isinstance(key, str):
            return self.cloids.get(key)
        return self.live.get(key) or self.finished.get(key)
