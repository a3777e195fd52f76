"""A venue inside the test: remembers what it accepted, fills when told, and fails when told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from apps.exchanges.ports import (
    CANNOT_BE_NAMED,
    AccountSnapshot,
    Amendment,
    FundingPayment,
    Listing,
    LiveOrder,
    MarginMode,
    PositionSnapshot,
    ReportSource,
    RestingOrder,
    UnreadOrder,
)
from moondev.domain.clock import Clock
from moondev.domain.decisions import RiskApproved
from moondev.domain.fills import FillReport, Liquidity
from moondev.domain.orders import AmendOrder, CancelOrder, OrderReport, OrderStatus, PlaceOrder, TimeInForce
from moondev.domain.values import ZERO, Money, Price, Quantity, Side, SignedQuantity

S = OrderStatus
LIVE = {S.OPEN, S.PARTIALLY_FILLED}
NEVER_PLACED = "Order was never placed, already canceled, or filled."


@dataclass
class VenueOrder:
    client_order_id: UUID | None
    venue_order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    reduce_only: bool = False
    filled: Decimal = ZERO
    status: OrderStatus = S.OPEN
    trigger: Decimal | None = None

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled


@dataclass(repr=False)
class StubVenue:
    """Implements `ExecutionClient`. Orders rest until `fill`; IOC orders fill at once when `ioc_fills`.

    At most `ioc_most` of each, what is left of it expires.
    """

    clock: Clock
    deposit: Decimal = Decimal(100_000)
    mark: Decimal = Decimal(100)
    fee_rate: Decimal = Decimal("0.0005")
    ioc_fills: bool = True
    ioc_most: Decimal | None = None
    # Where somebody trades with immediate orders; None: at any price.
    liquidity: Decimal | None = None
    # Of orders that rest, what the list shows; None: all of them.
    page: int | None = None
    max_batch: int = 50
    amends_in_place: bool = False
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    trades: list[FillReport] = field(default_factory=list)
    paid: list[FundingPayment] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    nonces: list[int] = field(default_factory=list)
    before: dict[str, list[Exception]] = field(default_factory=dict)
    after: dict[str, list[Exception]] = field(default_factory=dict)
    watch: Callable[[str], None] | None = None
    in_snapshot: bool = True
    nameless: set[str] = field(default_factory=set)
    odd: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    signer: str = ""
    used: set[tuple[str, int]] = field(default_factory=set)

    # --- what tests do to it ---
    def refuse(self, call: str, error: Exception) -> None:
        """Raise `error` at the next `call`, before anything happens."""
        self.before.setdefault(call, []).append(error)

    def drop_answer(self, call: str, error: Exception) -> None:
        """Carry out the next `call`, then raise `error` instead of answering."""
        self.after.setdefault(call, []).append(error)

    def live(self) -> list[VenueOrder]:
        return [order for order in self.orders.values() if order.status in LIVE]

    def of(self, client_order_id: UUID) -> VenueOrder:
        return [o for o in self.orders.values() if o.client_order_id == client_order_id][-1]

    def fill(self, order: VenueOrder, quantity: Decimal, price: Decimal | None = None) -> FillReport:
        """Trade part of an order."""
        price = price or order.price
        order.filled += quantity
        order.status = S.FILLED if order.remaining <= 0 else S.PARTIALLY_FILLED
        return self.trade(order.symbol, order.side, quantity, price, order)

    def trade(
        self, symbol: str, side: Side, quantity: Decimal, price: Decimal, order: VenueOrder | None = None
    ) -> FillReport:
        report = FillReport(
            venue_trade_id=f"t{len(self.trades) + 1}",
            venue_order_id=order.venue_order_id if order else "foreign",
            client_order_id=order.client_order_id if order else None,
            symbol=symbol,
            side=side,
            price=Price(price),
            quantity=Quantity(quantity),
            fee=Money((quantity * price * self.fee_rate).quantize(Decimal("1e-6")), "USDC"),
            liquidity=Liquidity.TAKER,
            time_exchange=self.clock.now(),
            time_received=self.clock.now(),
        )
        self.trades.append(report)
        return report

    def rest(self, symbol: str, side: Side, price: Decimal, quantity: Decimal) -> VenueOrder:
        """Let an order rest that nobody here placed."""
        return self._new(None, symbol, side, price, quantity, reduce_only=False)

    def position(self, symbol: str = "BTC") -> Decimal:
        return sum((t.quantity.value * t.side.sign for t in self.trades if t.symbol == symbol), start=ZERO)

    def _new(
        self, client_id: UUID | None, symbol: str, side: Side, price: Decimal, quantity: Decimal, *, reduce_only: bool
    ) -> VenueOrder:
        order = VenueOrder(client_id, str(1000 + len(self.orders)), symbol, side, price, quantity, reduce_only)
        self.orders[order.venue_order_id] = order
        return order

    def _enter(self, call: str, nonce: int | None = None) -> None:
        self.calls.append(call)
        if self.watch:
            self.watch(call)
        if nonce is not None:
            assert (self.signer, nonce) not in self.used, "a nonce was used twice"
            self.used.add((self.signer, nonce))
            self.nonces.append(nonce)
        if self.before.get(call):
            raise self.before[call].pop(0)

    def _leave(self, call: str) -> None:
        if self.after.get(call):
            raise self.after[call].pop(0)

    # --- ExecutionClient ---
    def place(self, orders: Sequence[RiskApproved[PlaceOrder]], nonce: int, expires_at: datetime) -> list[OrderReport]:
        self._enter("place", nonce)
        assert len(orders) <= self.max_batch
        reports = [self._place(order.request) for order in orders] if self.clock.now() < expires_at else []
        self._leave("place")
        return reports

    def _place(self, request: PlaceOrder) -> OrderReport:
        known = [o for o in self.orders.values() if o.client_order_id == request.client_order_id]
        assert not known, "an order was placed twice"
        symbol = request.instrument.split(":")[1]
        quantity = request.quantity.value
        if request.reduce_only:
            quantity = min(quantity, max(-self.position(symbol) * request.side.sign, ZERO))
            if not quantity:
                return self._report(
                    request.client_order_id, None, S.REJECTED, reason="Reduce only order would increase position."
                )
        order = self._new(
            request.client_order_id,
            symbol,
            request.side,
            request.price.value,
            quantity,
            reduce_only=request.reduce_only,
        )
        if request.time_in_force is TimeInForce.IOC:
            if not self.ioc_fills or not self._meets(order):
                order.status = S.REJECTED
                return self._report(request.client_order_id, None, S.REJECTED, reason="could not immediately match")
            self.fill(order, quantity if self.ioc_most is None else min(quantity, self.ioc_most))
            order.status = S.FILLED if order.remaining <= 0 else S.EXPIRED
            return self._report(request.client_order_id, order.venue_order_id, order.status, filled=order.filled)
        return self._report(request.client_order_id, order.venue_order_id, S.OPEN)

    def _meets(self, order: VenueOrder) -> bool:
        if self.liquidity is None:
            return True
        return order.price >= self.liquidity if order.side is Side.BUY else order.price <= self.liquidity

    def amend(self, amendments: Sequence[Amendment], nonce: int, expires_at: datetime) -> list[OrderReport]:
        self._enter("amend", nonce)
        reports = [self._amend(item.approved.request) for item in amendments]
        self._leave("amend")
        return reports

    def _amend(self, request: AmendOrder) -> OrderReport:
        old = self.of(request.client_order_id)
        if old.status not in LIVE:
            return self._report(request.client_order_id, None, None, reason="Cannot modify canceled or filled order")
        if self.amends_in_place:
            old.price, old.quantity = request.price.value, request.filled_when_planned.value + request.remaining.value
            return self.word(old)
        old.status = S.CANCELLED
        new = self._new(
            old.client_order_id, old.symbol, old.side, request.price.value, request.remaining.value, reduce_only=False
        )
        return self._report(request.client_order_id, new.venue_order_id, S.OPEN)

    def cancel(self, orders: Sequence[CancelOrder], nonce: int) -> list[OrderReport]:
        self._enter("cancel", nonce)
        reports = [self._cancel(self._find(order.client_order_id), order.client_order_id) for order in orders]
        self._leave("cancel")
        return reports

    def cancel_resting(self, orders: Sequence[LiveOrder], nonce: int) -> list[OrderReport]:
        self._enter("cancel_resting", nonce)
        reports = [
            self._report(o.client_order_id, o.venue_order_id, None, reason=CANNOT_BE_NAMED)
            if o.symbol in self.nameless
            else self._cancel(self.orders.get(o.venue_order_id), o.client_order_id, o.venue_order_id)
            for o in orders
        ]
        self._leave("cancel_resting")
        return reports

    def _find(self, client_id: UUID) -> VenueOrder | None:
        found = [o for o in self.orders.values() if o.client_order_id == client_id]
        return found[-1] if found else None

    def _cancel(self, order: VenueOrder | None, client_id: UUID | None, venue_id: str | None = None) -> OrderReport:
        if order is None or order.status not in LIVE:
            return self._report(client_id, venue_id, None, reason=NEVER_PLACED)
        order.status = S.CANCELLED
        return self._report(client_id, venue_id, S.CANCELLED)

    def order_status(self, client_order_id: UUID, instrument: str = "") -> OrderReport | None:
        self._enter("order_status")
        order = self._find(client_order_id)
        return self.word(order) if order else None

    def word(self, order: VenueOrder, source: str = ReportSource.RECONCILE) -> OrderReport:
        """Return what the venue says of an order now; like the real one it tells fills of live and filled ones only."""
        filled = order.filled if order.status in LIVE | {S.FILLED} else None
        return self._report(order.client_order_id, order.venue_order_id, order.status, filled=filled, source=source)

    def open_orders(self) -> list[RestingOrder]:
        self._enter("open_orders")
        return [
            RestingOrder(
                o.symbol, o.venue_order_id, o.client_order_id, o.side, Price(o.price), Quantity(o.quantity),
                Quantity(o.remaining), o.reduce_only, Price(o.trigger) if o.trigger else None, self.clock.now(),
            )
            for o in self.live()[: self.page]
        ]  # fmt: skip

    def live_orders(self) -> list[LiveOrder]:
        """Return what rests, by name only where `odd` says that its row cannot be read."""
        return [
            UnreadOrder(o.symbol, o.venue_order_id, o.client_order_id, o.reduce_only)
            if o.venue_order_id in self.odd
            else o
            for o in self.open_orders()
        ]

    def take_unreadable(self) -> list[str]:
        taken, self.unreadable = self.unreadable, []
        return taken

    def fills(self, since: datetime) -> list[FillReport]:
        self._enter("fills")
        return [trade for trade in self.trades if trade.time_exchange >= since]

    def funding(self, since: datetime) -> list[FundingPayment]:
        self._enter("funding")
        return [payment for payment in self.paid if payment.time_exchange >= since]

    def account_snapshot(self) -> AccountSnapshot:
        self._enter("account_snapshot")
        cash, positions = self.deposit, []
        for trade in self.trades:
            cash -= trade.quantity.value * trade.price.value * trade.side.sign + trade.fee.value
        cash += sum((payment.amount.value for payment in self.paid), start=ZERO)
        equity = cash
        for symbol in sorted({trade.symbol for trade in self.trades}):
            quantity = self.position(symbol)
            value = quantity * self.mark
            equity += value
            if quantity and self.in_snapshot:
                positions.append(
                    PositionSnapshot(
                        symbol,
                        SignedQuantity(quantity),
                        None,
                        Price(self.mark),
                        Money(value, "USDC"),
                        Money(ZERO, "USDC"),
                        1,
                    )
                )
        return AccountSnapshot(
            Money(equity, "USDC"), Money(equity, "USDC"), Money(ZERO, "USDC"), tuple(positions), None, self.clock.now()
        )

    def instruments(self) -> list[Listing]:
        return []

    def set_leverage(self, instrument: str, leverage: int, margin_mode: MarginMode, nonce: int) -> None:
        self._enter("set_leverage", nonce)

    def schedule_cancel(self, at: datetime | None, nonce: int) -> None:
        self._enter("schedule_cancel", nonce)

    def close(self) -> None:
        """Nothing is open."""

    def _report(
        self,
        client_id: UUID | None,
        venue_id: str | None,
        status: OrderStatus | None,
        *,
        reason: str = "",
        filled: Decimal | None = None,
        source: str = ReportSource.SEND,
    ) -> OrderReport:
        return OrderReport(
            source=source,
            client_order_id=client_id,
            venue_order_id=venue_id,
            status=status,
            time_exchange=None,
            time_received=self.clock.now(),
            filled_quantity=None if filled is None else Quantity(filled),
            reason=reason,
        )


def one_second_later(clock: Clock, seconds: float = 1.0) -> datetime:
    """Return a time a little after now."""
    return clock.now() + timedelta(seconds=seconds)
