"""What a resting order ties up: margin of a perpetual, or balance of a spot pair."""

from __future__ import annotations

from apps.exchanges.mock.engine.accounts import Balance
from apps.exchanges.mock.engine.api import ASSET_DECIMALS, CASH_DECIMALS
from apps.exchanges.mock.engine.orders import Order

# Money counts millionths, a balance hundred-millionths.
QUOTE_SCALE: int = 10 ** (ASSET_DECIMALS - CASH_DECIMALS)


def tie_up(order: Order, by: int) -> None:
    """Tie up what `by` more size units of a resting `order` need; give it back when `by` is negative."""
    account, market = order.account, order.market
    if market.base is None:
        if not order.reduce_only:
            account.exposure(market.coin).change(order, by)
        return
    balance, per_unit = _paid_from(order, market.base)
    balance.held += per_unit * by


def affordable(order: Order) -> bool:
    """Return whether the owner has what a spot `order` may take, as far as the book or its price goes."""
    market = order.market
    if market.base is None:
        return True
    balance, per_unit = _paid_from(order, market.base)
    if order.is_buy and order.tif.immediate:
        return _price_of_book(order) * QUOTE_SCALE <= balance.free
    return per_unit * order.remaining <= balance.free


def _paid_from(order: Order, base: str) -> tuple[Balance, int]:
    """Return the balance that pays for `order`, and how much of it one size unit needs."""
    market = order.market
    if order.is_buy:
        return order.account.balance(market.spec.quote), order.px * QUOTE_SCALE
    return order.account.balance(base), market.base_scale


def _price_of_book(order: Order) -> int:
    """Return what an immediate buy would cost now, in money units: a market order names a much worse price."""
    wanted, cost = order.remaining, 0
    for level in order.market.book.asks:
        if not wanted or not order.crosses(level.px):
            break
        had = min(wanted, sum(maker.remaining for maker in level.orders.values() if maker.account is not order.account))
        wanted, cost = wanted - had, cost + had * level.px
    return cost
