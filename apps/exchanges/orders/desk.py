"""Orders of one account, opened for change: loaded under the account's lock, changed in memory, written at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.exchanges.accounts.facts import AccountFacts
from apps.exchanges.accounts.ledger import Asset
from apps.exchanges.bulk import Row, fetch, values_run
from apps.exchanges.locks import ExposureKey
from apps.exchanges.orders.events import Step, steps_append
from apps.exchanges.orders.progress import Progress
from moondev.domain.errors import Invariant
from moondev.domain.orders import OrderStatus, TimeInForce
from moondev.domain.values import ZERO

# States in which the venue has answered something about the order.
_UNANSWERED = frozenset({OrderStatus.APPROVED, OrderStatus.HELD, OrderStatus.SENDING, OrderStatus.UNKNOWN})

_COLUMNS = (
    "o.id, o.client_order_id, o.strategy, o.instrument_id, i.asset, i.symbol, o.status, o.time_in_force, o.quantity,"
    " o.price, o.filled_quantity, o.filled_notional, o.venue_filled, o.venue_status, o.venue_order_id,"
    " o.filled_before_amend, o.reserved, o.triggered, COALESCE(o.arrival_price, o.trigger_price),"
    " o.created_at, o.sent_at, o.acknowledged_at, o.trigger_price IS NULL"
)


@dataclass(slots=True)
class DeskOrder:
    """One order on the desk: as it was, as it is now, and what to say of the change.

    `benchmark` is the price at which it was planned, see `slippage_of`. `goes_at_once`: it waits for no trigger.
    """

    order_id: int
    client_order_id: UUID
    strategy: str
    asset: Asset
    symbol: str
    was: Progress
    now: Progress
    created_at: datetime
    benchmark: Decimal | None = None
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    goes_at_once: bool = True
    source: str = ""
    time_exchange: datetime | None = None
    remarks: list[str] = field(default_factory=list)
    reason: str = ""

    def note(self, source: str, remark: str, time_exchange: datetime | None = None) -> None:
        """Remember where the change came from and what it was."""
        self.source = source
        self.time_exchange = time_exchange or self.time_exchange
        if remark:
            self.remarks.append(remark)

    @property
    def changed(self) -> bool:
        """Return whether there is anything to write."""
        return self.now != self.was

    @property
    def answered_first(self) -> bool:
        """Return whether this is the first time that the venue has answered something about it."""
        return self.acknowledged_at is None and self.now.status not in _UNANSWERED


class Desk:
    """The orders that a batch of news is about. Needs the account's reports locked, in an open transaction."""

    def __init__(self, account: AccountFacts) -> None:
        self.account = account
        self.orders: dict[int, DeskOrder] = {}
        self._by_client_id: dict[UUID, DeskOrder] = {}
        self._by_venue_id: dict[str, DeskOrder] = {}

    @classmethod
    def opened(
        cls,
        account: AccountFacts,
        names: Iterable[tuple[UUID | None, str | None]] = (),
        order_ids: Iterable[int] = (),
    ) -> Desk:
        """Load orders by pairs of our id and the venue's, or by row id; ids nobody knows are simply not there.

        The venue's id is looked up only where ours is missing or unknown, which is rare.
        """
        desk = cls(account)
        pairs = set(names)
        client_ids = [str(client_id) for client_id, _ in pairs if client_id is not None]
        if client_ids:
            desk._load("o.client_order_id = ANY(%s::uuid[])", (client_ids,))
        by_row = sorted(set(order_ids))
        if by_row:
            desk._load("o.id = ANY(%s)", (by_row,))
        left = sorted({venue_id for client_id, venue_id in pairs if venue_id and client_id not in desk._by_client_id})
        if left:
            desk._load("o.venue_order_id = ANY(%s)", (left,))
        desk._load_aliases(left)
        return desk

    def find(self, client_id: UUID | None, venue_id: str | None) -> DeskOrder | None:
        """Return the order by our id, else by the venue's; None when it is not on the desk."""
        found = self._by_client_id.get(client_id) if client_id else None
        return found or (self._by_venue_id.get(venue_id) if venue_id else None)

    def learn_venue_id(self, order: DeskOrder) -> None:
        """Make an order known by the id that the venue has just named, for what comes later in the same batch."""
        if order.now.venue_order_id:
            self._by_venue_id.setdefault(order.now.venue_order_id, order)

    def exposure_changes(self) -> dict[ExposureKey, Decimal]:
        """Return by how much reservations have changed in every counter they count in."""
        changes: defaultdict[ExposureKey, Decimal] = defaultdict(Decimal)
        for order in self.orders.values():
            change = order.now.reserved - order.was.reserved
            for key in self.account.exposure_keys(order.strategy, order.asset.code) if change else ():
                changes[key] += change
        return changes

    def write(self, now: datetime) -> None:
        """Write what has changed, and the history of it."""
        changed = [order for order in self.orders.values() if order.changed]
        written = values_run(
            "UPDATE exchanges_order o SET status = v.status, quantity = v.quantity, price = v.price,"
            " filled_quantity = v.filled, filled_notional = v.notional, venue_filled = v.venue_filled,"
            " venue_status = v.ending, venue_order_id = v.venue_id, filled_before_amend = v.earlier,"
            " reserved = v.reserved, triggered = v.triggered, updated_at = v.now,"
            " reason = CASE WHEN v.reason = '' THEN o.reason ELSE v.reason END,"
            " acknowledged_at = COALESCE(o.acknowledged_at, CASE WHEN v.answered THEN v.now END),"
            " closed_at = CASE WHEN v.final THEN COALESCE(o.closed_at, v.now) END,"
            " claimed_by = CASE WHEN v.status = 'sending' THEN o.claimed_by ELSE '' END,"
            " claimed_until = CASE WHEN v.status = 'sending' THEN o.claimed_until END"
            " FROM (VALUES %s) AS v(id, was, status, quantity, price, filled, notional, venue_filled, ending, venue_id,"
            " earlier, reserved, triggered, now, reason, answered, final) WHERE o.id = v.id AND o.status = v.was",
            [_update_row(order, now) for order in changed],
            "(%s, %s, %s, %s::numeric, %s::numeric, %s::numeric, %s::numeric, %s::numeric, %s, %s, %s::numeric,"
            " %s::numeric, %s, %s::timestamptz, %s, %s, %s)",
        )
        if written != len(changed):
            raise Invariant(f"{len(changed) - written} orders changed without the lock of their account's reports")
        self._write_aliases(changed)
        self._end_commands([o.order_id for o in changed if o.now.final], now)
        steps_append([_step(o) for o in self.orders.values() if o.remarks or o.now.status is not o.was.status], now)

    def _load(self, condition: str, parameters: Sequence[object]) -> None:
        sql = (
            f"SELECT {_COLUMNS} FROM exchanges_order o JOIN exchanges_instrument i ON i.id = o.instrument_id"  # noqa: S608  SQL of ours
            f" WHERE o.account_id = %s AND ({condition}) ORDER BY o.id"
        )
        for row in fetch(sql, (self.account.account_id, *parameters)):
            order = _desk_order(row)
            self.orders[order.order_id] = order
            self._by_client_id[order.client_order_id] = order
            if order.now.venue_order_id:
                self._by_venue_id[order.now.venue_order_id] = order

    def _load_aliases(self, venue_ids: Sequence[str]) -> None:
        """Learn which orders the venue has renamed, and load those that were named by an old id."""
        rows = fetch(
            "SELECT order_id, venue_order_id FROM exchanges_venueorderalias"
            " WHERE account_id = %s AND (order_id = ANY(%s) OR venue_order_id = ANY(%s)) ORDER BY id",
            (self.account.account_id, sorted(self.orders), list(venue_ids)),
        )
        absent = {order_id for order_id, _ in rows} - set(self.orders)
        if absent:
            self._load("o.id = ANY(%s)", (sorted(absent),))
        aliases: defaultdict[int, set[str]] = defaultdict(set)
        for order_id, venue_id in rows:
            aliases[order_id].add(venue_id)
            self._by_venue_id.setdefault(venue_id, self.orders[order_id])
        for order_id, names in aliases.items():
            order = self.orders[order_id]
            order.was = order.now = replace(order.was, aliases=frozenset(names))

    def _write_aliases(self, changed: Sequence[DeskOrder]) -> None:
        values_run(
            "INSERT INTO exchanges_venueorderalias (order_id, account_id, venue_order_id) VALUES %s"
            " ON CONFLICT DO NOTHING",
            [
                (order.order_id, self.account.account_id, name)
                for order in changed
                for name in sorted(order.now.aliases - order.was.aliases)
            ],
        )

    def _end_commands(self, order_ids: Sequence[int], now: datetime) -> None:
        """End the commands of orders that have ended: a cancel has nothing left to do, an amend comes too late."""
        if order_ids:
            fetch(
                "UPDATE exchanges_ordercommand SET status = CASE kind WHEN 'cancel' THEN 'done' ELSE 'dropped' END,"
                " done_at = %s WHERE order_id = ANY(%s) AND status IN ('approved', 'sending', 'unknown') RETURNING id",
                (now, list(order_ids)),
            )


