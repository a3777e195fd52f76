"""Send cancels and amends that have begun, and settle what became of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from apps.exchanges.execution.ended import Ended
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.timing import again_at
from apps.exchanges.models import CommandStatus
from apps.exchanges.orders.claim import ClaimedAmend, ClaimedCancel
from apps.exchanges.orders.commands import Amended, CommandOutcome, amends_settle, commands_settle
from apps.exchanges.orders.progress import ends_unheard
from apps.exchanges.orders.services import reports_apply
from apps.exchanges.ports import ExecutionClient
from moondev.domain.clock import Clock
from moondev.domain.errors import (
    Configuration,
    Connectivity,
    InvalidValue,
    NotSent,
    RateLimited,
    TradingError,
    VenueRejected,
)
from moondev.domain.orders import AmendOrder, CancelOrder, OrderReport, OrderStatus

logger = logging.getLogger(__name__)

# Questions asked while the sender holds the account; reconciliation asks the rest.
QUESTIONS = 10
_AMENDED = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})
_LIVE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})


def cancel_all(session: Session, cancels: Sequence[ClaimedCancel], nonce: int, clock: Clock) -> list[Ended]:
    """Send cancels as one request and settle every one that did not end its order; return those that did."""
    try:
        reports = session.client.cancel([c.request for c in cancels], nonce)
    except Exception as error:  # noqa: BLE001  whatever it was, the cancels may have arrived
        ids = [(c.command_id, c.order_id) for c in cancels]
        if isinstance(error, RateLimited):
            _put_back(session, ids, error, clock)
        else:
            _settle_failed(session, ids, error, clock)
        return []
    unclear = [c.request for c, r in zip(cancels, reports, strict=True) if r.status is None]
    answers = ask(session.client, unclear)
    heard = [(c, answers.get(c.request.client_order_id, r)) for c, r in zip(cancels, reports, strict=True)]
    ended = [Ended(c, word) for c, word in heard if ends_unheard(word)]
    others = [(c, word) for c, word in heard if not ends_unheard(word)]
    _apply(session, [word for _, word in others if word.status is not None], clock)
    reasons = {c.command_id: r.reason for c, r in zip(cancels, reports, strict=True)}
    outcomes = [_cancel_outcome(c, word, reasons[c.command_id]) for c, word in others]
    commands_settle(session.account.account_id, outcomes, clock.now())
    return ended


def amend_all(session: Session, amends: Sequence[ClaimedAmend], nonce: int, expires: datetime, clock: Clock) -> None:
    """Send amends as one request and settle every one of them."""
    try:
        reports = session.client.amend([a.amendment for a in amends], nonce, expires)
    except Exception as error:  # noqa: BLE001  whatever it was, the amends may have arrived
        _settle_failed(session, [(a.command_id, a.order_id) for a in amends], error, clock)
        return
    account_id = session.account.account_id
    pairs = list(zip(amends, reports, strict=True))
    done = [amended(a, r) for a, r in pairs if r.status in _AMENDED]
    unclear = [a for a, r in pairs if r.status not in _AMENDED]
    answers = ask(session.client, [a.request for a in unclear])
    done += [amended(a, answers[a.request.client_order_id]) for a in unclear if was_amended(a, answers)]
    amends_settle(account_id, done, clock.now())
    _apply(session, [item.report for item in done], clock)
    _apply(session, [answer for answer in answers.values() if not ends_unheard(answer)], clock)
    reasons = {a.command_id: r.reason for a, r in pairs}
    left = [a for a in unclear if not was_amended(a, answers)]
    commands_settle(account_id, [_amend_outcome(a, answers, reasons[a.command_id]) for a in left], clock.now())


def amended(amend: ClaimedAmend, report: OrderReport) -> Amended:
    """Return an amend as carried out, with the venue's word on it."""
    request = amend.request
    numbers = (request.remaining.value, request.price.value, request.filled_when_planned.value)
    return Amended(amend.command_id, amend.order_id, *numbers, report)


def was_amended(amend: ClaimedAmend, answers: Mapping[UUID, OrderReport]) -> bool:
    """Return whether the venue's answer shows that it carried the amend out: the order has another id now."""
    answer = answers.get(amend.request.client_order_id)
    return answer is not None and bool(answer.venue_order_id) and answer.venue_order_id != amend.venue_order_id


def _amend_outcome(amend: ClaimedAmend, answers: Mapping[UUID, OrderReport], reason: str) -> CommandOutcome:
    answer = answers.get(amend.request.client_order_id)
    settled = answer is not None and not ends_unheard(answer)
    status = CommandStatus.FAILED if settled else CommandStatus.UNKNOWN
    return CommandOutcome(amend.command_id, amend.order_id, status, reason)


def ask(client: ExecutionClient, requests: Iterable[CancelOrder | AmendOrder]) -> dict[UUID, OrderReport]:
    """Ask the venue what became of the orders of a few requests; those it does not answer for are left out."""
    answers: dict[UUID, OrderReport] = {}
    for request in list(requests)[:QUESTIONS]:
        client_id = request.client_order_id
        try:
            report = client.order_status(client_id, request.instrument)
        except TradingError as error:
            logger.warning("order %s: %s; left to reconciliation", client_id, error)
            return answers
        if report is not None:
            answers[client_id] = report
    return answers


def _cancel_outcome(cancel: ClaimedCancel, word: OrderReport, reason: str) -> CommandOutcome:
    """Return how a cancel that did not end its order came out: nothing left to cancel, came to nothing, not known."""
    if word.status is None:
        return CommandOutcome(cancel.command_id, cancel.order_id, CommandStatus.UNKNOWN, reason)
    status = CommandStatus.FAILED if word.status in _LIVE else CommandStatus.DONE
    return CommandOutcome(cancel.command_id, cancel.order_id, status, reason)


def _put_back(session: Session, cancels: Sequence[tuple[int, int]], error: RateLimited, clock: Clock) -> None:
    """Let cancels that nobody looked at wait a moment: a planner's wish that is dropped is wished for only later."""
    when = again_at(clock, error)
    outcomes = [CommandOutcome(*ids, CommandStatus.APPROVED, str(error), when) for ids in cancels]
    commands_settle(session.account.account_id, outcomes, clock.now())


def _settle_failed(session: Session, commands: Sequence[tuple[int, int]], error: Exception, clock: Clock) -> None:
    """Settle every command of a request that ended in an error: nothing happened, or nobody knows."""
    status = CommandStatus.UNKNOWN
    if isinstance(error, NotSent | RateLimited | VenueRejected | InvalidValue | Configuration):
        status = CommandStatus.FAILED
    elif not isinstance(error, Connectivity):
        logger.error("account %s: commands unknown", session.account.code, exc_info=error)
    outcomes = [CommandOutcome(command_id, order_id, status, str(error)) for command_id, order_id in commands]
    commands_settle(session.account.account_id, outcomes, clock.now())


def _apply(session: Session, reports: Iterable[OrderReport], clock: Clock) -> None:
    reports_apply(account_id=session.account.account_id, reports=list(reports), now=clock.now())
