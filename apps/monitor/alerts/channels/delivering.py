"""Empty the outbox: try, try again later, and let another channel have what one does not take."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from apps.monitor.alerts.channels.claims import PATIENCE, claim, claim_next, postpone, settle, take_turn
from apps.monitor.alerts.channels.letter import Letter
from apps.monitor.alerts.channels.refusals import NotTaken
from apps.monitor.alerts.channels.sending import send
from apps.monitor.alerts.notice import Notice, notice_from
from apps.monitor.alerts.outbox import TASK
from apps.monitor.models import Channel, Delivery, DeliveryState
from moondev.celery import wake
from moondev.domain.clock import LiveClock

logger = logging.getLogger(__name__)
# Attempts before a fall-back gets it (some 10 seconds), and before nobody does (a quarter to half an hour).
ATTEMPTS_WITH_FALLBACK, ATTEMPTS_ALONE = 3, 10
# A channel that failed so often in a row, whatever it was to deliver, is not given more than one try each.
KNOWN_TO_FAIL = 3
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `why` is a reason, or a remark about what was not perfect."""

    delivered: bool
    why: str = ""


class _Pace:
    """The moment a run was given, and how much time it has taken since."""

    def __init__(self, now: datetime) -> None:
        self._now, self._began = now, LiveClock().now()

    def now(self) -> datetime:
        return self._now + (LiveClock().now() - self._began)


def deliver_due(now: datetime, limit: int = 50) -> int:
    """Try up to `limit` deliveries that are due; return how many were tried. Any number of processes may do so at once.

    What is tried may arrive twice when whoever sends it dies before writing down that it went: it has a key.
    """
    pace, tried = _Pace(now), 0
    while tried < limit and (row := claim_next(pace.now())) is not None:
        _attempt(row, pace)
        tried += 1
    return tried


def try_out(channel: Channel, *, actor: str, now: datetime) -> Outcome:
    """Send a test at once, also over a channel that is switched off; it is tried once and no fall-back gets it."""
    notice = Notice(
        kind="test", severity="info", title=f"Test of {channel.slug}", body=f"Sent by {actor}.", group="test"
    )
    row = Delivery.objects.create(
        channel=channel, notice=notice.as_json(), title=notice.title, state=DeliveryState.SENDING,
        noticed_at=now, created_at=now, next_attempt_at=now,
    )  # fmt: skip
    return _send(claim(row.pk, now), _Pace(now))


def _attempt(row: Delivery, pace: _Pace) -> None:
    now, channel = pace.now(), row.channel
    if not channel.enabled:
        _give_up(row, DeliveryState.FAILED, "it is switched off", now)
        return
    until = take_turn(channel, now)
    if until is None:
        _send(row, pace)
    elif channel.fallback is not None and row.urgency > 0 and row.created_at <= now - PATIENCE:
        _give_up(row, DeliveryState.GAVE_UP, f"it takes no more until {until:%H:%M:%S} UTC", now)
    else:
        postpone(row, until, row.last_error, attempts=row.attempts - 1)


def _send(row: Delivery, pace: _Pace) -> Outcome:
    """Make one attempt and write down how it ended."""
    try:
        remark = send(row.channel, _letter(row))
    except NotTaken as refusal:
        _not_taken(row, refusal, pace.now())
        return Outcome(delivered=False, why=str(refusal))
    Channel.objects.filter(pk=row.channel_id).update(failures_in_row=0)
    if not settle(row, DeliveryState.DELIVERED, pace.now(), remark):
        logger.warning("%s was delivered after its lease had lapsed: it may arrive twice", row)
    return Outcome(delivered=True, why=remark)


def _letter(row: Delivery) -> Letter:
    """Return what a row says. Raises NotTaken for what another version wrote and this one cannot read.

    Raising anything else would leave the row on its way for ever, and with it all that comes after it in its group.
    """
    try:
        notice = notice_from(row.notice)
    except (LookupError, TypeError, ValueError) as error:
        why = f"what another version wrote cannot be read ({type(error).__name__})"
        raise NotTaken(why, permanent=True) from error
    return Letter(notice, str(row.key), row.noticed_at, tuple(row.failed_channels))


def _is_test(row: Delivery) -> bool:
    return bool(row.notice.get("kind") == "test")


def _not_taken(row: Delivery, refusal: NotTaken, now: datetime) -> None:
    """Try again later, or give up: at once on a refusal that stands."""
    channel, wait = row.channel, timedelta(seconds=refusal.retry_after_seconds or 0)
    quiet = {"quiet_until": now + wait} if wait else {}
    Channel.objects.filter(pk=channel.pk).update(failures_in_row=F("failures_in_row") + 1, **quiet)
    channel.refresh_from_db(fields=["failures_in_row"])
    logger.warning("%s did not take delivery %s: %s", channel.slug, row.pk, refusal)
    if refusal.permanent:
        _give_up(row, DeliveryState.FAILED, str(refusal), now)
    elif _is_test(row) or row.attempts >= _attempts_allowed(channel) or _too_long(row, wait):
        _give_up(row, DeliveryState.GAVE_UP, str(refusal), now)
    else:
        postpone(row, now + max(wait, _back_off(row.attempts)), str(refusal), attempts=row.attempts)


def _attempts_allowed(channel: Channel) -> int:
    if channel.fallback is None:
        return ATTEMPTS_ALONE
    return 1 if channel.failures_in_row > KNOWN_TO_FAIL else ATTEMPTS_WITH_FALLBACK


def _too_long(row: Delivery, wait: timedelta) -> bool:
    return wait > PATIENCE and row.urgency > 0 and row.channel.fallback is not None


def _back_off(attempts: int) -> timedelta:
    """Return a wait that doubles each time, spread so that not everything comes back at one moment."""
    wait = min(FIRST_WAIT * (1 << attempts - 1), LONGEST_WAIT)
    return wait * random.uniform(0.5, 1.0)  # noqa: S311  nobody guards anything with it


def _give_up(row: Delivery, state: DeliveryState, why: str, now: datetime) -> None:
    """End a delivery, and have the fall-back get the notice in the same moment."""
    with transaction.atomic():
        if not settle(row, state, now, why):
            return
        following = _following(row)
        if following is not None:
            Delivery.objects.create(
                channel=following, notice=row.notice, title=row.title, urgency=row.urgency, noticed_at=row.noticed_at,
                created_at=now, next_attempt_at=now, instead_of=row,
                failed_channels=[*row.failed_channels, row.channel.slug],
            )  # fmt: skip
            wake(TASK)
    if following is None and not _is_test(row):
        logger.error("nobody was told: %s (delivery %s): %s", row.title, row.pk, why)


def _following(row: Delivery) -> Channel | None:
    """Return who gets it next; nobody twice, though rows were put into a circle behind our back."""
    following = row.channel.fallback
    if following is None or _is_test(row) or following.slug in row.failed_channels:
        return None
    return following
