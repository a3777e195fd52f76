"""Orders to cancel and positions to take over, on the pages that show them."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from apps.exchanges.admin.confirm import confirmed_action
from apps.exchanges.admin.history import PositionAdmin
from apps.exchanges.admin.orders import OrderAdmin
from apps.exchanges.models import Order, Position
from apps.strategies.by_hand.cancelling import order_cancel
from apps.strategies.by_hand.desks import PREFIX
from apps.strategies.by_hand.taking import position_return, position_take
from apps.strategies.models import StrategyInstrument
from moondev.domain.clock import process_clock
from moondev.domain.errors import InvalidValue

# The floor below shows them; what may be done with them belongs here, where strategies are known.
admin.site.unregister([Order, Position])


@confirmed_action(
    title="Cancel", question="Each is taken out of the market, stops too.", permission="cancel", wants_reason=True
)
def cancel(order: Order, actor: str, reason: str) -> str:
    """Ask for the cancel of an order."""
    order_cancel(order.pk, reason=reason, actor=actor)
    return f"Cancel of order {order.pk} is on its way"


@confirmed_action(
    title="Take over",
    question="Its strategy is paused, and the position is yours, with its stops, until you give it back.",
    permission="hand",
    wants_reason=True,
)
def take(position: Position, actor: str, reason: str) -> str:
    """Take a position over from its strategy."""
    now, instrument = process_clock().now(), position.instrument
    held = position_take(strategy=position.strategy, instrument=instrument, reason=reason, actor=actor, now=now)
    return f"By hand now: {held.quantity.normalize():f} {instrument.key}"


@confirmed_action(
    title="Give back",
    question="Its strategy has it again, and goes on trading if taking over was what paused it.",
    permission="hand",
    wants_reason=True,
)
def give_back(position: Position, actor: str, reason: str) -> str:
    """Give a position that is held by hand back to the strategy that trades its instrument there."""
    if not position.strategy.startswith(PREFIX):
        raise InvalidValue("position", str(position), "one that is held by hand")
    links = StrategyInstrument.objects.filter(account=position.account, instrument=position.instrument)
    owners = sorted(links.values_list("strategy__slug", flat=True))
    if len(owners) != 1:
        raise InvalidValue("position", str(position), f"one that a single strategy trades; these do: {owners}")
    now, instrument = process_clock().now(), position.instrument
    held = position_return(strategy=owners[0], instrument=instrument, reason=reason, actor=actor, now=now)
    return f"{owners[0]} holds {held.quantity.normalize():f} {instrument.key}"


@admin.register(Order)
class CancellableOrderAdmin(OrderAdmin):
    """The floor below's page of orders, and their cancel."""

    actions = [cancel]

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may cancel orders."""
        return bool(request.user.has_perm("exchanges.add_ordercommand"))


@admin.register(Position)
class HandedPositionAdmin(PositionAdmin):
    """The floor below's page of positions, and the way from hand to hand."""

    actions = [take, give_back]

    def has_hand_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may take positions over."""
        return bool(request.user.has_perm("exchanges.change_position"))
