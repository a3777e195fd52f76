"""What a rule would have refused, asked of the opening orders of the last week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.exchanges.models import Order
from apps.risk.models import CustomRule, LimitScope
from apps.risk.rules.language import holds
from apps.risk.rules.vocabulary import Value, distance_bps, moment, plain
from moondev.domain.errors import InvalidValue
from moondev.domain.orders import Purpose

WEEK = timedelta(days=7)
MOST_ORDERS = 5_000
MOST_EXAMPLES = 5
_PATHS = {
    LimitScope.PORTFOLIO: "account__portfolio_id",
    LimitScope.VENUE: "account__venue_id",
    LimitScope.ACCOUNT: "account__code",
    LimitScope.STRATEGY: "strategy",
    LimitScope.ASSET: "instrument__asset",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """How the newest orders of the week fare. `untold` are those of which the rule asks what was not written down."""

    asked: int
    refused: int
    untold: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in a sentence."""
        if not self.asked:
            return "no opening order of the last week lies in its scope"
        untold = f"; {self.untold} cannot be told: orders keep no equity and no drawdown" if self.untold else ""
        return f"of {self.asked} opening orders of the last week it would have refused {self.refused}{untold}"


def last_week(rule: CustomRule, now: datetime) -> Preview:
    """Return how the rule would have judged. Raises InvalidValue for what is no rule."""
    orders = Order.objects.filter(created_at__gte=now - WEEK, purpose=Purpose.OPENING.value)
    path = _PATHS.get(LimitScope(rule.scope_kind))
    if path is not None:
        orders = orders.filter(**{path: rule.scope_key})
    if rule.scope_kind == LimitScope.INSTRUMENT:
        venue, _, symbol = rule.scope_key.partition(":")
        orders = orders.filter(instrument__venue_id=venue, instrument__symbol=symbol)
    refused: list[str] = []
    asked = untold = 0
    for order in orders.select_related("instrument").order_by("-pk")[:MOST_ORDERS]:
        asked += 1
        try:
            passes = holds(rule.expression, _values(order))
        except InvalidValue:
            untold += 1
            continue
        if not passes:
            refused.append(f"{order.created_at:%m-%d %H:%M} {order.strategy} {order}")
    return Preview(asked, len(refused), untold, tuple(refused[:MOST_EXAMPLES]))


def _values(order: Order) -> dict[str, Value]:
    """Return what its row still knows of an order."""
    instrument = order.instrument
    return plain(
        {
            "instrument": instrument.key, "asset": instrument.asset, "venue": instrument.venue_id, "side": order.side,
            "quantity": order.quantity, "price": order.price, "notional": order.quantity * order.price,
            "added": order.quantity * order.price, "mid": order.arrival_price,
            "distance_bps": distance_bps(order.price, order.arrival_price), "strategy": order.strategy,
            **moment(order.created_at),
        }
    )  # fmt: skip
