"""Writes requests for one instrument: on the venue's grid, with ids that never change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from apps.strategies.orchestrator.planner.situation import CANCELLABLE, MOVABLE, Rules, Situation, floored
from moondev.domain.instruments import Rounding
from moondev.domain.orders import (
    AmendOrder,
    CancelOrder,
    OrderRequest,
    OrderType,
    PlaceOrder,
    Purpose,
    TimeInForce,
    WorkingOrder,
    client_order_id,
)
from moondev.domain.values import Bps, Price, Quantity, Side

# A triggered order has to get out: its limit lies this far beyond the trigger.
TRIGGERED_SLIPPAGE_BPS = Bps(Decimal(300))


@dataclass(frozen=True, slots=True)
class Style:
    """How an order is to trade: its price on the grid, type and time in force."""

    price: Price
    order_type: OrderType
    time_in_force: TimeInForce


class Desk:
    """Writes place, amend and cancel requests for one situation.

    Prices are rounded here: passively for resting orders, aggressively for orders that must trade;
    a trigger is rounded so that it fires no later than asked.
    """

    def __init__(self, at: Situation, rules: Rules) -> None:
        """Write for the instrument of `at`, in the name of the strategy and tick of `rules`."""
        self.at, self.rules = at, rules
        self._instrument = at.instrument

    def resting(self, side: Side, price: Price, time_in_force: TimeInForce) -> Style:
        """Return the style of an order that waits at `price` or better."""
        on_grid = self._instrument.price_grid.rounded(price.value, Rounding.passive(side))
        return Style(on_grid, OrderType.LIMIT, time_in_force)

    def at_market(self, side: Side) -> Style | None:
        """Return the style of an order that trades now, at the worst within the slippage cap.

        None when no price is known: then nothing can be said about what is acceptable.
        """
        if self.at.mid is None:
            return None
        worst = self.at.mid.moved(Bps(self.rules.slippage_bps.value * side.sign))
        on_grid = self._instrument.price_grid.rounded(worst.value, Rounding.aggressive(side))
        return Style(on_grid, OrderType.MARKET, TimeInForce.IOC)

    def trigger(self, side: Side, price: Price) -> Price:
        """Return the trigger `price` on the grid."""
        return self._instrument.price_grid.rounded(price.value, Rounding.passive(side))

    def place(
        self,
        leg: str,
        side: Side,
        quantity: Decimal,
        style: Style,
        purpose: Purpose,
        signal_id: str,
        edge: Bps | None = None,
    ) -> PlaceOrder:
        """Return an order for `quantity`, which must lie on the lot grid already."""
        name = f"{self._instrument.key}/{leg}"
        return PlaceOrder(
            client_order_id=client_order_id(self.rules.strategy, self.rules.tick_id, name),
            instrument=self._instrument.key,
            side=side,
            order_type=style.order_type,
            time_in_force=style.time_in_force,
            quantity=Quantity(quantity),
            price=style.price,
            purpose=purpose,
            signal_id=signal_id,
            leg=name,
            edge=None if purpose.reduces else edge,
        )

    def parts(self, leg: str, quantity: Decimal) -> list[tuple[str, Decimal]]:
        """Return `quantity` as the venue takes it at the market, each part with a name."""
        cut = self._instrument.market_parts(Quantity(quantity))
        return [(f"{leg}/{number}" if number else leg, part.value) for number, part in enumerate(cut)]

    def protect(
        self, leg: str, kind: OrderType, side: Side, quantity: Decimal, trigger: Price, signal_id: str
    ) -> PlaceOrder:
        """Return a reduce-only order that waits for `trigger` (already on the grid)."""
        worst = trigger.moved(Bps(TRIGGERED_SLIPPAGE_BPS.value * side.sign))
        name = f"{self._instrument.key}/{leg}"
        return PlaceOrder(
            client_order_id=client_order_id(self.rules.strategy, self.rules.tick_id, name),
            instrument=self._instrument.key,
            side=side,
            order_type=kind,
            time_in_force=TimeInForce.GTC,
            quantity=Quantity(quantity),
            price=self._instrument.price_grid.rounded(worst.value, Rounding.aggressive(side)),
            purpose=Purpose.PROTECTIVE,
            signal_id=signal_id,
            leg=name,
            trigger_price=trigger,
        )

    def shrink(self, order: WorkingOrder, left: Decimal, price: Price, reason: str) -> OrderRequest | None:
        """Return what leaves `left` of `order` at `price`; None when nothing can be asked of it now.

        Never more than the order still has; a rest that the venue would refuse is cancelled.
        """
        keep = floored(min(left, order.remaining.value), self._instrument)
        if order.status in MOVABLE and self.accepted(keep, price, order.purpose):
            return AmendOrder(order.client_order_id, order.instrument, Quantity(keep), price, order.filled)
        return self.cancel(order, reason)

    def cancel(self, order: WorkingOrder, reason: str) -> CancelOrder | None:
        """Return the cancel of `order`; None while it is on its way or being changed already."""
        if order.status not in CANCELLABLE:
            return None
        return CancelOrder(order.client_order_id, order.instrument, reason)

    def cancels(self, orders: Iterable[WorkingOrder], reason: str) -> list[OrderRequest]:
        """Return the cancels of those `orders` that can be cancelled now."""
        return [request for order in orders if (request := self.cancel(order, reason)) is not None]

    def accepted(self, quantity: Decimal, price: Price, purpose: Purpose) -> bool:
        """Return whether the venue takes an order of this size.

        What closes the whole position may be worth less than the minimum.
        """
        if quantity < self._instrument.lot.value:
            return False
        whole = floored(abs(self.at.position.value), self._instrument)
        if purpose.reduces and quantity == whole:
            return True
        worth = min(price, self.at.mid) if self.at.mid is not None else price
        return self._instrument.tradable(Quantity(quantity), worth)
