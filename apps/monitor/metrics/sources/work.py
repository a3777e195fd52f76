"""What is under way: orders, commands, ticks, notices, alerts, and how long the oldest of each has waited.

Only what is not final is counted, through the partial indexes that the platform itself works with: that is as much as
is under way, however long the history. What has ended is counted by the processes that ended it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import product

from django.conf import settings
from prometheus_client.metrics_core import Metric

from apps.exchanges.bulk import Row, fetch
from apps.monitor.metrics.told import Sample, Told
from apps.monitor.models.channels import OPEN
from moondev.domain.clock import LiveClock, process_clock
from moondev.domain.orders import NON_FINAL

_ORDER = ("venue", "status")
ORDERS = Told("moondev_orders_working", "Orders that are not final.", _ORDER)
ORDERS_AGE = Told("moondev_orders_oldest_seconds", "Since the longest unchanged of them changed, real seconds.", _ORDER)
COMMANDS = Told("moondev_commands_waiting", "Cancels and amends that nobody has sent yet.", ("kind",))
COMMANDS_AGE = Told(
    "moondev_commands_oldest_seconds", "Since the oldest of them was asked for, real seconds.", ("kind",)
)
TICKS = Told("moondev_ticks_outstanding", "Ticks that are due or running.", ("status",))
TICKS_AGE = Told("moondev_ticks_oldest_seconds", "Since the oldest of them was due, real seconds.", ("status",))
OUTBOX = Told("moondev_outbox_waiting", "Notices on their way to a channel.", ("channel",))
OUTBOX_AGE = Told("moondev_outbox_oldest_seconds", "Since the oldest of them was written.", ("channel",))
ALERTS = Told("moondev_alerts_firing", "Alerts of our own that fire and nobody has acknowledged.", ("severity",))
WATCH_AGE = Told("moondev_alert_watch_age_seconds", "Since the alerts' rules were last looked at, real seconds.")
SESSIONS = Told("moondev_database_sessions", "Sessions of the database server, and how many it allows.", ("which",))

WORK = (ORDERS, ORDERS_AGE, COMMANDS, COMMANDS_AGE, TICKS, TICKS_AGE)
NOTICES = (OUTBOX, OUTBOX_AGE, ALERTS, WATCH_AGE)
DATABASE = (SESSIONS,)

_ORDERS = (
    "SELECT a.venue_id, o.status, count(*), min(o.updated_at) FROM exchanges_order o"
    " JOIN exchanges_account a ON a.id = o.account_id WHERE o.status IN %s GROUP BY 1, 2"
)
_COMMANDS = "SELECT kind, count(*), min(created_at) FROM exchanges_ordercommand WHERE status = 'approved' GROUP BY 1"
_TICKS = "SELECT status, count(*), min(due_at) FROM strategies_tick WHERE status IN ('due', 'running') GROUP BY 1"
_OUTBOX = (
    "SELECT c.slug, count(d.id), min(d.created_at) FROM monitor_channel c"
    " LEFT JOIN monitor_delivery d ON d.channel_id = c.id AND d.state IN %s GROUP BY 1"
)
_ALERTS = "SELECT severity, count(*) FROM monitor_alert WHERE state = 'firing' GROUP BY 1"
_WATCHED = "SELECT at FROM monitor_alertpass WHERE id = 1"
_SESSIONS = "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"


def read_work(now: datetime, strategies: Collection[str]) -> Iterator[Metric]:  # noqa: ARG001  as every source
    """Yield orders, commands and ticks under way. Three questions."""
    # The database compares with the very words of its partial index, so these are no parameters of the server's.
    rows = fetch(_ORDERS, (tuple(sorted(NON_FINAL)),))
    counted: dict[tuple[str, ...], float] = dict.fromkeys(product(settings.MOONDEV_VENUES, sorted(NON_FINAL)), 0)
    counted |= {(venue, status): count for venue, status, count, _ in rows}
    yield ORDERS.family(counted.items())
    yield ORDERS_AGE.family(((venue, status), _age(oldest, now)) for venue, status, _, oldest in rows)
    yield from _both(COMMANDS, COMMANDS_AGE, ("cancel", "amend"), fetch(_COMMANDS), now)
    yield from _both(TICKS, TICKS_AGE, ("due", "running"), fetch(_TICKS), now)


def read_notices(now: datetime, strategies: Collection[str]) -> Iterator[Metric]:  # noqa: ARG001  as every source
    """Yield notices on their way, alerts that fire, and whether anybody looks at all. Three questions."""
    rows = fetch(_OUTBOX, (tuple(OPEN),))
    wall = LiveClock().now()
    yield OUTBOX.family(((slug,), count) for slug, count, _ in rows)
    yield OUTBOX_AGE.family(((slug,), (wall - oldest).total_seconds()) for slug, _, oldest in rows if oldest)
    firing: dict[str, int] = dict(fetch(_ALERTS))
    yield ALERTS.family(((severity,), firing.get(severity, 0)) for severity in ("info", "warning", "critical"))
    yield WATCH_AGE.family(((), _age(at, now)) for (at,) in fetch(_WATCHED))


def read_database(now: datetime, strategies: Collection[str]) -> Iterator[Metric]:  # noqa: ARG001  as every source
    """Yield how many sessions the server has. One question."""
    ((used, most),) = fetch(_SESSIONS)
    yield SESSIONS.family([(("used",), used), (("allowed",), most)])


def _both(count: Told, age: Told, kinds: Collection[str], rows: Collection[Row], now: datetime) -> Iterator[Metric]:
    counts = {row[0]: row[1] for row in rows}
    yield count.family(((kind,), counts.get(kind, 0)) for kind in kinds)
    yield age.family(_ages(rows, now))


def _ages(rows: Collection[Row], now: datetime) -> Iterator[Sample]:
    for kind, _, oldest in rows:
        yield (kind,), _age(oldest, now)


def _age(moment: datetime, now: datetime) -> float:
    return process_clock().wall_seconds((now - moment).total_seconds())
