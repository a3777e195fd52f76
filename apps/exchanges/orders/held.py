"""Orders that wait with us because their venue does not do their kind: held, trailed, released.

Every step is a compare-and-set on the row, so that passes which run twice, at once or are killed in between release
an order once; what is released is the same row under the same client order id, sent like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import uuid5

from django.db import transaction

from apps.exchanges.bulk import Row, fetch, values_fetch, values_run
from apps.exchanges.orders.claim import Claim
from apps.exchanges.orders.events import Step, steps_append
from apps.exchanges.orders.new_rows import GIVEN_COLUMNS, UNTOUCHED_COLUMNS
from apps.exchanges.orders.triggers import released_as
from moondev.domain.instruments import PriceGrid, market_parts
from moondev.domain.orders import CLIENT_ORDER_NAMESPACE, OrderStatus, OrderType, Purpose
from moondev.domain.values import Bps, Price, Quantity, Side

HELD_BY_US = "the venue does not do this kind; it waits with us"
SOURCE = "watch"


_OWN = {"client_order_id": "v.name", "quantity": "v.quantity", "triggered": "TRUE", "reserved": "0"}
_COLUMNS = (*GIVEN_COLUMNS, *UNTOUCHED_COLUMNS)
_FURTHER = (
    f"INSERT INTO exchanges_order ({', '.join(_COLUMNS)}) SELECT"  # noqa: S608  columns of ours
    f" {', '.join(_OWN.get(column, f'o.{column}') for column in _COLUMNS)}"
    " FROM (VALUES %s) AS v(id, name, quantity) JOIN exchanges_order o ON o.id = v.id"
    " ON CONFLICT (client_order_id) DO NOTHING RETURNING id"
)


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """One order that waits with us. `position` is what its owner holds of the instrument, signed.

    `most` is the most that one order at the market may ask for; None where the venue sets no such limit.
    """

    order_id: int
    account_id: int
    strategy: str
    instrument: str
    side: Side
    order_type: OrderType
    purpose: Purpose
    quantity: Decimal
    price: Price
    trigger: Price
    trail: Bps | None
    grid: PriceGrid
    position: Decimal
    lot: Decimal
    most: Decimal | None

    @property
    def reduces(self) -> bool:
        """Return whether it can only shrink a position."""
        return self.purpose.reduces

    def parts(self, quantity: Decimal) -> list[Decimal]:
        """Return `quantity` as the orders that its venue takes once it is released; what opens goes out as one."""
        if not self.reduces or self.most is None or released_as(self.order_type)[0] is not OrderType.MARKET:
            return [quantity]
        return [part.value for part in market_parts(Quantity(quantity), Quantity(self.lot), Quantity(self.most))]

    @property
    def closable(self) -> Decimal:
        """Return how much of the position it would close; zero when there is nothing on its side."""
        return abs(self.position) if self.position * self.side.sign < 0 else Decimal(0)


@dataclass(frozen=True, slots=True)
class Release:
    """One order to be sent now, for `quantity` at no worse than `price`, until `valid_until`, because of `reason`.

    `further` are orders of their own, of the same kind, for what the venue does not take in one.
    """

    order_id: int
    quantity: Decimal
    price: Price
    valid_until: datetime
    reason: str
    further: tuple[Decimal, ...] = ()


def orders_hold(claim: Claim, order_ids: Sequence[int], now: datetime) -> frozenset[int]:
    """Keep claimed orders with us until their triggers are reached; return those that were still the claim's."""
    with transaction.atomic():
        rows = fetch(
            "UPDATE exchanges_order SET status = 'held', claimed_by = '', claimed_until = NULL, updated_at = %s"
            " WHERE id = ANY(%s) AND status = 'approved' AND claimed_by = %s AND fence = %s RETURNING id",
            (now, list(order_ids), claim.worker, claim.fence),
        )
        held = sorted(order_id for (order_id,) in rows)
        steps_append([Step(i, "send", OrderStatus.APPROVED, OrderStatus.HELD, HELD_BY_US) for i in held], now)
        return frozenset(held)


