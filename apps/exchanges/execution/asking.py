"""The request that takes orders to the venue, and what it took, told of each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from apps.exchanges.execution.sessions import Session
from apps.exchanges.orders.claim import ClaimedOrder
from moondev.domain.clock import monotonic
from moondev.traces.ids import tracing
from moondev.traces.spans import Stage, stage_ended


@contextmanager
def asking(session: Session, orders: Sequence[ClaimedOrder]) -> Iterator[None]:
    """Tell how long the block, one request with these orders, takes; nothing while traces are off."""
    if not tracing():
        yield
        return
    began, problem = monotonic(), ""
    try:
        yield
    except BaseException as error:
        problem = type(error).__name__
        raise
    finally:
        took = monotonic() - began
        for order in orders:
            about: dict[str, str | int | float] = {
                "venue": session.account.venue, "strategy": order.strategy, "orders_in_request": len(orders),
            }  # fmt: skip
            name = ("send", str(order.client_order_id))
            stage_ended(Stage(order.tick, name, ("record",), took, about=about, problem=problem))
