"""Writes a shard of ticks: everything of a tick, in time and under its lease, or nothing of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import DatabaseError, transaction

from apps.exchanges.orders.services import CommandEntry, OrderEntry, orders_record, wake_accounts
from apps.risk.exposure import Reserved, ReserveItem, reserve
from apps.strategies.orchestrator import rows
from apps.strategies.orchestrator.counted import approvals_count
from apps.strategies.orchestrator.deadlines import REDUCING_VALID, real_time_from
from apps.strategies.orchestrator.outcomes import end_failed, end_ready, expire
from apps.strategies.orchestrator.telling import about
from apps.strategies.orchestrator.work import Failed, Ready
from moondev.domain.clock import Clock
from moondev.domain.decisions import RiskApproved, RiskRefused
from moondev.domain.orders import AmendOrder, PlaceOrder
from moondev.logs import said

logger = logging.getLogger(__name__)


class _TooLate(Exception):
    """A deadline passed while the transaction was being written."""


def record(ready: Sequence[Ready], failed: Sequence[Failed], clock: Clock) -> None:
    """Record finished ticks; afterwards the senders of their accounts are woken.

    What belongs together commits together. When the shard cannot be written as one, each tick is written by
    itself, so that only the one that cannot be is lost.
    """
    end_failed(failed, clock.now())
    if not ready:
        return
    try:
        _record_together(ready, clock)
        return
    except _TooLate:
        pass
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        if len(ready) == 1:
            _give_up(ready[0], error, clock)
            return
    for one in ready:
        _record_alone(one, clock)


def _record_alone(one: Ready, clock: Clock) -> None:
    try:
        _record_together([one], clock)
    except _TooLate:
        expire([one.tick], clock.now())
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        _give_up(one, error, clock)


def _give_up(one: Ready, error: Exception, clock: Clock) -> None:
    logger.error("tick %s could not be recorded", one.tick.pk, exc_info=error, extra=said(**about(one.tick)))
    if one.tick.deadline <= clock.now():
        expire([one.tick], clock.now())
        return
    end_failed([Failed(one.tick, f"not recorded: {type(error).__name__}: {error}", "record_failed")], clock.now())


def _record_together(ready: Sequence[Ready], clock: Clock) -> None:
    """Fence, reserve, write orders, end the ticks: one transaction."""
    started, now = time.perf_counter(), clock.now()
    with transaction.atomic():
        fenced = rows.ticks_fence([one.tick for one in ready], now, _patience_ms(ready, clock, now))
        kept: list[Ready] = []
        outdated: list[Ready] = []
        for one in ready:
            fence = fenced.get(one.tick.pk)
            if fence is not None:
                (kept if _still_valid(one, fence) else outdated).append(one)
        reserved = reserve(
            [item for one in kept for item in _reserve_items(one)],
            {one.tick.strategy.slug: one.decided.work.facts for one in kept},
        )
        _write_sizes(kept, now)
        recorded = orders_record(
            entries=[entry for one in kept for entry in _order_entries(one, reserved, clock, now)],
            commands=[entry for one in kept for entry in _command_entries(one, clock, now)],
            now=now,
        )
        end_ready(kept, reserved.refused, (time.perf_counter() - started) * 1000, now)
        end_failed([_outdated(one) for one in outdated], now)
        expire([one.tick for one in ready if one.tick.pk not in fenced], now)
        if any(one.tick.deadline <= clock.now() for one in kept):
            raise _TooLate
        approvals_count(kept, clock)
        wake_accounts(recorded.account_ids_with_work)


def _patience_ms(ready: Sequence[Ready], clock: Clock, now: datetime) -> int:
    """Return how many real milliseconds are left until the first deadline."""
    left = min(one.tick.deadline for one in ready) - now
    return int(clock.wall_seconds(max(left, timedelta(0)).total_seconds()) * 1000) or 1


def _still_valid(one: Ready, fence: rows.Fenced) -> bool:
    return fence.running and fence.state_version == one.tick.strategy.state_version


def _outdated(one: Ready) -> Failed:
    return Failed(one.tick, "the strategy was paused, disabled or changed while it decided", "tick_outdated")


def _reserve_items(one: Ready) -> list[ReserveItem]:
    work = one.decided.work
    items = []
    for approved in one.reviewed.approved:
        if isinstance(approved.request, PlaceOrder):
            key = approved.request.instrument
            elsewhere = work.outlets.facts.get(key)
            arrival = _arrival(one, key)
            items.append(ReserveItem(work.scope_at(key), approved, work.traded[key], arrival, elsewhere))
    return items


def _arrival(one: Ready, instrument: str) -> Decimal | None:
    price = one.decided.work.prices.get(instrument)
    return None if price is None else price.value


def _write_sizes(kept: Iterable[Ready], now: datetime) -> None:
    rows.sizes_save(
        [
            (
                one.tick.strategy.slug, one.decided.work.instrument_ids[size.instrument], size.side, size.signal_id,
                size.weight, size.quantity, now,
            )
            for one in kept
            for size in one.sizes
        ]
    )  # fmt: skip


def _order_entries(one: Ready, reserved: Reserved, clock: Clock, now: datetime) -> list[OrderEntry]:
    """Return the entries of one tick: what was kept, and what either the review or the reservation refused."""
    amounts = {approved.request.client_order_id: amount for approved, amount in reserved.kept}
    refused_late = {refusal.request.client_order_id: refusal for refusal in reserved.refused}
    entries = [_entry(one, refusal, Decimal(0), clock, now) for refusal in one.reviewed.refused]
    for approved in one.reviewed.approved:
        if not isinstance(approved.request, PlaceOrder):
            continue
        order_id = approved.request.client_order_id
        if order_id in amounts:
            entries.append(_entry(one, approved, amounts[order_id], clock, now))
        elif order_id in refused_late:
            entries.append(_entry(one, refused_late[order_id], Decimal(0), clock, now))
    return entries


def _entry(
    one: Ready, outcome: RiskApproved[PlaceOrder] | RiskRefused, reserved: Decimal, clock: Clock, now: datetime
) -> OrderEntry:
    work, request = one.decided.work, outcome.request
    reduces = isinstance(request, PlaceOrder) and request.purpose.reduces
    return OrderEntry(
        outcome=outcome,
        account_id=work.scope_at(request.instrument).account_id,
        instrument_id=work.instrument_ids[request.instrument],
        strategy=work.scope.strategy,
        tick_id=str(one.tick.pk),
        reserved=reserved,
        valid_until=real_time_from(clock, now, REDUCING_VALID) if reduces else one.tick.deadline,
        arrival_price=_arrival(one, request.instrument),
    )


def _command_entries(one: Ready, clock: Clock, now: datetime) -> list[CommandEntry]:
    """Return cancels, which stay valid for minutes, and amends, which end with the tick."""
    work = one.decided.work
    cancels_until = real_time_from(clock, now, REDUCING_VALID)
    whose = (work.scope.strategy, str(one.tick.pk))
    cancels = [
        CommandEntry(cancel, work.scope_at(cancel.instrument).account_id, *whose, cancels_until)
        for cancel in one.reviewed.cancels
    ]
    amends = [
        CommandEntry(approved, work.scope_at(approved.request.instrument).account_id, *whose, one.tick.deadline)
        for approved in one.reviewed.approved
        if isinstance(approved.request, AmendOrder)
    ]
    return cancels + amends
