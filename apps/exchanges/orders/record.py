"""From a reviewed request to a row: the last step of a tick, inside its transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.exchanges.bulk import Row, fetch, values_run
from apps.exchanges.locks import move_exposures
from apps.exchanges.models import CommandKind
from apps.exchanges.orders.counted import recorded_count
from apps.exchanges.orders.ending import UNSENT, releases, reservations, unsent_cancel_in_place
from apps.exchanges.orders.entries import CommandEntry, OrderEntry, Recorded
from apps.exchanges.orders.events import Step, steps_append
from apps.exchanges.orders.new_rows import rows_insert
from moondev.domain.decisions import RiskApproved, RiskRefused
from moondev.domain.orders import NON_FINAL, AmendOrder, CancelOrder, OrderStatus, PlaceOrder
from moondev.domain.values import Price

SOURCE = "tick"


def orders_record(
    *, entries: Sequence[OrderEntry], commands: Sequence[CommandEntry], now: datetime, source: str = SOURCE
) -> Recorded:
    """Write orders, refusals and commands of one or many ticks, inside the caller's transaction.

    `source` is who the histories say it was.

    An order whose client order id is known already is not written again, and what was reserved for it a second time
    is given back. A cancel of an order that has not been sent ends it here; it is never sent.
    """
    placing = [entry for entry in entries if isinstance(_request(entry), PlaceOrder)]
    order_ids = _insert_orders(placing, now, source)
    _give_back_duplicates(placing, order_ids)
    recorded_count(placing, order_ids)
    _note_refused_amends([entry for entry in entries if isinstance(_request(entry), AmendOrder)], now)
    commanded = _record_commands(commands, now)
    placed = {e.account_id for e in placing if isinstance(e.outcome, RiskApproved) and _id(e) in order_ids}
    return Recorded(order_ids, frozenset(placed | commanded))


def order_row(
    entry: OrderEntry, request: PlaceOrder, status: OrderStatus, refused: RiskRefused | None, now: datetime
) -> Row:
    """Return the values of `GIVEN_COLUMNS` for a new order."""
    trigger = _amount(request.trigger_price)
    refusal = ("", "", "", "")
    if refused is not None:
        refusal = (refused.code.value, str(refused.limit)[:100], str(refused.value)[:100], str(refused)[:300])
    return (
        entry.account_id, entry.instrument_id, entry.strategy, entry.tick_id, request.signal_id,
        request.client_order_id, request.side.value, request.order_type.value, request.time_in_force.value,
        request.purpose.value, request.quantity.value, request.price.value, trigger, entry.arrival_price,
        status.value, entry.reserved if refused is None else Decimal(0), *refusal, entry.valid_until, now, now,
        None if refused is None else now, None if request.trail is None else request.trail.value,
        _amount(request.stop), _amount(request.take_profit), None,
    )  # fmt: skip


def _amount(price: Price | None) -> Decimal | None:
    return None if price is None else price.value


def _request(entry: OrderEntry) -> object:
    return entry.outcome.request


def _id(entry: OrderEntry) -> UUID:
    return entry.outcome.request.client_order_id


def _insert_orders(entries: Sequence[OrderEntry], now: datetime, source: str) -> dict[UUID, int]:
    rows, steps = [], {}
    for entry in entries:
        request = entry.outcome.request
        if not isinstance(request, PlaceOrder):
            continue
        refused = entry.outcome if isinstance(entry.outcome, RiskRefused) else None
        status = OrderStatus.APPROVED if refused is None else OrderStatus.REFUSED
        rows.append(order_row(entry, request, status, refused, now))
        steps[request.client_order_id] = (status, str(refused or ""))
    order_ids = rows_insert(rows)
    steps_append(
        [Step(order_id, source, OrderStatus.CREATED, *steps[client_id]) for client_id, order_id in order_ids.items()],
        now,
    )
    return order_ids


def _give_back_duplicates(entries: Sequence[OrderEntry], order_ids: Mapping[UUID, int]) -> None:
    """Lower the counters, which the reservation has locked, by what was reserved for orders that existed already."""
    written: set[UUID] = set()
    doubled: dict[UUID, Decimal] = {}
    for entry in entries:
        client_id = _id(entry)
        if isinstance(entry.outcome, RiskApproved) and (client_id not in order_ids or client_id in written):
            doubled[client_id] = doubled.get(client_id, Decimal(0)) + entry.reserved
        written.add(client_id)
    if not any(doubled.values()):
        return
    client_ids = {row[0]: row[1] for row in _named_orders(list(doubled))}
    known = reservations("o.id = ANY(%s)", (list(client_ids),))
    move_exposures(releases(replace(k, reserved=doubled[client_ids[k.order_id]]) for k in known))


def _note_refused_amends(entries: Sequence[OrderEntry], now: datetime) -> None:
    """Keep the refusal of an amend in the history of the order it was about."""
    if not entries:
        return
    orders = {row[1]: row for row in _named_orders([_id(entry) for entry in entries])}
    steps = []
    for entry in entries:
        found = orders.get(_id(entry))
        if found is not None:
            steps.append(Step(found[0], SOURCE, found[2], found[2], f"amend refused: {entry.outcome}"))
    steps_append(steps, now)


def _named_orders(client_ids: Sequence[UUID]) -> list[Row]:
    return fetch(
        "SELECT id, client_order_id, status, account_id FROM exchanges_order WHERE client_order_id = ANY(%s::uuid[])",
        (list(map(str, client_ids)),),
    )


def _record_commands(commands: Sequence[CommandEntry], now: datetime) -> set[int]:
    """Write commands for orders that are still alive; return the accounts whose sender has work."""
    if not commands:
        return set()
    orders = {row[1]: row for row in _named_orders([command.client_order_id for command in commands])}
    reasons = {
        orders[c.client_order_id][0]: c.request.reason
        for c in commands
        if isinstance(c.request, CancelOrder) and c.client_order_id in orders
    }
    unsent = [row[0] for row in orders.values() if row[2] in UNSENT and row[0] in reasons]
    ended = unsent_cancel_in_place(unsent, reasons, now) if unsent else frozenset()
    rows = []
    for command in commands:
        found = orders.get(command.client_order_id)
        if found is not None and found[2] in NON_FINAL and found[0] not in ended and found[3] == command.account_id:
            rows.append(_command_row(command, found[0], now))
    values_run(
        "INSERT INTO exchanges_ordercommand (order_id, account_id, kind, tick_id, remaining, price,"
        " filled_when_planned, status, reason, valid_until, created_at, claimed_by) VALUES %s ON CONFLICT DO NOTHING",
        rows,
        "(%s, %s, %s, %s, %s::numeric, %s::numeric, %s::numeric, 'approved', %s, %s, %s, '')",
    )
    return {row[1] for row in rows}


def _command_row(command: CommandEntry, order_id: int, now: datetime) -> Row:
    request = command.request
    if isinstance(request, CancelOrder):
        asked: Row = (None, None, None, request.reason[:300])
        kind = CommandKind.CANCEL
    else:
        amend = request.request
        asked = (amend.remaining.value, amend.price.value, amend.filled_when_planned.value, "")
        kind = CommandKind.AMEND
    return (order_id, command.account_id, kind.value, command.tick_id, *asked, command.valid_until, now)
