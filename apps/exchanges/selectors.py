"""What the floors above read of this one: one query each, for any number of strategies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from apps.exchanges.models import InstrumentRow, Order, Position
from moondev.domain.instruments import Instrument
from moondev.domain.orders import NON_FINAL, OrderStatus, OrderType, Purpose, TimeInForce, WorkingOrder
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price, Quantity, Side

_WORKING_FIELDS = (
    "strategy", "client_order_id", "instrument__venue_id", "instrument__symbol", "side", "order_type",
    "time_in_force", "quantity", "filled_quantity", "price", "trigger_price", "status", "purpose", "signal_id",
)  # fmt: skip


def working_orders(strategies: Sequence[str]) -> dict[str, list[WorkingOrder]]:
    """Return every order of each strategy that has not ended, oldest first.

    An order whose end the venue has named counts until our fills have caught up with it, so that nobody plans as if a
    trade had not happened.
    """
    found: dict[str, list[WorkingOrder]] = {strategy: [] for strategy in strategies}
    rows = Order.objects.filter(strategy__in=strategies, status__in=sorted(NON_FINAL)).order_by("pk")
    for row in rows.values_list(*_WORKING_FIELDS):
        found[row[0]].append(_working_order(row))
    return found


def _working_order(row: tuple[Any, ...]) -> WorkingOrder:
    return WorkingOrder(
        client_order_id=row[1],
        instrument=f"{row[2]}:{row[3]}",
        side=Side(row[4]),
        order_type=OrderType(row[5]),
        time_in_force=TimeInForce(row[6]),
        quantity=Quantity(row[7].normalize()),
        filled=Quantity(row[8].normalize()),
        price=Price(row[9].normalize()),
        trigger_price=None if row[10] is None else Price(row[10].normalize()),
        status=OrderStatus(row[11]),
        purpose=Purpose(row[12]),
        signal_id=row[13],
    )


def holdings(strategies: Sequence[str]) -> dict[str, dict[str, Holding]]:
    """Return what each strategy holds, by instrument key; flat positions keep their realised profit."""
    found: dict[str, dict[str, Holding]] = {strategy: {} for strategy in strategies}
    rows = Position.objects.filter(strategy__in=strategies).values_list(
        "strategy", "instrument__venue_id", "instrument__symbol", "quantity", "cost", "realised", "fees", "funding"
    )
    for strategy, venue, symbol, *amounts in rows:
        key = f"{venue}:{symbol}"
        known = found[strategy].get(key, Holding())
        # A strategy that moved to another account has its closed positions on both.
        found[strategy][key] = Holding(
            known.quantity + amounts[0],
            known.cost + amounts[1],
            known.realised + amounts[2],
            known.fees + amounts[3],
            known.funding + amounts[4],
        )
    return found


def account_net(account_ids: Iterable[int]) -> dict[int, dict[str, Decimal]]:
    """Return the net position of each account by instrument key, over all owners; zero ones are left out."""
    found: defaultdict[int, dict[str, Decimal]] = defaultdict(dict)
    rows = (
        Position.objects.filter(account_id__in=list(account_ids))
        .values_list("account_id", "instrument__venue_id", "instrument__symbol")
        .annotate(net=Sum("quantity"))
    )
    for account_id, venue, symbol, net in rows:
        if net:
            found[account_id][f"{venue}:{symbol}"] = net
    return dict(found)


def instruments(instrument_ids: Iterable[int]) -> dict[int, Instrument]:
    """Return instruments with the venue's rules, by row id."""
    return {row.pk: row.to_domain() for row in InstrumentRow.objects.filter(pk__in=list(instrument_ids))}
