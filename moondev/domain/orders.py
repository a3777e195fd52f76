"""The life of an order: requests, states, and the one table that says which step may follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID, uuid5

from moondev.domain.errors import IllegalTransition, InvalidValue
from moondev.domain.fills import FillReport
from moondev.domain.values import Bps, Price, Quantity, Side

CLIENT_ORDER_NAMESPACE = UUID("6f0f2f0e-6d0c-5b57-9a52-6d6f6f6e6465")


class OrderStatus(StrEnum):
    """Where an order stands. UNKNOWN is a state of its own: we asked and heard nothing.

    HELD is an order of a kind the venue does not do: it waits with us, and is sent once its trigger is reached.
    """

    CREATED = "created"
    APPROVED = "approved"
    HELD = "held"
    REFUSED = "refused"
    SENDING = "sending"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CANCELLING = "cancelling"
    AMENDING = "amending"


_S = OrderStatus
_ANSWERS = frozenset({_S.OPEN, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED, _S.REJECTED})
_RESTING = frozenset(
    {
        _S.PARTIALLY_FILLED,
        _S.FILLED,
        _S.CANCELLED,
        _S.EXPIRED,
        _S.CANCELLING,
        _S.AMENDING,
    }
)
_ASKED_TO_CHANGE = frozenset({_S.OPEN, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELLED, _S.EXPIRED})

NEXT: Mapping[OrderStatus, frozenset[OrderStatus]] = MappingProxyType(
    {
        _S.CREATED: frozenset({_S.APPROVED, _S.REFUSED}),
        _S.APPROVED: frozenset({_S.SENDING, _S.HELD, _S.CANCELLED, _S.EXPIRED}),
        # Released, it goes the way of every other order.
        _S.HELD: frozenset({_S.APPROVED, _S.CANCELLED}),
        _S.REFUSED: frozenset(),
        # A send whose answer was lost is UNKNOWN: only the venue can say what became of it. One that a busy venue did
        # not look at, or that our own budgets kept back, has provably not happened and waits as before.
        _S.SENDING: _ANSWERS | {_S.UNKNOWN, _S.APPROVED},
        _S.UNKNOWN: _ANSWERS,
        _S.OPEN: _RESTING,
        _S.PARTIALLY_FILLED: _RESTING,
        _S.CANCELLING: _ASKED_TO_CHANGE,
        _S.AMENDING: _ASKED_TO_CHANGE,
        # The last fill raced the cancel or the expiry; the money moved, so the record follows.
        _S.CANCELLED: frozenset({_S.FILLED}),
        _S.EXPIRED: frozenset({_S.FILLED}),
        _S.FILLED: frozenset(),
        _S.REJECTED: frozenset(),
    }
)

NON_FINAL = frozenset(
    {
        _S.CREATED,
        _S.APPROVED,
        _S.HELD,
        _S.SENDING,
        _S.UNKNOWN,
        _S.OPEN,
        _S.PARTIALLY_FILLED,
        _S.AMENDING,
        _S.CANCELLING,
    }
)
FINAL = frozenset(OrderStatus) - NON_FINAL
# States in which the venue may hold the order; what a halt has to clear.
MAYBE_AT_VENUE = NON_FINAL - {_S.CREATED, _S.APPROVED, _S.HELD}
# What stands until something happens to it, at the venue or with us.
RESTING = frozenset({_S.HELD, _S.OPEN, _S.PARTIALLY_FILLED, _S.CANCELLING, _S.AMENDING})


def may_follow(current: OrderStatus, wanted: OrderStatus) -> bool:
    """Return whether `wanted` is a step that `current` allows."""
    return wanted in NEXT[current]


def transition(current: OrderStatus, wanted: OrderStatus) -> OrderStatus:
    """Return `wanted`. Raises IllegalTransition when the table does not hold that step."""
    if not may_follow(current, wanted):
        raise IllegalTransition(current, wanted)
    return wanted


class OrderType(StrEnum):
    """How an order becomes a trade.

    STOP and TAKE_PROFIT execute at the market once their trigger price is reached; the two ``_LIMIT``
    kinds rest as a limit order at `PlaceOrder.price` from then on. TRAILING_STOP is a STOP whose
    trigger follows the best price since it was placed, at a distance of `PlaceOrder.trail`.
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT = "take_profit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"
    TRAILING_STOP = "trailing_stop"

    @property
    def triggered(self) -> bool:
        """Return whether such an order waits for a trigger price."""
        return self not in {OrderType.MARKET, OrderType.LIMIT}


