"""From quotes to requests: keep what fits a level, move what can move, then place what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from apps.strategies.orchestrator.planner.desk import Desk
from apps.strategies.orchestrator.planner.situation import MOVABLE, floored, remaining, tolerance
from moondev.domain.desired import Quotes
from moondev.domain.orders import AmendOrder, OrderRequest, OrderStatus, OrderType, Purpose, TimeInForce, WorkingOrder
from moondev.domain.values import ZERO, Price, Side

MAX_LEVELS = 50


@dataclass(slots=True)
class Level:
    """One price to quote, what it should hold, and the orders that already stand there."""

    price: Price
    quantity: Decimal
    orders: list[WorkingOrder] = field(default_factory=list)
    coming: Decimal = ZERO

    @property
    def held(self) -> Decimal:
        """Return what stands here or has been asked to move here."""
        return remaining(self.orders) + self.coming


def plan_quotes(quotes: Quotes, desk: Desk) -> list[OrderRequest]:
    """Return the requests after which these quotes rest, and nothing else.

    What is on its way or being cancelled counts until it is gone, so a side never holds more than
    its quotes together.
    """
    requests = desk.cancels(desk.at.protective, "quoting has no stops")
    for side in Side:
        requests += _Ladder(quotes, side, desk).plan()
    return requests


def too_small(quotes: Quotes, desk: Desk) -> list[str]:
    """Return a remark for every quote that is left out because the venue takes no order of its size."""
    rules = desk.at.instrument
    return [
        f"{quotes.instrument}: {side.value} {quote.quantity} @ {quote.price} is below the lot of {rules.lot}"
        f" or the minimum of {rules.min_notional}; not quoted"
        for side in Side
        for quote in quotes.side(side)
        if not _quotable(floored(quote.quantity.value, rules), quote.price, side, desk)
    ]


def _quotable(quantity: Decimal, price: Price, side: Side, desk: Desk) -> bool:
    closes = quantity <= desk.at.closable(side)
    return desk.accepted(quantity, price, Purpose.REDUCING if closes else Purpose.OPENING)


class _Ladder:
    """One side of the quotes against one side of the working orders."""

    def __init__(self, quotes: Quotes, side: Side, desk: Desk) -> None:
        self._side, self._desk, self._at = side, desk, desk.at
        self._levels = _levels(quotes, side, desk)
        self._working = [order for order in desk.at.trading if order.side is side]
        self._requests: list[OrderRequest] = []

    def plan(self) -> list[OrderRequest]:
        """Match, trim, move, cancel, place; in that order."""
        free = self._match(self._quoting())
        for level in self._levels:
            self._trim(level)
        self._requests += self._desk.cancels(self._move(free), "no such quote")
        self._place()
        return self._requests

    def _ask(self, request: OrderRequest | None) -> None:
        if request is not None:
            self._requests.append(request)

    def _quoting(self) -> list[WorkingOrder]:
        """Cancel what is no quote or would close more than there is; return the others."""
        closable = self._at.closable(self._side)
        quoting = []
        for order in sorted(self._working, key=lambda o: o.price.value * -self._side.sign):
            resting = order.order_type is OrderType.LIMIT and order.time_in_force is TimeInForce.POST_ONLY
            if order.purpose.reduces:
                closable -= order.remaining.value
            if not resting:
                self._ask(self._desk.cancel(order, "not a quote"))
            elif order.purpose.reduces and closable < 0:
                self._ask(self._desk.cancel(order, "more than the position"))
            elif order.status is not OrderStatus.CANCELLING:
                quoting.append(order)
        return quoting

    def _match(self, quoting: list[WorkingOrder]) -> list[WorkingOrder]:
        """Give each order to the nearest level within reach; return those without one."""
        free = []
        for order in quoting:
            near = min(self._levels, key=lambda level: abs(level.price.value - order.price.value), default=None)
            if near is not None and order.price.distance_bps(near.price) <= self._desk.rules.reprice_bps:
                near.orders.append(order)
            else:
                free.append(order)
        return free

    def _trim(self, level: Level) -> None:
        """Take from a level what it holds beyond its quote and the tolerance, newest price last."""
        if level.held <= level.quantity + tolerance(level.quantity, level.price, self._at.instrument):
            return
        left = level.quantity
        for order in level.orders:
            keep = min(order.remaining.value, left)
            left -= keep
            if keep < order.remaining.value:
                self._ask(self._desk.shrink(order, keep, order.price, "more than the quote"))

    def _move(self, free: list[WorkingOrder]) -> list[WorkingOrder]:
        """Amend free orders to levels that hold nothing; return those that are left over."""
        movable = [order for order in free if order.status in MOVABLE]
        over = [order for order in free if order.status not in MOVABLE]
        for level in self._levels:
            if level.orders or not movable:
                continue
            order = movable.pop(0)
            keep = min(order.remaining.value, level.quantity)
            request = self._desk.shrink(order, keep, level.price, "no longer a quote")
            self._ask(request)
            level.coming = request.remaining.value if isinstance(request, AmendOrder) else ZERO
        return over + movable

    def _place(self) -> None:
        """Place what levels lack, best first, within what the side may hold altogether."""
        budget = sum((level.quantity for level in self._levels), ZERO) - remaining(self._working)
        closable = self._at.closable(self._side) - remaining([o for o in self._working if o.purpose.reduces])
        for number, level in enumerate(self._levels):
            lack = level.quantity - level.held
            if level.held and lack <= tolerance(level.quantity, level.price, self._at.instrument):
                continue
            lack = floored(min(lack, budget), self._at.instrument)
            closing = floored(min(lack, max(closable, ZERO)), self._at.instrument)
            budget -= lack
            closable -= closing
            self._place_part(number, level.price, closing, Purpose.REDUCING)
            if not self._at.uncertain:
                self._place_part(number, level.price, lack - closing, Purpose.OPENING)

    def _place_part(self, number: int, price: Price, quantity: Decimal, purpose: Purpose) -> None:
        if not self._desk.accepted(quantity, price, purpose):
            return
        style = self._desk.resting(self._side, price, TimeInForce.POST_ONLY)
        leg = f"{self._side.value}/{number}/{purpose.value}"
        self._requests.append(self._desk.place(leg, self._side, quantity, style, purpose, "quotes"))


def _levels(quotes: Quotes, side: Side, desk: Desk) -> list[Level]:
    """Return the quotes of one side on the grid, equal prices merged, none that would trade at once."""
    merged: dict[Price, Decimal] = {}
    for quote in quotes.side(side):
        price = _maker_price(quote.price, side, desk)
        merged[price] = merged.get(price, ZERO) + quote.quantity.value
    levels = [Level(price, floored(quantity, desk.at.instrument)) for price, quantity in merged.items()]
    return [level for level in levels if _quotable(level.quantity, level.price, side, desk)]


def _maker_price(price: Price, side: Side, desk: Desk) -> Price:
    """Return `price` on the grid, one step behind the other side where it would cross it."""
    other = desk.at.best_ask if side is Side.BUY else desk.at.best_bid
    on_grid = desk.resting(side, price, TimeInForce.POST_ONLY).price
    if other is None or (other.value - on_grid.value) * side.sign > 0:
        return on_grid
    step = desk.at.instrument.price_grid.step_at(other.value)
    behind = Price(other.value - step * side.sign)
    return desk.resting(side, behind, TimeInForce.POST_ONLY).price
