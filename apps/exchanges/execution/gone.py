"""End what a halt has cancelled, not before its fills are known, and not at all on a venue's mere "I heard you".

Where the answer to a cancel is the matching engine's last word, the order ends together with the fills it had by then.
Elsewhere it is CANCELLING, which counts as live, until the venue has been asked how it ended.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from apps.exchanges.execution.sessions import Session
from apps.exchanges.orders.ending import cancelling_note
from apps.exchanges.orders.reconcile import Reconciliation
from apps.exchanges.ports import ReportSource
from moondev.domain.clock import Clock
from moondev.domain.errors import TradingError
from moondev.domain.orders import OrderReport

logger = logging.getLogger(__name__)


def gone_settle(session: Session, gone: Sequence[OrderReport], clock: Clock) -> None:
    """Write what the venue's answers to cancels mean. A question it does not answer is left to reconciliation."""
    if not gone:
        return
    account_id = session.account.account_id
    if not session.capabilities.cancel_is_final:
        cancelling_note(account_id, gone, ReportSource.SEND, clock.now())
        return
    try:
        Reconciliation(session, clock).end(gone)
    except TradingError as error:
        logger.warning("account %s: %d ends are left to reconciliation: %s", account_id, len(gone), error)