def _desk_order(row: Row) -> DeskOrder:
    progress = Progress(
        status=OrderStatus(row[6]),
        time_in_force=TimeInForce(row[7]),
        quantity=row[8],
        price=row[9],
        filled=row[10],
        notional=row[11],
        venue_filled=row[12],
        ending=OrderStatus(row[13]) if row[13] else None,
        venue_order_id=row[14],
        earlier=row[15],
        reserved=row[16],
        triggered=row[17],
    )
    asset = Asset(row[3], row[4])
    return DeskOrder(row[0], row[1], row[2], asset, row[5], progress, progress, row[19], row[18], *row[20:23])


def _update_row(order: DeskOrder, now: datetime) -> Row:
    p = order.now
    return (
        order.order_id, order.was.status.value, p.status.value, p.quantity, p.price, p.filled, p.notional,
        p.venue_filled, p.ending.value if p.ending else "", p.venue_order_id, p.earlier, max(p.reserved, ZERO),
        p.triggered, now, order.reason[:300], p.status not in _UNANSWERED, p.final,
    )  # fmt: skip


def _step(order: DeskOrder) -> Step:
    return Step(
        order.order_id,
        order.source,
        order.was.status,
        order.now.status,
        "; ".join(order.remarks),
        order.time_exchange,
        order.now.filled - order.was.filled,
    )
