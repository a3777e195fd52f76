"""What the planner knows: the strategy's wish with its size, and how things stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from moondev.domain.desired import Quotes, Target
from moondev.domain.instruments import Instrument
from moondev.domain.orders import OrderStatus, Purpose, WorkingOrder
from moondev.domain.values import ZERO, Bps, Price, Quantity, Side, SignedQuantity

# Resting where we can see it: only such an order can be amended.
MOVABLE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})
# A row nobody has sent yet is cancelled in the database; one on its way has to be waited for.
CANCELLABLE = MOVABLE | {OrderStatus.APPROVED, OrderStatus.HELD}
# On its way to the venue or waiting to go.
IN_FLIGHT = frozenset({OrderStatus.CREATED, OrderStatus.APPROVED, OrderStatus.SENDING})
# A difference below this share of the target is not worth a trade.
TOLERANCE = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Situation:
    """One instrument as it stands for one strategy.

    `position` is the strategy's own, signed; `working` its own non-final orders here; `mid` None
    means that no price is known; `best_bid` and `best_ask` None mean that this side is empty.
    """

    instrument: Instrument
    position: SignedQuantity
    working: tuple[WorkingOrder, ...]
    mid: Price | None
    best_bid: Price | None = None
    best_ask: Price | None = None

    @property
    def uncertain(self) -> bool:
        """Return whether the fate of an order here is unknown, so that nothing may be opened."""
        return any(order.status is OrderStatus.UNKNOWN for order in self.working)

    @property
    def trading(self) -> tuple[WorkingOrder, ...]:
        """Return the orders that build or unwind the position: all but the protective ones."""
        return tuple(o for o in self.working if o.purpose is not Purpose.PROTECTIVE)

    @property
    def protective(self) -> tuple[WorkingOrder, ...]:
        """Return the stops and take-profits."""
        return tuple(o for o in self.working if o.purpose is Purpose.PROTECTIVE)

    def closable(self, side: Side) -> Decimal:
        """Return how much of the position an order of `side` would close; zero when none."""
        return abs(self.position.value) if self.position.value * side.sign < 0 else ZERO


@dataclass(frozen=True, slots=True)
class Rules:
    """How this strategy is planned, and in whose name.

    `reprice_bps` is the distance within which a resting price is left alone; `slippage_bps` how far
    from the mid a market order may trade.
    """

    strategy: str
    tick_id: str
    reprice_bps: Bps
    slippage_bps: Bps


@dataclass(frozen=True, slots=True)
class SizedTarget:
    """A target with the quantity its signal was given.

    `fresh` is true when the signal is new or its weight has changed: then every tradable difference
    is traded. `since` is when the signal got this size.
    """

    target: Target
    quantity: SignedQuantity
    fresh: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class SizedLegs:
    """Sized targets that only make sense together."""

    legs: tuple[SizedTarget, ...]
    max_leg_gap_ms: int


SizedDesired = SizedTarget | SizedLegs | Quotes


def remaining(orders: tuple[WorkingOrder, ...] | list[WorkingOrder]) -> Decimal:
    """Return the whole unfilled quantity of `orders`."""
    return sum((order.remaining.value for order in orders), ZERO)


def floored(quantity: Decimal, instrument: Instrument) -> Decimal:
    """Return `quantity` on the lot grid, never more than asked; zero for a negative one."""
    if quantity <= 0:
        return ZERO
    return Quantity(quantity).floored(instrument.lot).value


def tolerance(wanted: Decimal, price: Price, instrument: Instrument) -> Decimal:
    """Return the difference that is left alone: max(lot, minimum notional, 10 % of `wanted`)."""
    smallest = instrument.min_notional.value / price.value
    return max(instrument.lot.value, smallest, abs(wanted) * TOLERANCE)
