"""The plain quoter that other engines run too: cancel all, rest one bid and one ask, once a second."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from apps.strategies.backtest.quoting.ear import Ear
from apps.strategies.backtest.quoting.told import Refused, Told, Update
from moondev.domain.orders import (
    FINAL,
    CancelOrder,
    OrderRequest,
    OrderType,
    PlaceOrder,
    Purpose,
    TimeInForce,
)
from moondev.domain.values import Price, Quantity, Side

SECOND = 1_000_000_000


class PlainQuoter:
    """Quotes `lots` at `offset` ticks behind each touch, from `first_ns` on, every `step_ns`."""

    def __init__(self, ear: Ear, first_ns: int, offset: int, lots: int, step_ns: int = SECOND) -> None:
        self._ear, self._first, self._offset, self._lots, self._step = ear, first_ns, offset, lots, step_ns
        self._live: dict[UUID, None] = {}
        self._number = 0

    def next_wake(self, now_ns: int) -> int | None:
        return max(self._first, now_ns + self._step if now_ns >= self._first else 0)

    def hear(self, told: Told) -> bool:
        ended = isinstance(told, Update) and told.status in FINAL
        if ended or (isinstance(told, Refused) and told.placing):
            self._live.pop(told.client_order_id, None)
        return False

    def wake(self, now_ns: int) -> Sequence[OrderRequest]:
        touch = self._ear.touch(now_ns)
        assert touch is not None
        key = self._ear.tape.key
        cancels: list[OrderRequest] = [CancelOrder(name, key, "once a second") for name in self._live]
        self._live.clear()
        bid, ask = touch[0] - self._offset, touch[1] + self._offset
        return [*cancels, self._order(Side.BUY, bid), self._order(Side.SELL, ask)]

    def _order(self, side: Side, tick: int) -> PlaceOrder:
        self._number += 1
        name = UUID(int=self._number)
        self._live[name] = None
        tape = self._ear.tape
        return PlaceOrder(
            client_order_id=name,
            instrument=tape.key,
            side=side,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.POST_ONLY,
            quantity=Quantity(self._lots * tape.lot),
            price=Price(Decimal(tick) * tape.tick),
            purpose=Purpose.OPENING,
            signal_id="quotes",
            leg=f"{side.value}/{self._number}",
        )
