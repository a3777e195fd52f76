"""One tick whole: what was seen, decided and planned, and which orders it led to."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import ConfigDict

from apps.exchanges.models import Order
from apps.monitor.api.orders.schemas import OrderTold, order_told
from apps.monitor.api.paging import Id
from apps.monitor.api.people import Caller, allowed
from apps.monitor.api.strategies.schemas import TICK, TickTold, tick_told
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import WRITE
from apps.strategies.models import Tick

Reader = Annotated[Caller, Depends(allowed("strategies.view_strategyrow"))]

router = APIRouter(prefix="/ticks", tags=["strategies"])

# A tick's orders are written before its deadline; this much later nothing of it can be new.
_SLACK = timedelta(minutes=1)


class TickWhole(TickTold):
    """One tick with the orders it led to, the refused ones too; `event` is what made it due, `version` of what.

    `previous` is the strategy's tick before, `next` the one after it.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                TICK
                | {
                    "strategy": "turtle-btc", "event": "bar:hyperliquid:BTC:3600:1764158400000", "version": 3,
                    "orders": [], "previous": 811, "next": None,
                }
            ]
        }
    )  # fmt: skip

    strategy: str
    event: str
    version: int
    orders: list[OrderTold]
    previous: int | None
    next: int | None


@router.get("/{tick_id}", responses=WRITE)
async def read(tick_id: Id, caller: Reader) -> TickWhole:
    """Return one tick: what was seen, what was decided and why, what the review said, and what became of it."""
    return await in_thread(_whole, tick_id, caller.may("exchanges.view_order"))


def _whole(tick_id: int, with_orders: bool) -> TickWhole:  # noqa: FBT001  a permission that was asked for
    tick = Tick.objects.select_related("strategy").filter(pk=tick_id).first()
    if tick is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no tick {tick_id}")
    others = Tick.objects.filter(strategy=tick.strategy_id)
    return TickWhole(
        **tick_told(tick).model_dump(),
        strategy=tick.strategy.slug,
        event=tick.event,
        version=tick.parameters_version,
        orders=[order_told(row) for row in _orders(tick)] if with_orders else [],
        previous=others.filter(pk__lt=tick_id).order_by("-pk").values_list("pk", flat=True).first(),
        next=others.filter(pk__gt=tick_id).order_by("pk").values_list("pk", flat=True).first(),
    )


def _orders(tick: Tick) -> list[Order]:
    """Return the orders of a tick, found by the index on a strategy's orders of a time."""
    written = (tick.due_at, tick.deadline + _SLACK)
    rows = Order.objects.filter(strategy=tick.strategy.slug, created_at__range=written, tick_id=str(tick.pk))
    return list(rows.select_related("account", "instrument").order_by("pk"))
