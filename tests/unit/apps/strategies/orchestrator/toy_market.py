"""A market small enough to check by eye: it does at once whatever a plan asks for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from apps.strategies.orchestrator.planner import Plan, Rules, Situation, SizedDesired, SizedTarget, plan
from moondev.domain.desired import Target
from moondev.domain.instruments import Instrument, PriceGrid
from moondev.domain.orders import (
    AmendOrder,
    CancelOrder,
    OrderStatus,
    OrderType,
    PlaceOrder,
    Purpose,
    TimeInForce,
    WorkingOrder,
)
from moondev.domain.values import ZERO, Bps, Money, Price, Quantity, Side, SignedQuantity

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
BTC = Instrument(
    "hyperliquid",
    "BTC",
    "BTC",
    "USDC",
    PriceGrid(Decimal("0.1"), 5),
    Quantity(Decimal("0.001")),
    Money(Decimal(10), "USDC"),
    40,
)
ETH = replace(BTC, symbol="ETH", asset="ETH", lot=Quantity(Decimal("0.01")))


def d(text: str | float) -> Decimal:
    return Decimal(str(text))


def rules(tick: int = 1, reprice: str = "1", slippage: str = "50") -> Rules:
    return Rules("turtle", str(tick), Bps(d(reprice)), Bps(d(slippage)))


def target(
    weight: float,
    *,
    entry: str | None = None,
    stop: str | None = None,
    take_profit: str | None = None,
    instrument: Instrument = BTC,
    signal_id: str = "s1",
) -> Target:
    prices = [None if text is None else Price(d(text)) for text in (entry, stop, take_profit)]
    return Target(instrument.key, weight, signal_id, "test", *prices)


def sized(quantity: str, *, fresh: bool = True, since: datetime = NOW, **wanted: object) -> SizedTarget:
    sign = (d(quantity) > 0) - (d(quantity) < 0)
    return SizedTarget(target(0.5 * sign, **wanted), SignedQuantity(d(quantity)), fresh, since)  # type: ignore[arg-type]


def working(
    side: Side,
    quantity: str,
    price: str = "50000",
    *,
    filled: str = "0",
    status: OrderStatus = OrderStatus.OPEN,
    purpose: Purpose = Purpose.OPENING,
    order_type: OrderType = OrderType.LIMIT,
    time_in_force: TimeInForce = TimeInForce.GTC,
    trigger: str | None = None,
    instrument: Instrument = BTC,
) -> WorkingOrder:
    return WorkingOrder(
        uuid4(),
        instrument.key,
        side,
        order_type,
        time_in_force,
        Quantity(d(quantity)),
        Quantity(d(filled)),
        Price(d(price)),
        None if trigger is None else Price(d(trigger)),
        status,
        purpose,
        "s1",
    )


def at(
    position: str = "0", *orders: WorkingOrder, mid: str | None = "50000", instrument: Instrument = BTC
) -> Situation:
    return Situation(instrument, SignedQuantity(d(position)), orders, None if mid is None else Price(d(mid)))


def requests_for(wish: SizedDesired, situation: Situation, tick: int = 1) -> tuple:
    return plan([wish], {situation.instrument.key: situation}, rules(tick), NOW).requests


@dataclass
class ToyMarket:
    """One instrument: orders rest, market orders fill, reduce-only orders stop at zero."""

    instrument: Instrument
    mid: Decimal
    position: Decimal = ZERO
    orders: dict = field(default_factory=dict)

    def situation(self) -> Situation:
        return Situation(self.instrument, SignedQuantity(self.position), tuple(self.orders.values()), Price(self.mid))

    def accept(self, made: Plan, status: OrderStatus = OrderStatus.APPROVED) -> None:
        """Record new orders without sending them: what a second tick sees before the sender ran."""
        for request in made.requests:
            if isinstance(request, PlaceOrder) and request.client_order_id not in self.orders:
                self.orders[request.client_order_id] = _row(request, status)

    def carry_out(self, made: Plan) -> None:
        """Send everything and let the venue answer at once."""
        self.accept(made, OrderStatus.OPEN)
        for request in made.requests:
            if isinstance(request, CancelOrder):
                self.orders.pop(request.client_order_id, None)
            elif isinstance(request, AmendOrder):
                order = self.orders[request.client_order_id]
                assert request.filled_when_planned == order.filled
                self.orders[request.client_order_id] = replace(
                    order, quantity=request.remaining + order.filled, price=request.price
                )
        for order in [o for o in self.orders.values() if o.status in {OrderStatus.APPROVED, OrderStatus.SENDING}]:
            self.orders[order.client_order_id] = replace(order, status=OrderStatus.OPEN)
        for order in [o for o in self.orders.values() if o.order_type is OrderType.MARKET]:
            self.fill(order, order.remaining.value)
            self.orders.pop(order.client_order_id, None)

    def fill(self, order: WorkingOrder, quantity: Decimal) -> None:
        if order.purpose.reduces:
            quantity = min(quantity, abs(self.position) if self.position * order.side.sign < 0 else ZERO)
        self.position += quantity * order.side.sign
        filled = replace(order, filled=order.filled + Quantity(quantity), status=OrderStatus.PARTIALLY_FILLED)
        self.orders[order.client_order_id] = filled
        if not filled.remaining:
            self.orders.pop(order.client_order_id)


def _row(request: PlaceOrder, status: OrderStatus) -> WorkingOrder:
    return WorkingOrder(
        request.client_order_id,
        request.instrument,
        request.side,
        request.order_type,
        request.time_in_force,
        request.quantity,
        Quantity(ZERO),
        request.price,
        request.trigger_price,
        status,
        request.purpose,
        request.signal_id,
    )