class TimeInForce(StrEnum):
    """How long an order lives: until cancelled, at once or never, all at once or never, or only as a maker."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    POST_ONLY = "post_only"

    @property
    def immediate(self) -> bool:
        """Return whether nothing of the order may rest."""
        return self in {TimeInForce.IOC, TimeInForce.FOK}


class Purpose(StrEnum):
    """Why an order exists; decides its place in the queue and what a halt does with it."""

    OPENING = "opening"
    REDUCING = "reducing"
    PROTECTIVE = "protective"

    @property
    def reduces(self) -> bool:
        """Return whether orders of this purpose can only shrink a position."""
        return self is not Purpose.OPENING


def client_order_id(strategy: str, tick_id: str, leg: str) -> UUID:
    """Return the id that the same leg of the same tick always gets, however often it runs."""
    return uuid5(CLIENT_ORDER_NAMESPACE, f"{strategy}/{tick_id}/{leg}")


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Ask for a new order.

    `price` is the limit (for MARKET and triggered orders the worst acceptable price);
    `trigger_price` belongs to the types that wait for one (for TRAILING_STOP it is where the trigger
    starts), `trail` to TRAILING_STOP only; `leg` names the order inside its tick. `stop` and `take_profit` make a
    bracket of an opening order: whatever of it fills is protected at once, by orders that exclude each other. `edge` is
    what the strategy itself expects to make of an opening order before fees, of its worth; None: it does not say.
    """

    client_order_id: UUID
    instrument: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Quantity
    price: Price
    purpose: Purpose
    signal_id: str
    leg: str
    trigger_price: Price | None = None
    trail: Bps | None = None
    stop: Price | None = None
    take_profit: Price | None = None
    edge: Bps | None = None

    def __post_init__(self) -> None:
        """Refuse zero quantity, and a trigger price, trail or bracket where none belongs, or none where one does."""
        if not self.quantity:
            raise InvalidValue("quantity", self.quantity.value, "a number above 0")
        if self.order_type.triggered != (self.trigger_price is not None):
            raise InvalidValue("trigger_price", self.trigger_price, "set for the types that wait for a trigger, only")
        trailing = self.order_type is OrderType.TRAILING_STOP
        if trailing != (self.trail is not None):
            raise InvalidValue("trail", self.trail, "set for TRAILING_STOP, only")
        if self.trail is not None and not 0 < self.trail.value < 10_000:
            raise InvalidValue("trail", self.trail.value, "basis points above 0 and below 10000")
        self._require_bracket_fits()

    def _require_bracket_fits(self) -> None:
        if self.stop is None and self.take_profit is None:
            return
        if self.purpose.reduces:
            raise InvalidValue("stop", self.purpose.value, "a bracket around an opening order, only")
        below, above = (self.stop, self.take_profit) if self.side is Side.BUY else (self.take_profit, self.stop)
        if below is not None and above is not None and below >= above:
            raise InvalidValue("stop", f"{self.stop} with take-profit {self.take_profit}", "losing on the losing side")

    @property
    def reduce_only(self) -> bool:
        """Return whether the venue must refuse to let this order grow a position."""
        return self.purpose.reduces


@dataclass(frozen=True, slots=True)
class AmendOrder:
    """Ask to change a resting order to `remaining` at `price`.

    `filled_when_planned` lets the sender drop an amend that fills have overtaken.
    """

    client_order_id: UUID
    instrument: str
    remaining: Quantity
    price: Price
    filled_when_planned: Quantity


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Ask to take an order out of the market. Needs nobody's approval, ever."""

    client_order_id: UUID
    instrument: str
    reason: str


OrderRequest = PlaceOrder | AmendOrder | CancelOrder


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """A non-final order of ours as the planner and the review see it."""

    client_order_id: UUID
    instrument: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Quantity
    filled: Quantity
    price: Price
    trigger_price: Price | None
    status: OrderStatus
    purpose: Purpose
    signal_id: str

    @property
    def remaining(self) -> Quantity:
        """Return what may still fill; zero when fills exceed the order."""
        return Quantity(max(self.quantity.value - self.filled.value, 0 * self.quantity.value))


@dataclass(frozen=True, slots=True)
class OrderReport:
    """One thing a venue said about an order, whichever way we heard it.

    One of the two ids is always there. `status` None means the message carried fills only.
    `filled_quantity` is the venue's cumulative figure (None when it did not say); the record adds
    up fills itself and uses this only to notice a missing one.
    """

    source: str
    client_order_id: UUID | None
    venue_order_id: str | None
    status: OrderStatus | None
    time_exchange: datetime | None
    time_received: datetime
    fills: tuple[FillReport, ...] = ()
    filled_quantity: Quantity | None = None
    reason: str = ""
    triggered: bool = False

    def __post_init__(self) -> None:
        """Refuse a report that names no order."""
        if self.client_order_id is None and not self.venue_order_id:
            raise InvalidValue("order report", "no id", "a client order id or a venue order id")
