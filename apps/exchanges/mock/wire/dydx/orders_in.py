"""From a signed order to one the engine takes: the chain's own checks of the message, in its order.

https://github.com/dydxprotocol/v4-chain/blob/main/protocol/x/clob/types/message_place_order.go
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from apps.exchanges.mock.engine.api import NewOrder, Tif, TpSl, Trigger
from apps.exchanges.mock.wire.dydx.facts import OrderFacts
from apps.exchanges.mock.wire.dydx.refusals import SDK, RefusedTx
from apps.exchanges.mock.wire.dydx.scales import Scale
from apps.exchanges.mock.wire.dydx.words import (
    BUY,
    CONDITIONAL,
    FLAGS,
    LONG_TERM,
    NO_CONDITION,
    SELL,
    SHORT_TERM,
    STOP_LOSS,
    SUBACCOUNT,
    TAKE_PROFIT,
    TIF_DEFAULT,
    TIF_FOK,
    TIF_IOC,
    TIF_POST_ONLY,
    order_id,
)

SHORT_BLOCK_WINDOW = 40
STATEFUL_WINDOW_SECONDS = 95 * 24 * 3600
# The engine takes no price further than 80 % from the mark; an order that executes at once means "any price" by one.
_NEAREST, _FURTHEST = Decimal("0.21"), Decimal("1.79")
_TIFS = {TIF_DEFAULT: Tif.GTC, TIF_IOC: Tif.IOC, TIF_POST_ONLY: Tif.ALO}


@dataclass(frozen=True, slots=True)
class Moment:
    """When a message is judged: the last block, and its time in seconds."""

    height: int
    seconds: int

    def require_window(self, good_til: int, *, short_term: bool) -> None:
        """Refuse what is over already or lasts too long."""
        if short_term:
            if self.height + 1 > good_til:
                raise RefusedTx(10, f"GoodTilBlock {good_til}, next block {self.height + 1}")
            if good_til > self.height + SHORT_BLOCK_WINDOW:
                raise RefusedTx(11, f"GoodTilBlock {good_til}, block {self.height}")
            return
        if good_til <= self.seconds:
            raise RefusedTx(3003, f"GoodTilBlockTime {good_til}, block time {self.seconds}")
        if good_til > self.seconds + STATEFUL_WINDOW_SECONDS:
            raise RefusedTx(3004, f"GoodTilBlockTime {good_til}, block time {self.seconds}")


def owner_of(subaccount: Any) -> str:  # noqa: ANN401 - a message of the chain
    """Return whose subaccount this is. Raises RefusedTx for one that the mock does not keep."""
    if subaccount.number != SUBACCOUNT:
        raise RefusedTx(18, f"the mock keeps subaccount {SUBACCOUNT} only, not {subaccount.number}", SDK)
    return str(subaccount.owner)


def good_til_of(message: Any, flags: int) -> int:  # noqa: ANN401 - a message of the chain
    """Return until when a message counts: a block for short-term orders, else a second."""
    if flags == SHORT_TERM:
        if not message.good_til_block:
            raise RefusedTx(5, "order goodTilBlock cannot be 0")
        return int(message.good_til_block)
    if not message.good_til_block_time:
        raise RefusedTx(3001, "stateful order goodTilBlockTime cannot be 0")
    return int(message.good_til_block_time)


def read_order(order: Any, scale: Scale) -> OrderFacts:  # noqa: ANN401 - a message of the chain
    """Return what a signed order asks for. Raises RefusedTx when the chain would not take it, whatever the market."""
    name = order.order_id
    if order.side not in (BUY, SELL):
        raise RefusedTx(3, "UNSPECIFIED is not a valid order side")
    if name.order_flags not in FLAGS:
        raise RefusedTx(3000, f"invalid order flag {name.order_flags}")
    if not order.quantums or order.quantums % scale.step_quantums:
        raise RefusedTx(4, f"order quantums {order.quantums} are not a multiple of {scale.step_quantums} above 0")
    good_til = good_til_of(order, name.order_flags)
    _require_times_in_force(order, name.order_flags)
    if not order.subticks or order.subticks % scale.subticks_per_tick:
        raise RefusedTx(6, f"order subticks {order.subticks} are not a multiple of {scale.subticks_per_tick} above 0")
    trigger = _trigger_price(order, scale, conditional=name.order_flags == CONDITIONAL)
    owner = owner_of(name.subaccount_id)
    return OrderFacts(
        id=order_id(owner, name.client_id, name.clob_pair_id, name.order_flags),
        account=owner,
        coin=scale.coin,
        client_id=name.client_id,
        flags=name.order_flags,
        pair=name.clob_pair_id,
        is_buy=order.side == BUY,
        size=scale.size(order.quantums),
        price=scale.price(order.subticks),
        tif=order.time_in_force,
        reduce_only=order.reduce_only,
        metadata=order.client_metadata,
        good_til=good_til,
        condition=order.condition_type,
        trigger_price=trigger,
    )


def _require_times_in_force(order: Any, flags: int) -> None:  # noqa: ANN401 - a message of the chain
    if order.time_in_force == TIF_FOK:
        raise RefusedTx(48, "FILL_OR_KILL has been deprecated and will be removed in future versions")
    if order.time_in_force not in _TIFS:
        raise RefusedTx(42, f"invalid time in force ({order.time_in_force})")
    if flags == LONG_TERM and order.time_in_force == TIF_IOC:
        raise RefusedTx(3002)
    if flags == CONDITIONAL and order.time_in_force == TIF_POST_ONLY:
        raise RefusedTx(42, "the mock takes no post-only order that waits for a trigger")
    if order.reduce_only and order.time_in_force != TIF_IOC:
        raise RefusedTx(9003, "reduce only orders must be short term IOC orders")


def _trigger_price(order: Any, scale: Scale, *, conditional: bool) -> Decimal | None:  # noqa: ANN401 - as above
    subticks = order.conditional_order_trigger_subticks
    if not conditional:
        if order.condition_type != NO_CONDITION:
            raise RefusedTx(6000, "condition type specified for non-conditional order")
        if subticks:
            raise RefusedTx(6001, "conditional order trigger subticks greater than 0 for non-conditional order")
        return None
    if order.condition_type not in (STOP_LOSS, TAKE_PROFIT):
        raise RefusedTx(6000, "condition type cannot be unspecified")
    if not subticks or subticks % scale.subticks_per_tick:
        raise RefusedTx(6001, f"trigger subticks {subticks} are not a multiple of {scale.subticks_per_tick} above 0")
    return scale.price(subticks)


def engine_order(facts: OrderFacts, mark: Decimal, tick: Decimal) -> NewOrder:
    """Return the order in the engine's words."""
    price = facts.price
    if facts.tif == TIF_IOC:
        reference = mark if facts.trigger_price is None else facts.trigger_price
        bounds = (_up(reference * _NEAREST, tick), _down(reference * _FURTHEST, tick))
        price = min(max(price, bounds[0]), bounds[1])
    trigger = None
    if facts.trigger_price is not None:
        kind = TpSl.SL if facts.condition == STOP_LOSS else TpSl.TP
        trigger = Trigger(facts.tif == TIF_IOC, facts.trigger_price, kind)
    return NewOrder(
        facts.coin, facts.is_buy, facts.size, price, _TIFS[facts.tif], facts.reduce_only, trigger, cloid=facts.id
    )


def without_trigger(order: NewOrder) -> NewOrder:
    """Return the order as it enters the book once its trigger has been reached."""
    tif = Tif.IOC if order.trigger is not None and order.trigger.is_market else order.tif
    return replace(order, trigger=None, tif=tif)


def _down(price: Decimal, tick: Decimal) -> Decimal:
    return price // tick * tick


def _up(price: Decimal, tick: Decimal) -> Decimal:
    return -(-price // tick) * tick
