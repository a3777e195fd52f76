"""End leases that were taken before a clock went back: whoever died with one would keep his account until it comes up.

A lease ends some seconds after it was taken. One that ends far later than any taken now could was taken by a clock
that ran ahead, and has since been set right. Ending it is safe: the account's fencing number rises, so its holder, if
there still is one, begins nothing more, and what he had in flight is asked about.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from apps.exchanges.bulk import fetch, run
from apps.exchanges.execution.timing import FORESIGHT, LEASE_SECONDS, lasting
from moondev.domain.clock import process_clock

logger = logging.getLogger(__name__)


@transaction.atomic
def leases_ahead_end(venue: str, now: datetime) -> tuple[int, ...]:
    """End the senders' leases of a venue's accounts that lie too far ahead; return the accounts."""
    beyond = now + FORESIGHT * lasting(process_clock(), LEASE_SECONDS)
    rows = fetch(
        "UPDATE exchanges_account SET sender = '', sender_until = NULL, fence = fence + 1"
        " WHERE venue_id = %s AND sender_until > %s RETURNING id",
        (venue, beyond),
    )
    accounts = sorted(account_id for (account_id,) in rows)
    for table in ("exchanges_order", "exchanges_ordercommand") if accounts else ():
        run(
            f"UPDATE {table} SET claimed_until = %s"  # noqa: S608  our own names
            " WHERE account_id = ANY(%s) AND status IN ('approved', 'sending') AND claimed_until > %s",
            (now, accounts, beyond),
        )
    if accounts:
        logger.warning("a clock went back: the leases of accounts %s are ended", accounts)
    return tuple(accounts)
