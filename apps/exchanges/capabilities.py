"""What a venue's adapter can do by itself, what the platform does for it, and what is refused.

A capability is data, stated once per adapter: the planner, the emulation of order types and the table
in the documentation all read it here. See `venues/README.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from moondev.domain.errors import InvalidValue
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce


class Support(StrEnum):
    """Who does it: the venue, the platform in the venue's stead, or nobody."""

    NATIVE = "native"
    EMULATED = "emulated"
    REFUSED = "refused"


class SilenceGuard(StrEnum):
    """What a venue offers against our falling silent with orders resting."""

    NONE = "none"
    ACCOUNT_TIMER = "timer over the whole account"
    SYMBOL_TIMER = "timer per symbol"
    CONNECTION = "bound to the private connection"
    BLOCK_EXPIRY = "orders lapse by themselves"


class Hearing(StrEnum):
    """How the account's orders and fills reach us."""

    WEBSOCKET = "websocket"
    POLLING = "polling"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One adapter's abilities. What is not named among `order_types` and `times_in_force` is refused.

    `amend` and `bracket` as the venue does them: NATIVE changes an order in place or by one request;
    EMULATED is cancel, confirm, place (amend) or children placed on the parent's fill (bracket).
    `trigger_amend` is the same question about orders that wait for a trigger. `client_id_bits` is how
    much of a client order id the venue keeps; below 128 a number stands for it (`short_ids.py`).
    `resting_reduce_only`: at some venues only orders that cannot rest may be reduce-only; EMULATED is to send the
    others without the word and to take them out when they are more than the position (`orders/protection.py`).
    `leverage` REFUSED: the venue has no such setting, margin follows from the position alone.
    `fills_lag_seconds`: how many real seconds after its stamp a fill may first show in the venue's history, our clock's
    own error included; every question for fills reaches back over the last one by as much.
    `cancel_is_final`: the answer to a cancel is the venue's last word, given by the matching engine with every fill of
    the order behind it; elsewhere it acknowledges the wish, and a fill may be faster.
    """

    order_types: Mapping[OrderType, Support]
    times_in_force: Mapping[TimeInForce, Support]
    amend: Support
    trigger_amend: Support
    bracket: Support
    max_batch: int
    client_id_bits: int
    silence_guard: SilenceGuard
    hearing: Hearing
    spot: bool = False
    user_stream_needs_key: bool = True
    resting_reduce_only: Support = Support.NATIVE
    leverage: Support = Support.NATIVE
    fills_lag_seconds: float = 5.0
    cancel_is_final: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    def of(self, order_type: OrderType) -> Support:
        """Return who does orders of this type."""
        return self.order_types.get(order_type, Support.REFUSED)

    def require(self, order_type: OrderType, time_in_force: TimeInForce) -> None:
        """Raise InvalidValue, naming what is allowed, when neither venue nor platform can do it."""
        if self.of(order_type) is Support.REFUSED:
            raise InvalidValue("order_type", order_type.value, _able(self.order_types))
        if self.times_in_force.get(time_in_force, Support.REFUSED) is Support.REFUSED:
            raise InvalidValue("time_in_force", time_in_force.value, _able(self.times_in_force))

    def require_native(self, order_type: OrderType, time_in_force: TimeInForce) -> None:
        """Raise InvalidValue, naming what is allowed, for what the venue itself does not do.

        For adapters, before anything is sent: what the platform emulates never reaches them.
        """
        if self.of(order_type) is not Support.NATIVE:
            raise InvalidValue("order_type", order_type.value, _native(self.order_types))
        # The other kinds do not rest by their own choice: their time in force is the venue's business.
        if order_type is OrderType.LIMIT and self.times_in_force.get(time_in_force) is not Support.NATIVE:
            raise InvalidValue("time_in_force", time_in_force.value, _native(self.times_in_force))

    def require_order(self, order: PlaceOrder) -> None:
        """Raise InvalidValue, naming what is allowed, for an order that the venue itself does not take."""
        self.require_native(order.order_type, order.time_in_force)
        rests = order.order_type is OrderType.LIMIT and not order.time_in_force.immediate
        if rests and order.reduce_only and self.resting_reduce_only is Support.REFUSED:
            allowed = f"{Purpose.OPENING.value} for an order that rests; here only immediate ones may be reduce-only"
            raise InvalidValue("purpose", order.purpose.value, allowed)

    def require_leverage(self, leverage: int) -> None:
        """Raise InvalidValue when the venue has no leverage to set."""
        if self.leverage is not Support.NATIVE:
            raise InvalidValue("leverage", leverage, "none: margin follows from the position alone at this venue")


def _able(table: Mapping[OrderType, Support] | Mapping[TimeInForce, Support]) -> str:
    return ", ".join(kind.value for kind, support in table.items() if support is not Support.REFUSED)


def _native(table: Mapping[OrderType, Support] | Mapping[TimeInForce, Support]) -> str:
    return ", ".join(kind.value for kind, support in table.items() if support is Support.NATIVE)
