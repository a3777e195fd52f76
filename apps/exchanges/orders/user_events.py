"""What the user stream heard, on its way into the books: one window of events, in order, in few transactions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from apps.exchanges.accounts.funding import funding_apply
from apps.exchanges.execution.hearing import hearing
from apps.exchanges.execution.sessions import Sessions
from apps.exchanges.models import Account, AccountEvent
from apps.exchanges.orders.events import Alarm, alarm_once, unreadable_alarm
from apps.exchanges.orders.reconcile import fill_reports, reconcile_account, strangers_adopt
from apps.exchanges.orders.services import reports_apply
from apps.exchanges.ports import (
    Connected,
    Disconnected,
    FillBatch,
    FundingBatch,
    FundingPayment,
    OrderBatch,
    Refused,
    ReportSource,
    Unreadable,
    UserEvent,
)
from moondev.domain.clock import Clock, process_clock
from moondev.domain.orders import OrderReport, OrderStatus
from moondev.logs import log_context

logger = logging.getLogger(__name__)

_LIVE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True)
class Heard:
    """What a window of events came to."""

    orders: int = 0
    fills: int = 0
    orphans: int = 0
    funding: int = 0
    reconciled: bool = False


def apply_user_events(
    account_id: int, events: Sequence[UserEvent], sessions: Sessions | None = None, clock: Clock | None = None
) -> Heard:
    """Apply what one account's stream said, in one transaction for reports and fills and one for funding.

    After a (re)connection the venue is asked for what happened in the silence: it repeats nothing by itself. `sessions`
    and `clock` None mean this process's own. Applying the same events again changes nothing.
    """
    with log_context(account=str(account_id)):
        return _apply(account_id, events, sessions, clock)


def _apply(account_id: int, events: Sequence[UserEvent], sessions: Sessions | None, clock: Clock | None) -> Heard:
    now = (clock or process_clock()).now()
    applied = reports_apply(account_id=account_id, reports=_reports(events), now=now)
    booked = funding_apply(account_id=account_id, payments=_payments(events), now=now)
    for event in events:
        if isinstance(event, Unreadable):
            unreadable_alarm(account_id, event.reasons, now)
        elif isinstance(event, Refused):
            alarm_once(account_id, Alarm(AccountEvent.Kind.STREAM_REFUSED, event.reason), now)
    connected = [event for event in events if isinstance(event, Connected)]
    _notice_strangers(account_id, applied.strangers, sessions, clock)
    for event in events:
        if isinstance(event, Disconnected):
            logger.warning("account %s: user stream down: %s", account_id, event.reason)
    _note_hearing(account_id, events)
    if any(isinstance(event, Connected | Disconnected) for event in events):
        # Until all of it has been asked for, orders that open wait; if the asking fails, the schedule goes on with it.
        Account.objects.filter(pk=account_id, unreconciled=False).update(unreconciled=True)
    if connected:
        logger.info("account %s: user stream up, silent since %s", account_id, connected[-1].silent_since)
        reconcile_account(account_id, sessions, clock)
    return Heard(
        orders=len(applied.statuses),
        fills=applied.fills,
        orphans=applied.orphans,
        funding=booked.payments,
        reconciled=bool(connected),
    )


def _notice_strangers(
    account_id: int, strangers: Sequence[OrderReport], sessions: Sessions | None, clock: Clock | None
) -> None:
    """Tell, once an hour, of live orders that nobody here placed, and write down what rests there at once.

    Every order of ours is in its row before it is sent, so who places these is somebody else with the account's keys:
    another platform, or a person. What comes within the hour is written down by the full look of every minute, or a
    busy stranger would spend the budget of our own requests.
    """
    living = [report for report in strangers if report.status in _LIVE]
    if not living:
        return
    names = ", ".join(report.venue_order_id or str(report.client_order_id) for report in living)
    text = f"orders that nobody here placed: {names}; nothing is opened where they rest"
    if alarm_once(account_id, Alarm(AccountEvent.Kind.SECOND_WRITER, text), (clock or process_clock()).now()):
        strangers_adopt(account_id, sessions, clock)


def _note_hearing(account_id: int, events: Sequence[UserEvent]) -> None:
    """Note whether the stream speaks, by its latest word."""
    if not events:
        return
    if isinstance(events[-1], Disconnected):
        hearing().fell_silent(account_id)
    else:
        hearing().heard(account_id)


def _reports(events: Sequence[UserEvent]) -> list[OrderReport]:
    reports: list[OrderReport] = []
    for event in events:
        if isinstance(event, OrderBatch):
            reports += event.reports
        elif isinstance(event, FillBatch):
            reports += fill_reports(event.fills, ReportSource.STREAM)
    return reports


def _payments(events: Sequence[UserEvent]) -> list[FundingPayment]:
    return [payment for event in events if isinstance(event, FundingBatch) for payment in event.payments]
