"""What we know of our own orders and holdings: what we sent, and what we have been told since."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from apps.strategies.backtest.quoting.told import Fill, Refused, Told, Update
from moondev.domain.orders import (
    FINAL,
    AmendOrder,
    CancelOrder,
    OrderRequest,
    OrderStatus,
    PlaceOrder,
    WorkingOrder,
)
from moondev.domain.portfolio import Holding
from moondev.domain.values import ZERO, Price, Quantity

_FLAT = Holding()


class Knowledge:
    """Our own book-keeping; as late as the answers are."""

    def __init__(self) -> None:
        """Know of nothing."""
        self.holdings: dict[str, Holding] = {}
        self.working: dict[UUID, WorkingOrder] = {}

    def holding(self, instrument: str) -> Holding:
        """Return what we hold of an instrument."""
        return self.holdings.get(instrument, _FLAT)

    def fund(self, instrument: str, amount: Decimal) -> None:
        """Note a funding payment; above zero when received."""
        self.holdings[instrument] = self.holding(instrument).funded(amount)

    def sent(self, request: OrderRequest) -> None:
        """Note that a request is on its way."""
        if isinstance(request, PlaceOrder):
            self.working[request.client_order_id] = _working(request)
            return
        known = self.working.get(request.client_order_id)
        if known is None:
            return
        if isinstance(request, CancelOrder):
            self.working[request.client_order_id] = replace(known, status=OrderStatus.CANCELLING)
        elif isinstance(request, AmendOrder):
            # The larger of the two until the venue says which: so nothing is placed twice.
            quantity = Quantity(max(known.quantity.value, known.filled.value + request.remaining.value))
            self.working[request.client_order_id] = replace(
                known, status=OrderStatus.AMENDING, quantity=quantity, price=request.price
            )

    def hear(self, told: Told) -> None:
        """Note what the venue said."""
        if isinstance(told, Fill):
            self._fill(told)
        elif isinstance(told, Update):
            self._update(told)
        else:
            self._refusal(told)

    def _fill(self, fill: Fill) -> None:
        quantity, price = Quantity(fill.quantity), Price(fill.price)
        held = self.holding(fill.instrument)
        self.holdings[fill.instrument] = held.filled(fill.side, quantity, price, fill.fee)
        known = self.working.get(fill.client_order_id)
        if known is not None:
            filled = Quantity(known.filled.value + fill.quantity)
            self.working[fill.client_order_id] = replace(known, filled=filled)

    def _update(self, told: Update) -> None:
        known = self.working.get(told.client_order_id)
        if known is None:
            return
        if told.status in FINAL:
            del self.working[told.client_order_id]
            return
        # A cancel that is on its way stays so, whatever the venue says of the order meanwhile.
        status = known.status if known.status is OrderStatus.CANCELLING else told.status
        self.working[told.client_order_id] = replace(
            known, status=status, price=Price(told.price), quantity=Quantity(told.remaining + known.filled.value)
        )

    def _refusal(self, told: Refused) -> None:
        known = self.working.get(told.client_order_id)
        if known is None:
            return
        if told.placing:
            del self.working[told.client_order_id]
            return
        resting = OrderStatus.PARTIALLY_FILLED if known.filled else OrderStatus.OPEN
        self.working[told.client_order_id] = replace(known, status=resting)


def _working(request: PlaceOrder) -> WorkingOrder:
    return WorkingOrder(
        client_order_id=request.client_order_id,
        instrument=request.instrument,
        side=request.side,
        order_type=request.order_type,
        time_in_force=request.time_in_force,
        quantity=request.quantity,
        filled=Quantity(ZERO),
        price=request.price,
        trigger_price=request.trigger_price,
        status=OrderStatus.SENDING,
        purpose=request.purpose,
        signal_id=request.signal_id,
    )