def held_orders(venue: str) -> list[HeldOrder]:
    """Return what waits with us for the enabled accounts of a venue, oldest first."""
    rows = fetch(
        "SELECT o.id, o.account_id, o.strategy, i.venue_id || ':' || i.symbol, o.side, o.order_type, o.purpose,"
        " o.quantity, o.price, o.trigger_price, o.trail_bps, i.tick, i.significant_figures, COALESCE(p.quantity, 0),"
        " i.lot, i.max_market_quantity"
        " FROM exchanges_order o JOIN exchanges_account a ON a.id = o.account_id"
        " JOIN exchanges_instrument i ON i.id = o.instrument_id LEFT JOIN exchanges_position p"
        " ON p.account_id = o.account_id AND p.strategy = o.strategy AND p.instrument_id = o.instrument_id"
        " WHERE a.venue_id = %s AND a.enabled AND o.status = 'held' ORDER BY o.id",
        (venue,),
    )
    return [_held(row) for row in rows]


def triggers_move(moves: Mapping[int, tuple[Price, Price]], now: datetime) -> int:
    """Move trailing stops to (trigger, worst price) and return how many; never back, whoever else moves them."""
    rows = [(order_id, trigger.value, worst.value, now) for order_id, (trigger, worst) in sorted(moves.items())]
    return values_run(
        "UPDATE exchanges_order o SET trigger_price = v.trigger, price = v.worst, updated_at = v.now"
        " FROM (VALUES %s) AS v(id, trigger, worst, now) WHERE o.id = v.id AND o.status = 'held'"
        " AND CASE o.side WHEN 'sell' THEN o.trigger_price < v.trigger ELSE o.trigger_price > v.trigger END",
        rows,
        "(%s, %s::numeric, %s::numeric, %s::timestamptz)",
    )


def orders_release(releases: Sequence[Release], now: datetime) -> frozenset[int]:
    """Let orders go to the sender as what they become; return those that nobody had released or cancelled before."""
    with transaction.atomic():
        rows = values_fetch(
            "UPDATE exchanges_order o SET status = 'approved', triggered = TRUE, quantity = v.quantity,"
            " price = v.price, valid_until = v.until, claimed_by = '', claimed_until = NULL, updated_at = v.now"
            " FROM (VALUES %s) AS v(id, quantity, price, until, now)"
            " WHERE o.id = v.id AND o.status = 'held' RETURNING o.id",
            [
                (r.order_id, r.quantity, r.price.value, r.valid_until, now)
                for r in sorted(releases, key=lambda r: r.order_id)
            ],
            "(%s, %s::numeric, %s::numeric, %s::timestamptz, %s::timestamptz)",
        )
        released = frozenset(order_id for (order_id,) in rows)
        steps = [
            Step(r.order_id, SOURCE, OrderStatus.HELD, OrderStatus.APPROVED, r.reason)
            for r in releases
            if r.order_id in released
        ]
        steps_append(steps, now)
        _write_further([r for r in releases if r.order_id in released and r.further], now)
        return released


def _write_further(releases: Sequence[Release], now: datetime) -> None:
    """Write the orders that go out beside a released one that is too large: like it in all but name and size."""
    named = [
        (r.order_id, str(uuid5(CLIENT_ORDER_NAMESPACE, f"released/{r.order_id}/{number}")), quantity)
        for r in releases
        for number, quantity in enumerate(r.further, start=1)
    ]
    rows = values_fetch(_FURTHER, named, "(%s, %s::uuid, %s::numeric)")
    reason = "beside an order that is too large for one"
    steps_append([Step(i, SOURCE, OrderStatus.CREATED, OrderStatus.APPROVED, reason) for (i,) in sorted(rows)], now)


def _held(row: Row) -> HeldOrder:
    return HeldOrder(
        order_id=row[0],
        account_id=row[1],
        strategy=row[2],
        instrument=row[3],
        side=Side(row[4]),
        order_type=OrderType(row[5]),
        purpose=Purpose(row[6]),
        quantity=row[7],
        price=Price(row[8]),
        trigger=Price(row[9]),
        trail=None if row[10] is None else Bps(row[10]),
        grid=PriceGrid(row[11], row[12]),
        position=row[13],
        lot=row[14],
        most=row[15],
    )
