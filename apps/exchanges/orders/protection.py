"""Protective orders between two ticks: a bracket's children come with its fills, and go with what they protect.

The planner does the same at every tick, from the position. Here it happens as soon as a fill is booked, so that a
filled order is never without its stop for the length of a tick, and one end of a bracket takes the other out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from django.db import DataError, IntegrityError, transaction

from apps.exchanges.bulk import Row, fetch, run
from apps.exchanges.capabilities import Capabilities, Support
from apps.exchanges.models import UNASSIGNED
from apps.exchanges.orders.entries import CommandEntry
from apps.exchanges.orders.events import Step, steps_append
from apps.exchanges.orders.new_rows import GIVEN_COLUMNS, PLAIN, rows_insert
from apps.exchanges.orders.record import orders_record
from apps.exchanges.orders.triggers import SLIPPAGE_BPS
from apps.exchanges.orders.wake import wake_accounts
from moondev.domain.errors import TradingError
from moondev.domain.instruments import PriceGrid, Rounding
from moondev.domain.orders import CLIENT_ORDER_NAMESPACE, CancelOrder, OrderStatus, OrderType, Purpose, TimeInForce
from moondev.domain.values import Bps, Price, Side

logger = logging.getLogger(__name__)

SOURCE = "bracket"
NOTHING_TO_PROTECT = "no position to protect"
MORE_THAN_THE_POSITION = "more than there is to reduce"
VALID = timedelta(minutes=2)
# Nobody writes a child again that ends unsent, so while its venue is away it waits.
CHILD_VALID = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Parent:
    """A filled order with a bracket: what of it is protected already, and what the children need to know."""

    order_id: int
    account_id: int
    instrument_id: int
    client_order_id: UUID
    strategy: str
    tick_id: str
    signal_id: str
    side: Side
    filled: Decimal
    covered: Decimal
    levels: tuple[tuple[OrderType, Decimal], ...]
    grid: PriceGrid


def protection_look(venue: str, able: Capabilities, now: datetime) -> None:
    """Look over what protects and reduces at a venue once: arm brackets, end what has nothing left to do."""
    brackets_arm(venue, now)
    idle_end(venue, now)
    if able.resting_reduce_only is not Support.NATIVE:
        excess_end(venue, now)


def brackets_arm(venue: str, now: datetime) -> int:
    """Place the stops and take-profits that fills of a venue's bracket orders call for; return how many.

    Each fill is covered once, whoever looks and however often: how far a parent is covered moves by compare-and-set,
    in the transaction that writes the children, and their names follow from it.
    """
    placed, accounts = 0, set()
    for parent in _uncovered(venue):
        try:
            children = _cover(parent, now)
        except (TradingError, DataError, IntegrityError):
            # One that cannot be protected as it asks must not leave all others without their stops.
            logger.exception("order %s: what it has filled cannot be protected", parent.order_id)
            continue
        if children:
            accounts.add(parent.account_id)
        placed += children
    wake_accounts(accounts)
    return placed


def idle_end(venue: str, now: datetime) -> int:
    """Cancel protective orders of a venue's accounts that have nothing left to protect; return how many."""
    return _cancel(_idle(venue), NOTHING_TO_PROTECT, now)


def excess_end(venue: str, now: datetime) -> int:
    """Cancel resting orders that reduce where they are more than there is to reduce; return how many.

    For venues that do not see to it themselves (`Capabilities.resting_reduce_only`). The planner places what fits.
    """
    return _cancel(_excess(venue), MORE_THAN_THE_POSITION, now)


def _uncovered(venue: str) -> list[Parent]:
    rows = fetch(
        "SELECT o.id, o.account_id, o.instrument_id, o.client_order_id, o.strategy, o.tick_id, o.signal_id, o.side,"
        " o.filled_quantity, o.covered_quantity, o.stop_price, o.take_profit_price, i.tick, i.significant_figures"
        " FROM exchanges_order o JOIN exchanges_account a ON a.id = o.account_id"
        " JOIN exchanges_instrument i ON i.id = o.instrument_id WHERE a.venue_id = %s"
        " AND o.filled_quantity > o.covered_quantity"
        " AND (o.stop_price IS NOT NULL OR o.take_profit_price IS NOT NULL) ORDER BY o.id",
        (venue,),
    )
    return [_parent(row) for row in rows]


def _parent(row: Row) -> Parent:
    levels = tuple(
        (kind, level)
        for kind, level in ((OrderType.STOP, row[10]), (OrderType.TAKE_PROFIT, row[11]))
        if level is not None
    )
    return Parent(
        order_id=row[0],
        account_id=row[1],
        instrument_id=row[2],
        client_order_id=row[3],
        strategy=row[4],
        tick_id=row[5],
        signal_id=row[6],
        side=Side(row[7]),
        filled=row[8],
        covered=row[9],
        levels=levels,
        grid=PriceGrid(row[12], row[13]),
    )


