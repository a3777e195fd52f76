"""Orders that live at the venue and should not: ones we never placed, and ones our record says have ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid5

from django.db import transaction

from apps.exchanges.accounts.facts import AccountFacts
from apps.exchanges.accounts.ledger import Asset
from apps.exchanges.bulk import Row, fetch, values_run
from apps.exchanges.locks import ExposureKey, lock_exposures, lock_reports, move_exposures
from apps.exchanges.models import UNASSIGNED, AccountEvent
from apps.exchanges.orders.events import Alarm, Step, alarm_once, alarms_append, steps_append
from apps.exchanges.orders.fill_rows import assets_by_symbol
from apps.exchanges.orders.new_rows import GIVEN_COLUMNS, PLAIN, rows_insert
from apps.exchanges.ports import ReportSource, RestingOrder
from moondev.domain.orders import (
    CLIENT_ORDER_NAMESPACE,
    FINAL,
    OrderStatus,
    OrderType,
    Purpose,
    TimeInForce,
)
from moondev.domain.values import ZERO


@dataclass(frozen=True, slots=True)
class Sorted:
    """The venue's live orders by what we know of them. `zombies` ended here before the venue was asked.

    `unsized` are strangers that have no size before they trigger: Hyperliquid shows a stop or take-profit for a whole
    position with size 0. They can only reduce, and there is nothing to count, so they are not adopted.
    """

    known: tuple[RestingOrder, ...]
    strangers: tuple[RestingOrder, ...]
    zombies: tuple[RestingOrder, ...]
    unsized: tuple[RestingOrder, ...]


def sort_resting(account: AccountFacts, resting: Sequence[RestingOrder], ended_before: datetime) -> Sorted:
    """Sort live orders by our record of them; `ended_before` keeps out orders that ended while the venue answered."""
    client_ids = [str(order.client_order_id) for order in resting if order.client_order_id]
    venue_ids = [order.venue_order_id for order in resting]
    rows = fetch(
        "SELECT o.client_order_id, o.venue_order_id, o.status, o.updated_at FROM exchanges_order o"
        " WHERE o.account_id = %s AND (o.client_order_id = ANY(%s::uuid[]) OR o.venue_order_id = ANY(%s))"
        " UNION ALL SELECT o.client_order_id, a.venue_order_id, o.status, o.updated_at FROM exchanges_order o"
        " JOIN exchanges_venueorderalias a ON a.order_id = o.id WHERE a.account_id = %s AND a.venue_order_id = ANY(%s)",
        (account.account_id, client_ids, venue_ids, account.account_id, venue_ids),
    )
    by_id: dict[UUID | str, Row] = {row[1]: row for row in rows if row[1]} | {row[0]: row for row in rows}
    groups: defaultdict[str, list[RestingOrder]] = defaultdict(list)
    for order in resting:
        row = by_id.get(order.client_order_id or order.venue_order_id) or by_id.get(order.venue_order_id)
        groups[_group(order, row, ended_before)].append(order)
    return Sorted(*(tuple(groups[name]) for name in ("known", "stranger", "zombie", "unsized")))


def _group(order: RestingOrder, row: Row | None, ended_before: datetime) -> str:
    if row is None:
        return "stranger" if order.quantity.value > 0 else "unsized"
    ended = OrderStatus(row[2]) in FINAL and row[3] < ended_before
    return "zombie" if ended else "known"


def orders_adopt(account: AccountFacts, strangers: Sequence[RestingOrder], now: datetime) -> int:
    """Write orders we never placed as ours, owned by UNASSIGNED, with an alarm; return how many were new.

    They hold exposure like any other order, so that limits count what may fill.
    """
    if not strangers:
        return 0
    with transaction.atomic():
        lock_reports(account.account_id)
        assets, _ = assets_by_symbol(account, (order.symbol for order in strangers))
        keys = {key for order in strangers for key in account.exposure_keys(UNASSIGNED, assets[order.symbol].code)}
        lock_exposures(keys)
        by_id = {adopted_id(account, order): order for order in strangers}
        new = rows_insert([_row(account, client_id, order, assets, now) for client_id, order in by_id.items()])
        adopted = [by_id[client_id] for client_id in new]
        _write_venue_side({new[client_id]: by_id[client_id] for client_id in new})
        move_exposures(_raised(account, adopted, assets))
        source, status = ReportSource.RECONCILE, OrderStatus.OPEN
        steps_append([Step(i, source, "", status, "found at the venue, not placed by us") for i in new.values()], now)
        alarms_append(account.account_id, [_alarm(order) for order in adopted], now)
        return len(adopted)


def _write_venue_side(adopted: Mapping[int, RestingOrder]) -> None:
    """Write the venue's id and figure, which an order of ours would have got from its first report."""
    values_run(
        "UPDATE exchanges_order o SET venue_order_id = v.venue_id, venue_filled = v.filled"
        " FROM (VALUES %s) AS v(id, venue_id, filled) WHERE o.id = v.id",
        [(i, order.venue_order_id, order.quantity.value - order.remaining.value) for i, order in adopted.items()],
        "(%s, %s, %s::numeric)",
    )


