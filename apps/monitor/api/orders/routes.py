"""Orders: list, follow one through its life, place and cancel by hand."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Response

from apps.exchanges.models import Order
from apps.monitor.api.instruments import account_named, instrument_named
from apps.monitor.api.lines import JSON
from apps.monitor.api.orders.lines import order_whole, orders_page
from apps.monitor.api.orders.schemas import (
    OrderAsked,
    OrderFilter,
    OrdersPlaced,
    OrderTold,
    OrderWhole,
    order_told,
)
from apps.monitor.api.paging import Id, Page
from apps.monitor.api.people import Caller, allowed, critical
from apps.monitor.api.threads import in_thread
from apps.monitor.api.writes import KEYED, READ, WRITE, Why
from apps.strategies.by_hand.cancelling import order_cancel
from apps.strategies.by_hand.placing import Ticket, order_place
from moondev.domain.orders import CLIENT_ORDER_NAMESPACE, FINAL, OrderStatus, TimeInForce
from moondev.domain.values import Price, Quantity

Reader = Annotated[Caller, Depends(allowed("exchanges.view_order"))]
Trader = Annotated[Caller, Depends(critical("exchanges.add_order"))]
Canceller = Annotated[Caller, Depends(allowed("exchanges.add_ordercommand"))]
RequiredKey = Annotated[
    str, Header(min_length=1, max_length=100, description="Makes it one order, however often it is asked for.")
]

router = APIRouter(prefix="/orders", tags=["orders"])


@router.get("", responses=READ, response_model=Page[OrderTold])
async def listed(_: Reader, asked: Annotated[OrderFilter, Query()]) -> Response:
    """List orders, newest first."""
    return await in_thread(orders_page, asked)


@router.get("/{order_id}", responses=WRITE, response_model=OrderWhole)
async def read(order_id: Id, _: Reader) -> Response:
    """Return one order with its whole life: steps, fills, and how long each stage took."""
    return await in_thread(_whole, order_id)


@router.post("", status_code=HTTPStatus.CREATED, responses=WRITE)
async def place(asked: OrderAsked, caller: Trader, response: Response, idempotency_key: RequiredKey) -> OrdersPlaced:
    """Place an order by hand. It is reviewed as a strategy's orders are; one that is refused answers 422 with why."""
    placed = await in_thread(_place, asked, caller, idempotency_key)
    response.headers["Location"] = f"/api/v1/orders/{placed.items[0].id}"
    return placed


@router.post("/{order_id}/cancel", responses=WRITE, dependencies=KEYED)
async def cancel(order_id: Id, why: Why, caller: Canceller) -> OrderTold:
    """Take an order out of the market, whoever's it is."""
    return await in_thread(_cancel, order_id, why.reason, caller.username)


def _whole(order_id: int) -> Response:
    told = order_whole(order_id)
    if told is None:
        raise _unknown(order_id)
    return Response(told, media_type=JSON)


def _place(asked: OrderAsked, caller: Caller, key: str) -> OrdersPlaced:
    ticket = Ticket(
        client_order_id=_client_order_id(caller, key),
        side=asked.side,
        quantity=Quantity(asked.quantity),
        price=None if asked.price is None else Price(asked.price),
        time_in_force=TimeInForce(asked.time_in_force),
        stop=None if asked.stop is None else Price(asked.stop),
        take_profit=None if asked.take_profit is None else Price(asked.take_profit),
    )
    account, instrument = account_named(asked.account), instrument_named(asked.instrument)
    rows = order_place(ticket, account=account, instrument=instrument, reason=asked.reason, actor=caller.username)
    if all(row.status == OrderStatus.REFUSED for row in rows):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(row.reason for row in rows) or "nothing to do")
    return OrdersPlaced(items=[order_told(row) for row in rows])


def _client_order_id(caller: Caller, key: str) -> UUID:
    """Return the id that a caller's key always gets: even a kept answer that was lost makes no second order."""
    return uuid5(CLIENT_ORDER_NAMESPACE, f"hand/{caller.owner}/{key}")


def _cancel(order_id: int, reason: str, actor: str) -> OrderTold:
    row = _order(order_id)
    if OrderStatus(row.status) in FINAL:
        raise HTTPException(HTTPStatus.CONFLICT, f"order {order_id} is {row.status}; it is over")
    order_cancel(order_id, reason=reason, actor=actor)
    return order_told(_order(order_id))


def _order(order_id: int) -> Order:
    row = Order.objects.select_related("account", "instrument").filter(pk=order_id).first()
    if row is None:
        raise _unknown(order_id)
    return row


def _unknown(order_id: int) -> HTTPException:
    return HTTPException(HTTPStatus.NOT_FOUND, f"there is no order {order_id}")
