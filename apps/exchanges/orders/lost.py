"""Protective orders that ended without having protected: which there are, and the order that takes one's place.

The next of a line is named after the one before it and its number, so whoever looks, however often and at once,
writes it once; being the other's child it shows that the other is seen to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from django.db import transaction

from apps.exchanges.bulk import Row, fetch
from apps.exchanges.models import UNASSIGNED
from apps.exchanges.orders.events import Step, steps_append
from apps.exchanges.orders.new_rows import GIVEN_COLUMNS, PLAIN, rows_insert
from apps.exchanges.orders.triggers import reached, released_as, still_out
from moondev.domain.instruments import PriceGrid, Rounding
from moondev.domain.orders import CLIENT_ORDER_NAMESPACE, NON_FINAL, OrderStatus, OrderType, Purpose
from moondev.domain.values import Price, Side

SOURCE = "rearm"
VALID = timedelta(days=1)
_LIVE = ", ".join(f"'{status.value}'" for status in sorted(NON_FINAL))
# Taken out of the market without a cancel of ours among the commands: by the venue, by a person there, or by a halt,
# which forbids to write it again until it is released.
_BY_ANOTHER = (
    "(o.venue_order_id <> '' AND NOT EXISTS (SELECT 1 FROM exchanges_ordercommand x"
    " WHERE x.order_id = o.id AND x.kind = 'cancel'))"
)
# An order line is as long as attempts go; the bound is against rows that somebody wrote by hand.
_LONGEST_LINE = 100


@dataclass(frozen=True, slots=True)
class Lost:
    """A protective order that the venue did not take, or that was taken out of its market, before it had done its work.

    `remaining` is what of it has not filled, `bare` what its owner holds of the position beyond what live orders of
    the same end (stops, or take-profits) protect; `attempts` how many orders of its line were written again already.
    """

    order_id: int
    account_id: int
    instrument_id: int
    instrument: str
    client_order_id: UUID
    strategy: str
    tick_id: str
    signal_id: str
    side: Side
    order_type: OrderType
    time_in_force: str
    remaining: Decimal
    price: Price
    trigger: Price
    trail_bps: Decimal | None
    status: str
    reason: str
    closed_at: datetime
    bare: Decimal
    attempts: int
    grid: PriceGrid
    account: str
    portfolio: str

    @property
    def names(self) -> tuple[str, str]:
        """Return the codes of venue and account."""
        return self.instrument.partition(":")[0], self.account

    @property
    def end(self) -> tuple[int, str, int, Side, bool]:
        """Return whose end of which position it protects."""
        return self.account_id, self.strategy, self.instrument_id, self.side, self.order_type.value.startswith("take")

    def passed(self, price: Price | None) -> bool:
        """Return whether a market at `price` has set it off; not known without one."""
        return price is not None and reached(self.order_type, self.side, self.trigger, price)


def lost_orders(venue: str, since: datetime) -> list[Lost]:
    """Return what enabled accounts of a venue lost after `since`, of positions that stand, newest first."""
    rows = fetch(
        "WITH RECURSIVE lost AS (SELECT o.* FROM exchanges_order o JOIN exchanges_account a ON a.id = o.account_id"  # noqa: S608  states of ours
        " WHERE a.venue_id = %s AND a.enabled AND o.purpose = 'protective'"
        f" AND o.status IN ('expired', 'rejected', 'cancelled') AND (o.status <> 'cancelled' OR {_BY_ANOTHER})"
        " AND o.closed_at > %s AND o.filled_quantity < o.quantity AND o.trigger_price IS NOT NULL AND o.strategy <> %s"
        " AND NOT EXISTS (SELECT 1 FROM exchanges_order c WHERE c.parent_id = o.id)),"
        " line(id, above, attempts) AS (SELECT id, parent_id, 0 FROM lost UNION ALL"
        " SELECT line.id, p.parent_id, line.attempts + 1 FROM line JOIN exchanges_order p ON p.id = line.above"
        " WHERE p.purpose = 'protective' AND line.attempts < %s),"
        " lines AS (SELECT id, MAX(attempts) AS attempts FROM line GROUP BY id)"
        " SELECT o.id, o.account_id, o.instrument_id, i.venue_id || ':' || i.symbol, o.client_order_id, o.strategy,"
        " o.tick_id, o.signal_id, o.side, o.order_type, o.time_in_force, o.quantity - o.filled_quantity, o.price,"
        " o.trigger_price, o.trail_bps, o.status, o.reason, o.closed_at,"
        " GREATEST(-COALESCE(p.quantity, 0) * CASE o.side WHEN 'buy' THEN 1 ELSE -1 END, 0) - COALESCE(("
        " SELECT SUM(q.quantity - q.filled_quantity) FROM exchanges_order q WHERE q.account_id = o.account_id"
        " AND q.strategy = o.strategy AND q.instrument_id = o.instrument_id AND q.side = o.side"
        f" AND q.purpose = 'protective' AND q.status IN ({_LIVE})"
        " AND starts_with(q.order_type, 'take') = starts_with(o.order_type, 'take')), 0),"
        " lines.attempts, i.tick, i.significant_figures, b.code, b.portfolio_id FROM lost o"
        " JOIN exchanges_account b ON b.id = o.account_id JOIN lines ON lines.id = o.id"
        " JOIN exchanges_instrument i ON i.id = o.instrument_id LEFT JOIN exchanges_position p"
        " ON p.account_id = o.account_id AND p.strategy = o.strategy AND p.instrument_id = o.instrument_id"
        " ORDER BY o.id DESC",
        (venue, since, UNASSIGNED, _LONGEST_LINE),
    )
    return [_lost(row) for row in rows]


def write_again(lost: Lost, quantity: Decimal, price: Price | None, now: datetime) -> bool:
    """Write the next order of a lost one's line for `quantity`, and return whether it was not there yet.

    Where a market at `price` has passed the trigger, it waits with us instead of going to the venue, which would refuse
    it once more: the watchman finds it due, and it leaves at the market.
    """
    passed = lost.passed(price)
    status = OrderStatus.HELD if passed else OrderStatus.APPROVED
    row = _row(lost, quantity, _worst(lost, price), status, now)
    with transaction.atomic():
        ids = rows_insert([row])
        why = f"order {lost.order_id} was lost; attempt {lost.attempts + 1}"
        steps = [Step(i, SOURCE, OrderStatus.CREATED, OrderStatus.APPROVED, why) for i in ids.values()]
        if passed:
            due = f"{price} has passed its trigger {lost.trigger}"
            steps += [Step(i, SOURCE, OrderStatus.APPROVED, OrderStatus.HELD, due) for i in ids.values()]
        steps_append(steps, now)
    return bool(ids)


def _worst(lost: Lost, price: Price | None) -> Price:
    """Return the worst price of the next order: one that leaves at the market must find somebody there."""
    if price is None or not lost.passed(price) or released_as(lost.order_type)[0] is not OrderType.MARKET:
        return lost.price
    return lost.grid.rounded(still_out(lost.side, lost.price, price).value, Rounding.aggressive(lost.side))


def _row(lost: Lost, quantity: Decimal, worst: Price, status: OrderStatus, now: datetime) -> Row:
    values = {
        "account_id": lost.account_id,
        "instrument_id": lost.instrument_id,
        "strategy": lost.strategy,
        "tick_id": lost.tick_id,
        "signal_id": lost.signal_id,
        "client_order_id": uuid5(CLIENT_ORDER_NAMESPACE, f"{lost.client_order_id}/again/{lost.attempts + 1}"),
        "side": lost.side.value,
        "order_type": lost.order_type.value,
        "time_in_force": lost.time_in_force,
        "purpose": Purpose.PROTECTIVE.value,
        "quantity": quantity,
        "price": worst.value,
        "trigger_price": lost.trigger.value,
        "arrival_price": None,
        "status": status.value,
        "reserved": 0,
        "valid_until": now + VALID,
        "created_at": now,
        "updated_at": now,
        "closed_at": None,
        **PLAIN,
        "trail_bps": lost.trail_bps,
        "parent_id": lost.order_id,
    }
    return tuple(values.get(column, "") for column in GIVEN_COLUMNS)


def _lost(row: Row) -> Lost:
    return Lost(
        order_id=row[0],
        account_id=row[1],
        instrument_id=row[2],
        instrument=row[3],
        client_order_id=row[4],
        strategy=row[5],
        tick_id=row[6],
        signal_id=row[7],
        side=Side(row[8]),
        order_type=OrderType(row[9]),
        time_in_force=row[10],
        remaining=row[11],
        price=Price(row[12]),
        trigger=Price(row[13]),
        trail_bps=row[14],
        status=row[15],
        reason=row[16],
        closed_at=row[17],
        bare=row[18],
        attempts=row[19],
        grid=PriceGrid(row[20], row[21]),
        account=row[22],
        portfolio=row[23],
    )