def _cover(parent: Parent, now: datetime) -> int:
    with transaction.atomic():
        mine = run(
            "UPDATE exchanges_order SET covered_quantity = %s WHERE id = %s AND covered_quantity = %s",
            (parent.filled, parent.order_id, parent.covered),
        )
        if not mine:
            return 0
        ids = rows_insert([_child(parent, kind, level, now) for kind, level in parent.levels])
        steps = [
            Step(i, SOURCE, OrderStatus.CREATED, OrderStatus.APPROVED, "its order has filled") for i in ids.values()
        ]
        steps_append(steps, now)
        return len(ids)


def _child(parent: Parent, kind: OrderType, level: Decimal, now: datetime) -> Row:
    side = parent.side.opposite
    worst = Price(level).moved(Bps(SLIPPAGE_BPS * side.sign))
    name = f"{parent.client_order_id}/{kind.value}/{parent.covered.normalize():f}"
    values = {
        "account_id": parent.account_id,
        "instrument_id": parent.instrument_id,
        "strategy": parent.strategy,
        "tick_id": parent.tick_id,
        "signal_id": parent.signal_id,
        "client_order_id": uuid5(CLIENT_ORDER_NAMESPACE, name),
        "side": side.value,
        "order_type": kind.value,
        "time_in_force": TimeInForce.GTC.value,
        "purpose": Purpose.PROTECTIVE.value,
        "quantity": parent.filled - parent.covered,
        "price": parent.grid.rounded(worst.value, Rounding.aggressive(side)).value,
        "trigger_price": parent.grid.rounded(level, Rounding.passive(side)).value,
        "arrival_price": None,
        "status": OrderStatus.APPROVED.value,
        "reserved": 0,
        "valid_until": now + CHILD_VALID,
        "created_at": now,
        "updated_at": now,
        "closed_at": None,
        **PLAIN,
        "parent_id": parent.order_id,
    }
    return tuple(values.get(column, "") for column in GIVEN_COLUMNS)


def _cancel(orders: Sequence[Row], reason: str, now: datetime) -> int:
    """Write cancels of orders given as (client id, account, strategy, instrument), and wake the senders."""
    by_account: dict[int, list[CommandEntry]] = {}
    for client_id, account_id, strategy, key in orders:
        cancel = CancelOrder(client_id, key, reason)
        by_account.setdefault(account_id, []).append(CommandEntry(cancel, account_id, strategy, SOURCE, now + VALID))
    for commands in by_account.values():
        with transaction.atomic():
            recorded = orders_record(entries=[], commands=commands, now=now)
            wake_accounts(recorded.account_ids_with_work)
    return len(orders)


def _excess(venue: str) -> Sequence[Row]:
    """Return live limit orders that reduce, of every owner and side that has more of them than position."""
    return fetch(
        "SELECT client_order_id, account_id, strategy, key FROM (SELECT o.client_order_id, o.account_id, o.strategy,"
        " i.venue_id || ':' || i.symbol AS key, SUM(o.quantity - o.filled_quantity) OVER owner AS resting,"
        " GREATEST(-COALESCE(p.quantity, 0) * CASE o.side WHEN 'buy' THEN 1 ELSE -1 END, 0) AS closable, o.id"
        " FROM exchanges_order o JOIN exchanges_account a ON a.id = o.account_id"
        " JOIN exchanges_instrument i ON i.id = o.instrument_id LEFT JOIN exchanges_position p"
        " ON p.account_id = o.account_id AND p.strategy = o.strategy AND p.instrument_id = o.instrument_id"
        " WHERE a.venue_id = %s AND o.purpose = 'reducing' AND o.order_type = 'limit' AND o.venue_status = ''"
        " AND o.status IN ('open', 'partially_filled') AND o.strategy <> %s"
        " AND NOT EXISTS (SELECT 1 FROM exchanges_ordercommand c WHERE c.order_id = o.id AND c.kind = 'cancel'"
        " AND c.status IN ('approved', 'sending', 'unknown'))"
        " WINDOW owner AS (PARTITION BY o.account_id, o.strategy, o.instrument_id, o.side)) AS live"
        " WHERE resting > closable ORDER BY id",
        (venue, UNASSIGNED),
    )


def _idle(venue: str) -> Sequence[Row]:
    """Return live protective orders whose owner holds nothing on their side and that nobody is cancelling yet."""
    return fetch(
        "SELECT o.client_order_id, o.account_id, o.strategy, i.venue_id || ':' || i.symbol FROM exchanges_order o"
        " JOIN exchanges_account a ON a.id = o.account_id JOIN exchanges_instrument i ON i.id = o.instrument_id"
        " LEFT JOIN exchanges_position p ON p.account_id = o.account_id AND p.strategy = o.strategy"
        " AND p.instrument_id = o.instrument_id WHERE a.venue_id = %s AND o.purpose = 'protective'"
        " AND o.status IN ('held', 'open', 'partially_filled') AND o.venue_status = '' AND o.strategy <> %s"
        " AND COALESCE(p.quantity, 0) * CASE o.side WHEN 'buy' THEN 1 ELSE -1 END >= 0"
        " AND NOT EXISTS (SELECT 1 FROM exchanges_ordercommand c WHERE c.order_id = o.id AND c.kind = 'cancel'"
        " AND c.status IN ('approved', 'sending', 'unknown')) ORDER BY o.id",
        (venue, UNASSIGNED),
    )
