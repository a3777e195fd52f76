"""End orders that the venue has cancelled: not before what they had filled by then has been heard.

A venue that takes a cancel does not say how much had filled. Ended at its word alone, an order that filled unheard
would be neither order nor position for a while, and would be planned again. Where the word is only that the wish was
heard, a fill may even come after it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from apps.exchanges.execution.hearing import hearing
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.timing import lasting
from apps.exchanges.models import CommandStatus
from apps.exchanges.orders.begin import cancels_await
from apps.exchanges.orders.claim import ClaimedCancel
from apps.exchanges.orders.commands import CommandOutcome, commands_settle
from apps.exchanges.orders.doubts import fills_known_since
from apps.exchanges.orders.reconcile import fill_reports
from apps.exchanges.orders.services import reports_apply
from apps.exchanges.ports import ReportSource
from moondev.domain.clock import Clock
from moondev.domain.errors import TradingError
from moondev.domain.orders import OrderReport

logger = logging.getLogger(__name__)

# Real seconds in which a stream that speaks says itself that the order is gone, or an acknowledged cancel is carried
# out; then reconciliation asks.
WORD_SECONDS = 1.0
UNASKED = "cancelled; what it had filled could not be asked for"


@dataclass(frozen=True, slots=True)
class Ended:
    """A cancel after which the order is gone, and the venue's word for it, which names no filled quantity."""

    cancel: ClaimedCancel
    report: OrderReport


def ended_settle(session: Session, ended: Sequence[Ended], clock: Clock) -> None:
    """Settle cancels that ended their orders, with at most one question for all of them.

    Where the user stream speaks it is left to say so itself, after the fills it brought first. Elsewhere the fills are
    asked for and booked with the end, if the venue's word is final. Otherwise, and when nothing comes, the orders stay
    CANCELLING, which counts as live, until reconciliation has asked how they ended.
    """
    if not ended:
        return
    account_id = session.account.account_id
    if not session.capabilities.cancel_is_final or hearing().lately(account_id):
        cancels_await([e.cancel.command_id for e in ended], clock.now() + lasting(clock, WORD_SECONDS))
        return
    since = fills_known_since(account_id, [e.cancel.order_id for e in ended])
    try:
        fills = session.client.fills(since - lasting(clock, session.capabilities.fills_lag_seconds))
    except TradingError as error:
        logger.warning("account %s: fills of cancelled orders: %s; left to reconciliation", account_id, error)
        _settle(session, ended, CommandStatus.UNKNOWN, UNASKED, clock)
        return
    reports = [*fill_reports(fills, ReportSource.SEND), *(e.report for e in ended)]
    reports_apply(account_id=account_id, reports=reports, now=clock.now())
    _settle(session, ended, CommandStatus.DONE, "", clock)


def _settle(session: Session, ended: Sequence[Ended], status: CommandStatus, reason: str, clock: Clock) -> None:
    outcomes = [CommandOutcome(e.cancel.command_id, e.cancel.order_id, status, reason) for e in ended]
    commands_settle(session.account.account_id, outcomes, clock.now())
