"""What happened at each venue, in numbers: the lines of the final report that a run over several venues has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, Q

from apps.exchanges.models import Account, Fill, Order, Position
from apps.strategies.models import StrategyInstrument
from moondev.domain.orders import OrderStatus, Purpose


@dataclass(frozen=True, slots=True)
class VenueTotals:
    """Counts and open positions of one venue; `stood_in` are orders that opened risk here for a venue that was down."""

    orders: int
    fills: int
    stood_in: int
    positions: Mapping[str, Decimal]
    accounts: frozenset[str]


def read_venues() -> dict[str, VenueTotals]:
    """Return the totals by venue code, from the database as it is."""
    orders = _counts(Order.objects.exclude(status=OrderStatus.REFUSED), "instrument__venue_id")
    fills = _counts(Fill.objects.all(), "instrument__venue_id")
    stood_in = _stood_in()
    codes: dict[str, set[str]] = {}
    for venue, account in Account.objects.values_list("venue_id", "code"):
        codes.setdefault(venue, set()).add(account)
    return {
        venue: VenueTotals(
            orders.get(venue, 0), fills.get(venue, 0), stood_in.get(venue, 0), _positions(venue), frozenset(accounts)
        )
        for venue, accounts in sorted(codes.items())
    }


def _counts(rows: object, venue: str) -> dict[str, int]:
    return dict(rows.order_by().values_list(venue).annotate(Count("id")))  # type: ignore[attr-defined]


def _stood_in() -> dict[str, int]:
    """Count opening orders in instruments that stand in for another of the same strategy."""
    links = StrategyInstrument.objects.exclude(stands_in_for=None).values_list("strategy__slug", "instrument_id")
    wanted = Q(pk__in=[])
    for slug, instrument_id in links:
        wanted |= Q(strategy=slug, instrument_id=instrument_id)
    opened = Order.objects.filter(wanted, purpose=Purpose.OPENING).exclude(status=OrderStatus.REFUSED)
    return _counts(opened, "instrument__venue_id")


def _positions(venue: str) -> dict[str, Decimal]:
    rows = Position.objects.filter(instrument__venue=venue).exclude(quantity=0)
    named = rows.annotate(symbol=F("instrument__symbol")).values_list("strategy", "symbol", "quantity")
    return {f"{strategy} {symbol}": quantity for strategy, symbol, quantity in named}
