"""The venue's counter: takes our requests to the engine, and says in our words what became of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from apps.exchanges.mock.engine.api import CancelReason, OrderSnapshot, Rejected
from apps.exchanges.mock.engine.api import OrderStatus as EngineStatus
from apps.exchanges.mock.engine.events import Event, OrderUpdated, UserFill
from apps.exchanges.mock.engine.exchange import Exchange
from apps.strategies.backtest.quoting.house import OURS, TapeClock
from apps.strategies.backtest.quoting.orders import in_engine_words, rises
from apps.strategies.backtest.quoting.queues import Queue
from apps.strategies.backtest.quoting.reach import Reach
from apps.strategies.backtest.quoting.resting import Resting
from apps.strategies.backtest.quoting.tape import BUY, SELL, Tape
from apps.strategies.backtest.quoting.told import Fill, Refused, Told, Update
from moondev.domain.errors import InvalidValue
from moondev.domain.fills import Liquidity
from moondev.domain.orders import AmendOrder, CancelOrder, OrderRequest, OrderStatus, PlaceOrder
from moondev.domain.values import Side

_EXPIRED = (CancelReason.IMMEDIATE_REMAINDER, CancelReason.EXPIRED)


class Counter:
    """Our side of the engine. `resting` and `waiting` (for a trigger) are our live orders by the venue's id.

    `changed` is set when they are not what they were, and is for whoever looks to clear.
    """

    def __init__(
        self, tape: Tape, exchange: Exchange, reach: Reach, clock: TapeClock, join: Callable[[int, int], Queue]
    ) -> None:
        """Serve `exchange`; `join` gives a new order at a tick of a side its place in the queue."""
        self._tape, self._exchange, self._reach, self._clock, self._join = tape, exchange, reach, clock, join
        self._names: dict[str, UUID] = {}
        self._oids: dict[UUID, int] = {}
        self.resting: dict[int, Resting] = {}
        self.waiting: dict[int, OrderSnapshot] = {}
        self.told: list[Told] = []
        self.changed = False
        exchange.subscribe(self._hear)

    @property
    def position(self) -> Decimal:
        """Return what the engine's account says we hold, signed."""
        positions = self._exchange.account_state(OURS).positions
        return sum((one.size for one in positions if one.coin == self._tape.key), Decimal(0))

    def receive(self, request: OrderRequest) -> None:
        """Do what is asked, or tell why not."""
        if isinstance(request, PlaceOrder):
            self._place(request)
        elif isinstance(request, AmendOrder):
            self._amend(request)
        else:
            self._cancel(request)

    def execute(self, order: Resting, lots: int) -> int:
        """Let somebody trade `lots` with a resting order; return how many it were."""
        if lots <= 0 or order.oid not in self.resting:
            return 0
        price, size = order.tick * self._tape.tick, lots * self._tape.lot
        return int(self._exchange.print_trade(self._tape.key, size, price, is_buy=not order.is_buy) / self._tape.lot)

    def mark(self, tick: int) -> None:
        """Move the mark; orders that it triggers meet the book as it is."""
        price = tick * self._tape.tick
        due = [order for order in self.waiting.values() if _due(order, price)]
        lent = []
        for order in due:
            side = BUY if order.is_buy else SELL
            lent += self._reach.lend(side, self._ticks(order.price), self._lots(order.remaining))
        self._exchange.set_mark(self._tape.key, price)
        self._reach.take_back(lent)

    def trigger_bounds(self) -> tuple[int | None, int | None]:
        """Return the highest tick that triggers an order from above, and the lowest that does from below."""
        falling = [self._ticks(_trigger_px(order)) for order in self.waiting.values() if not rises(order)]
        rising = [self._ticks(_trigger_px(order)) for order in self.waiting.values() if rises(order)]
        return max(falling, default=None), min(rising, default=None)

    def _place(self, request: PlaceOrder) -> None:
        if request.client_order_id in self._oids:
            self._refuse(request, "an order of this id was placed before")
            return
        try:
            order = in_engine_words(request)
        except InvalidValue as error:
            self._refuse(request, str(error))
            return
        self._names[order.cloid or ""] = request.client_order_id
        side = BUY if request.side is Side.BUY else SELL
        waits = request.order_type.triggered
        lots = 0 if waits else self._lots(request.quantity.value)
        lent = self._reach.lend(side, self._ticks(request.price.value), lots)
        (answer,) = self._exchange.place(OURS, [order])
        self._reach.take_back(lent)
        if isinstance(answer, Rejected):
            self._refuse(request, f"{answer.code.value}: {answer.detail}")
        else:
            self._oids[request.client_order_id] = answer.oid

    def _amend(self, request: AmendOrder) -> None:
        oid = self._oids.get(request.client_order_id)
        resting = None if oid is None else self.resting.get(oid)
        if oid is None or resting is None:
            self._refuse(request, "there is no such order")
            return
        side = BUY if resting.is_buy else SELL
        price, remaining = request.price.value, request.remaining.value
        lent = self._reach.lend(side, self._ticks(price), self._lots(remaining))
        answer = self._exchange.amend(OURS, oid, price=price, remaining=remaining)
        self._reach.take_back(lent)
        if isinstance(answer, Rejected):
            self._refuse(request, f"{answer.code.value}: {answer.detail}")

    def _cancel(self, request: CancelOrder) -> None:
        oid = self._oids.get(request.client_order_id)
        if oid is None or isinstance(self._exchange.cancel(OURS, self._tape.key, oid), Rejected):
            self._refuse(request, "there is no such order")

    def _refuse(self, request: OrderRequest, reason: str) -> None:
        placing = isinstance(request, PlaceOrder)
        told = Refused(request.client_order_id, request.instrument, placing, self._clock.now_ns, reason)
        self.told.append(told)

    def _hear(self, event: Event) -> None:
        if isinstance(event, UserFill):
            self._hear_fill(event)
        elif isinstance(event, OrderUpdated):
            self._hear_order(event.order)

    def _hear_fill(self, event: UserFill) -> None:
        fill = event.fill
        name = self._names.get(fill.cloid or "")
        if name is None:
            return
        side = Side.BUY if fill.is_buy else Side.SELL
        liquidity = Liquidity.TAKER if fill.crossed else Liquidity.MAKER
        told = Fill(
            name, self._tape.key, side, fill.price, fill.size, fill.fee, liquidity, self._clock.now_ns
        )  # fmt: skip
        self.told.append(told)

    def _hear_order(self, order: OrderSnapshot) -> None:
        self._keep(order)
        name = self._names.get(order.cloid or "")
        if name is None or order.status in (EngineStatus.REJECTED, EngineStatus.TRIGGERED):
            return
        reason = "" if order.reason is None else order.reason.value
        told = Update(
            name, self._tape.key, _status(order), order.price, order.size, order.remaining, self._clock.now_ns, reason
        )
        self.told.append(told)

    def _keep(self, order: OrderSnapshot) -> None:
        """Follow an order into the book, within it, and out of it."""
        live = order.status is EngineStatus.OPEN
        held = self.resting.get(order.oid)
        tick, lots = self._ticks(order.price), self._lots(order.remaining)
        # Only what keeps its price and does not grow keeps its place.
        if live and held is not None and held.tick == tick and lots <= held.remaining:
            held.remaining = lots
            return
        self.changed = True
        self.waiting.pop(order.oid, None)
        if self.resting.pop(order.oid, None) is not None and held is not None and lots:
            self._make_room(held)
        if live and not order.waiting:
            queue = self._join(tick, BUY if order.is_buy else SELL)
            self.resting[order.oid] = Resting(order.oid, order.is_buy, tick, lots, queue)
        elif live and order.trigger is not None:
            self.waiting[order.oid] = order

    def _make_room(self, gone: Resting) -> None:
        """Move our own orders behind one of ours that left without trading."""
        for order in self.resting.values():
            if (order.is_buy, order.tick) == (gone.is_buy, gone.tick) and order.oid > gone.oid:
                order.queue.ahead -= gone.remaining

    def _ticks(self, price: Decimal) -> int:
        return int(price / self._tape.tick)

    def _lots(self, size: Decimal) -> int:
        return int(size / self._tape.lot)


def _trigger_px(order: OrderSnapshot) -> Decimal:
    return order.price if order.trigger is None else order.trigger.trigger_px


def _due(order: OrderSnapshot, mark: Decimal) -> bool:
    return mark >= _trigger_px(order) if rises(order) else mark <= _trigger_px(order)


def _status(order: OrderSnapshot) -> OrderStatus:
    if order.status is EngineStatus.FILLED:
        return OrderStatus.FILLED
    if order.status is EngineStatus.CANCELED:
        return OrderStatus.EXPIRED if order.reason in _EXPIRED else OrderStatus.CANCELLED
    return OrderStatus.PARTIALLY_FILLED if order.filled else OrderStatus.OPEN
