"""The history of orders and accounts: what is appended, in bulk."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from apps.exchanges.bulk import values_run
from apps.exchanges.models import AccountEvent
from apps.exchanges.orders.life import steps_insert
from moondev.domain.values import ZERO

logger = logging.getLogger(__name__)

DETAIL_CHARACTERS = 300
# How long a lasting condition stays silent after it was announced.
QUIET = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one order. `status_from` is empty at birth; `detail` must say something when nothing changes.

    `filled`: how much of it filled with this step.
    """

    order_id: int
    source: str
    status_from: str
    status_to: str
    detail: str = ""
    time_exchange: datetime | None = None
    filled: Decimal = ZERO


def steps_append(steps: Sequence[Step], now: datetime) -> None:
    """Append steps to the orders' histories, and tell of them in the log once they are committed."""
    rows = [
        (s.order_id, now, s.source, s.status_from, s.status_to, s.time_exchange, s.detail[:DETAIL_CHARACTERS])
        for s in steps
    ]
    if rows:
        steps_insert(rows, steps)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something about an account that a person should look into."""

    kind: AccountEvent.Kind
    message: str


def alarms_append(account_id: int, alarms: Sequence[Alarm], now: datetime) -> None:
    """Append alarms to the account's events."""
    values_run(
        "INSERT INTO exchanges_accountevent (account_id, at, kind, message) VALUES %s",
        [(account_id, now, alarm.kind.value, alarm.message[:DETAIL_CHARACTERS]) for alarm in alarms],
    )


def alarm_news(account_id: int, alarm: Alarm, now: datetime) -> bool:
    """Append an alarm unless the same words were said in the last hour; return whether it was appended."""
    words = alarm.message[:DETAIL_CHARACTERS]
    said = AccountEvent.objects.filter(account_id=account_id, kind=alarm.kind, message=words, at__gt=now - QUIET)
    if said.exists():
        return False
    alarms_append(account_id, [alarm], now)
    return True


def unreadable_alarm(account_id: int, reasons: Sequence[str], now: datetime) -> None:
    """Tell of rows of the venue's answers that could not be read; every one is in the log."""
    if reasons:
        text = f"{len(reasons)} left out; the first: {reasons[0]}"
        alarm_news(account_id, Alarm(AccountEvent.Kind.UNREADABLE_ROW, text), now)


def alarm_once(account_id: int, alarm: Alarm, now: datetime) -> bool:
    """Append an alarm unless the same kind was raised in the last hour; return whether it was appended."""
    recent = AccountEvent.objects.filter(account_id=account_id, kind=alarm.kind, at__gt=now - QUIET)
    if recent.exists():
        return False
    alarms_append(account_id, [alarm], now)
    logger.error("account %s: %s: %s", account_id, alarm.kind.label, alarm.message)
    return True
