"""Make a venue's worker ready before its first message: what a halt needs must not be loaded while somebody waits.

A session's first use imports the venue's libraries and reads keys, which takes the better part of a second. A key
that is missing is better noticed now than by the first halt.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.db import Error as SqlError
from django.db import connection

import celeryconfig
from apps.exchanges.execution.sessions import Sessions, VenueSessions
from apps.exchanges.models import Account, Signer
from moondev.domain.errors import TradingError

logger = logging.getLogger(__name__)

# Which sessions the consumer of a venue's queue works with.
PURPOSES = (("orders.{venue}", Signer.Purpose.ORDERS), ("vetoes.{venue}", Signer.Purpose.VETOES))


def worker_get_ready(instance: Any, **_: Any) -> None:  # noqa: ANN401  Celery's signature
    """Open the sessions of every venue whose queue this worker consumes; for Celery's signal ``celeryd_after_setup``.

    Nothing is asked of a venue. What goes wrong is logged: a worker that starts without its database works later.
    """
    queues = set(instance.app.amqp.queues.consume_from)
    wanted = [
        (venue, purpose)
        for venue in settings.MOONDEV_VENUES
        for queue, purpose in PURPOSES
        if celeryconfig.queue_name(queue, venue) in queues
    ]
    if not wanted:
        return
    try:
        for venue, purpose in wanted:
            sessions_open(venue, purpose, VenueSessions())
    except SqlError as error:
        logger.warning("sessions are opened when they are needed, the database does not answer: %s", error)
    finally:
        # It belongs to the thread that starts the worker; those that work have their own.
        connection.close()


def sessions_open(venue: str, purpose: str, sessions: Sessions) -> int:
    """Open the session of each enabled account at a venue; return how many. One that cannot be opened is logged."""
    opened = 0
    for account_id, code in Account.objects.filter(venue_id=venue, enabled=True).values_list("pk", "code"):
        try:
            sessions.session(account_id, purpose)
        except TradingError as error:
            logger.error("account %s has no session for %s: %s", code, purpose, error)  # noqa: TRY400  its words say it
            continue
        opened += 1
    return opened
