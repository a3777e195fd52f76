"""How the platform speaks to a venue of the scenario: the engine itself behind the port, with its faults in between."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.exchanges.mock.engine.api import (
    Ack,
    CancelAck,
    Cancelled,
    Fill,
    Filled,
    NewOrder,
    OrderSnapshot,
    Rejected,
    Tif,
)
from apps.exchanges.mock.engine.api import OrderStatus as EngineStatus
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.faults import FaultKind
from apps.exchanges.ports import (
    AccountSnapshot,
    Amendment,
    FundingPayment,
    Listing,
    LiveOrder,
    MarginMode,
    PositionSnapshot,
    ReportSource,
    RestingOrder,
)
from apps.risk.scenario.market import ScenarioVenue
from moondev.domain.clock import Clock, from_milliseconds, milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, RateLimited, VenueRejected
from moondev.domain.fills import FillKind, FillReport, Liquidity
from moondev.domain.orders import CancelOrder, OrderReport, OrderStatus, PlaceOrder, TimeInForce
from moondev.domain.values import Money, Price, Quantity, Side, SignedQuantity

QUOTE = "USDC"
READ, WRITE = "/read", "/write"
RETRY_SECONDS = 2.0
GONE = "never placed, already cancelled or filled"
_TIFS = {
    TimeInForce.GTC: Tif.GTC,
    TimeInForce.IOC: Tif.IOC,
    TimeInForce.FOK: Tif.FOK,
    TimeInForce.POST_ONLY: Tif.ALO,
}


class ScenarioClient:
    """One account at one venue of the scenario. Answers at once, or with the fault of the moment."""

    max_batch = 50

    def __init__(self, venue: ScenarioVenue, address: str, clock: Clock) -> None:
        """Trade for `address`, which has an account there."""
        self._venue, self._address, self._clock = venue, address, clock

    @property
    def signer_address(self) -> str:
        """Return the address: nobody signs here."""
        return self._address

    # --- what changes something; nonces and expiries are the port's, nothing is signed here ---
    def place(self, orders: Sequence[RiskApproved[PlaceOrder]], nonce: int, expires_at: datetime) -> list[OrderReport]:  # noqa: ARG002  the port's
        """Place orders one after the other."""
        wanted = [_new_order(order.request) for order in orders]
        self._enter(WRITE, "place")
        acks = self._engine.place(self._address, wanted) if self._clock.now() < expires_at else []
        self._leave("place")
        if not acks:
            raise VenueRejected("expired", "the request came after its time")
        return [self._placed(order.request, ack) for order, ack in zip(orders, acks, strict=True)]

    def amend(self, amendments: Sequence[Amendment], nonce: int, expires_at: datetime) -> list[OrderReport]:  # noqa: ARG002  the port's
        """Refuse: nobody amends in a scenario."""
        raise NotSent("the scenario's venues amend nothing")

    def cancel(self, orders: Sequence[CancelOrder], nonce: int) -> list[OrderReport]:  # noqa: ARG002  the port's
        """Cancel by client order id."""
        self._enter(WRITE, "cancel")
        acks = [
            self._engine.cancel_by_cloid(self._address, order.instrument.partition(":")[2], str(order.client_order_id))
            for order in orders
        ]
        self._leave("cancel")
        return [self._cancelled(order.client_order_id, None, ack) for order, ack in zip(orders, acks, strict=True)]

    def cancel_resting(self, orders: Sequence[LiveOrder], nonce: int) -> list[OrderReport]:  # noqa: ARG002  the port's
        """Cancel by venue order id."""
        self._enter(WRITE, "cancel")
        acks = [self._engine.cancel(self._address, order.symbol, int(order.venue_order_id)) for order in orders]
        self._leave("cancel")
        return [
            self._cancelled(order.client_order_id, order.venue_order_id, ack)
            for order, ack in zip(orders, acks, strict=True)
        ]

    def set_leverage(self, instrument: str, leverage: int, margin_mode: MarginMode, nonce: int) -> None:  # noqa: ARG002  the port's
        """Set the leverage of one instrument."""
        self._enter(WRITE, "set_leverage")
        coin = instrument.partition(":")[2]
        self._engine.update_leverage(self._address, coin, leverage, is_cross=margin_mode is MarginMode.CROSS)

    def schedule_cancel(self, at: datetime | None, nonce: int) -> None:  # noqa: ARG002  the port's
        """Arm or disarm the venue's own cancel of everything."""
        self._enter(WRITE, "schedule_cancel")
        self._engine.schedule_cancel(self._address, None if at is None else milliseconds(at))

    # --- what asks ---
    def order_status(self, client_order_id: UUID, instrument: str = "") -> OrderReport | None:  # noqa: ARG002  the port's
        """Return what the venue knows of an order."""
        self._enter(READ, "order_status")
        found = self._engine.order_by_cloid(self._address, str(client_order_id))
        return None if found is None else self._told(found)

    def open_orders(self) -> list[RestingOrder]:
        """Return every live order."""
        self._enter(READ, "open_orders")
        return [_resting(order) for order in self._engine.open_orders(self._address)]

    def live_orders(self) -> list[LiveOrder]:
        """Return every live order; all can be read."""
        return list(self.open_orders())

    def take_unreadable(self) -> list[str]:
        """Return nothing: every row can be read."""
        return []

    def fills(self, since: datetime) -> list[FillReport]:
        """Return fills, those the venue forced told as such."""
        self._enter(READ, "fills")
        return [self._fill(fill) for fill in self._engine.fills(self._address, milliseconds(since))]

    def funding(self, since: datetime) -> list[FundingPayment]:
        """Return funding paid or received."""
        self._enter(READ, "funding")
        return [
            FundingPayment(
                paid.coin, Money(-paid.paid, QUOTE), paid.rate, SignedQuantity(paid.position),
                from_milliseconds(paid.time_ms), self._clock.now(),
            )
            for paid in self._engine.funding_payments(self._address, milliseconds(since))
        ]  # fmt: skip

    def account_snapshot(self) -> AccountSnapshot:
        """Return equity and positions at the venue's own marks."""
        self._enter(READ, "account_snapshot")
        state = self._engine.account_state(self._address)
        positions = tuple(
            PositionSnapshot(
                position.coin, SignedQuantity(position.size), Price(position.entry_px), Price(position.mark_px),
                Money(position.size * position.mark_px, QUOTE), Money(position.unrealised_pnl, QUOTE),
                position.leverage,
            )
            for position in state.positions
        )  # fmt: skip
        return AccountSnapshot(
            Money(state.account_value, QUOTE), Money(state.withdrawable, QUOTE), Money(state.margin_used, QUOTE),
            positions, from_milliseconds(state.time_ms), self._clock.now(),
        )  # fmt: skip

    def mids(self) -> dict[str, float]:
        """Return the middle of every book, as a stream of market data would tell it; raises as any question does."""
        self._enter(READ, "mids")
        return {coin: float(price) for coin, price in self._engine.mids().items()}

    def instruments(self) -> list[Listing]:
        """Return nothing: the scenario writes its own listings."""
        return []

    def close(self) -> None:
        """Nothing is open."""

    # --- how ---
    @property
    def _engine(self) -> Exchange:
        return self._venue.exchange

    def _enter(self, path: str, action: str) -> None:
        """Fail before anything happens, when the venue is silent or refuses."""
        code, strike = self._venue.code, self._venue.faults.strike
        if strike(FaultKind.RATE_LIMIT, code, path, action):
            raise RateLimited("HTTP 429", RETRY_SECONDS)
        if strike(FaultKind.ERROR_5XX, code, path, action):
            raise Connectivity(f"{code}: HTTP 503 to {action}")

    def _leave(self, action: str) -> None:
        """Lose the answer to what has happened, when the venue does."""
        if self._venue.faults.strike(FaultKind.ACCEPT_THEN_DROP, self._venue.code, WRITE, action):
            raise Connectivity(f"{self._venue.code}: connection reset after {action}")

    def _placed(self, request: PlaceOrder, ack: Ack) -> OrderReport:
        client_id = request.client_order_id
        if isinstance(ack, Rejected):
            return self._report(client_id, None, OrderStatus.REJECTED, reason=ack.detail or ack.code.value)
        venue_id = str(ack.oid)
        if not isinstance(ack, Filled):
            return self._report(client_id, venue_id, OrderStatus.OPEN)
        whole = ack.total_sz == request.quantity.value
        immediate = request.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}
        partly = OrderStatus.CANCELLED if immediate else OrderStatus.PARTIALLY_FILLED
        return self._report(client_id, venue_id, OrderStatus.FILLED if whole else partly, filled=ack.total_sz)

    def _cancelled(self, client_id: UUID | None, venue_id: str | None, ack: CancelAck) -> OrderReport:
        if isinstance(ack, Cancelled):
            return self._report(client_id, venue_id or str(ack.oid), OrderStatus.CANCELLED)
        return self._report(client_id, venue_id, None, reason=GONE)

    def _told(self, order: OrderSnapshot) -> OrderReport:
        statuses = {
            EngineStatus.FILLED: OrderStatus.FILLED,
            EngineStatus.CANCELED: OrderStatus.CANCELLED,
            EngineStatus.REJECTED: OrderStatus.REJECTED,
        }
        live = OrderStatus.PARTIALLY_FILLED if order.filled else OrderStatus.OPEN
        return self._report(
            UUID(order.cloid) if order.cloid else None, str(order.oid), statuses.get(order.status, live),
            filled=order.filled, source=ReportSource.RECONCILE,
        )  # fmt: skip

    def _fill(self, fill: Fill) -> FillReport:
        kind = FillKind.ORDER if fill.liquidation is None else FillKind.LIQUIDATION
        return FillReport(
            venue_trade_id=str(fill.tid),
            venue_order_id=str(fill.oid),
            client_order_id=UUID(fill.cloid) if fill.cloid else None,
            symbol=fill.coin,
            side=Side.BUY if fill.is_buy else Side.SELL,
            price=Price(fill.price),
            quantity=Quantity(fill.size),
            fee=Money(fill.fee, QUOTE),
            liquidity=Liquidity.TAKER if fill.crossed else Liquidity.MAKER,
            time_exchange=from_milliseconds(fill.time_ms),
            time_received=self._clock.now(),
            kind=FillKind.DELEVERAGING if fill.oid in self._venue.forced else kind,
        )

    def _report(
        self,
        client_id: UUID | None,
        venue_id: str | None,
        status: OrderStatus | None,
        *,
        filled: Decimal | None = None,
        reason: str = "",
        source: str = ReportSource.SEND,
    ) -> OrderReport:
        quantity = None if filled is None else Quantity(filled)
        return OrderReport(source, client_id, venue_id, status, None, self._clock.now(), (), quantity, reason)


def _new_order(request: PlaceOrder) -> NewOrder:
    if request.trigger_price is not None:
        raise InvalidValue("trigger_price", request.trigger_price.value, "none: no stop rests in a scenario")
    return NewOrder(
        request.instrument.partition(":")[2], request.side is Side.BUY, request.quantity.value, request.price.value,
        _TIFS[request.time_in_force], reduce_only=request.reduce_only, cloid=str(request.client_order_id),
    )  # fmt: skip


def _resting(order: OrderSnapshot) -> RestingOrder:
    return RestingOrder(
        order.coin, str(order.oid), UUID(order.cloid) if order.cloid else None,
        Side.BUY if order.is_buy else Side.SELL, Price(order.price), Quantity(order.size), Quantity(order.remaining),
        order.reduce_only, None, from_milliseconds(order.placed_ms),
    )  # fmt: skip
