"""Deliver what nobody else delivers: the broker took no wake-up, or whoever was woken is gone.

In a thread of the watch: a server that hangs must not keep anybody from looking at the platform.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from apps.monitor.models import Delivery, DeliveryState
from moondev.domain.clock import LiveClock

logger = logging.getLogger(__name__)
# A worker takes up what it was woken for at once; what lies for so long has woken nobody.
OVERDUE = timedelta(seconds=4)
EVERY_SECONDS, AT_ONCE = 2.0, 20


def sweep() -> int:
    """Try what is overdue, once; return how many deliveries were tried. Raises DatabaseError."""
    now = LiveClock().now()
    lying = Delivery.objects.filter(
        state__in=[DeliveryState.QUEUED, DeliveryState.SENDING], next_attempt_at__lte=now - OVERDUE
    )
    if not lying.exists():
        return 0
    # What speaks to Discord and the others takes memory that a watch over a healthy platform can do without.
    from apps.monitor.alerts.channels.delivering import deliver_due  # noqa: PLC0415  loads Apprise

    return deliver_due(now, AT_ONCE)


def sweeping(stop: threading.Event) -> threading.Thread:
    """Sweep in a thread until `stop` is set."""
    thread = threading.Thread(target=_run, args=(stop,), name="sweep", daemon=True)
    thread.start()
    return thread


def _run(stop: threading.Event) -> None:
    while not stop.wait(EVERY_SECONDS):
        try:
            close_old_connections()
            sweep()
        except (DatabaseError, InterfaceError):
            # The watch says that the database is away; the rows are still there when it is back.
            connection.close()
        except Exception:  # whatever one delivery did, the next may be the one that wakes somebody
            logger.exception("the outbox could not be swept")
    connection.close()