def adopted_id(account: AccountFacts, order: RestingOrder) -> UUID:
    """Return the id of an adopted order: its own, or one that is always made the same from the venue's."""
    made = uuid5(CLIENT_ORDER_NAMESPACE, f"adopted/{account.venue}/{account.code}/{order.venue_order_id}")
    return order.client_order_id or made


def zombie_alarms(zombies: Iterable[RestingOrder]) -> list[Alarm]:
    """Return one alarm per order that lives on although our record says it ended."""
    kind = AccountEvent.Kind.ZOMBIE_ORDER
    return [
        Alarm(kind, f"{_words(order)} lives at the venue though its record has ended; cancelling") for order in zombies
    ]


def unsized_alarm(account_id: int, unsized: Sequence[RestingOrder], now: datetime) -> None:
    """Tell of orders without a size, once an hour."""
    if unsized:
        text = f"not adopted: {'; '.join(_words(order) for order in unsized)}"
        alarm_once(account_id, Alarm(AccountEvent.Kind.UNSIZED_ORDER, text), now)


def _reserved(order: RestingOrder) -> Decimal:
    return ZERO if order.reduce_only else order.remaining.value * order.price.value


def _raised(
    account: AccountFacts, orders: Iterable[RestingOrder], assets: dict[str, Asset]
) -> dict[ExposureKey, Decimal]:
    changes: defaultdict[ExposureKey, Decimal] = defaultdict(Decimal)
    for order in orders:
        for key in account.exposure_keys(UNASSIGNED, assets[order.symbol].code):
            changes[key] += _reserved(order)
    return changes


def _row(account: AccountFacts, client_id: UUID, order: RestingOrder, assets: dict[str, Asset], now: datetime) -> Row:
    trigger = order.trigger_price
    purpose = Purpose.OPENING
    if order.reduce_only:
        purpose = Purpose.REDUCING if trigger is None else Purpose.PROTECTIVE
    values = {
        "account_id": account.account_id,
        "instrument_id": assets[order.symbol].instrument_id,
        "strategy": UNASSIGNED,
        "tick_id": "adopted",
        "client_order_id": client_id,
        "side": order.side.value,
        "order_type": (OrderType.LIMIT if trigger is None else OrderType.STOP).value,
        "time_in_force": TimeInForce.GTC.value,
        "purpose": purpose.value,
        "quantity": order.quantity.value,
        "price": order.price.value,
        "trigger_price": None if trigger is None else trigger.value,
        "arrival_price": None,
        "status": OrderStatus.OPEN.value,
        "reserved": _reserved(order),
        "valid_until": now,
        "created_at": now,
        "updated_at": now,
        "closed_at": None,
        **PLAIN,
    }
    return tuple(values.get(column, "") for column in GIVEN_COLUMNS)


def _alarm(order: RestingOrder) -> Alarm:
    return Alarm(AccountEvent.Kind.ADOPTED_ORDER, f"{_words(order)} was not placed by us")


def _words(order: RestingOrder) -> str:
    return f"order {order.venue_order_id}: {order.side} {order.remaining} {order.symbol} @ {order.price}"
