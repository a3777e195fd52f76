"""Who sends what, and how it ended. Each step is one short statement; nothing is held while a server is spoken to."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from apps.exchanges.bulk import fetch
from apps.monitor.alerts.outbox import URGENCY
from apps.monitor.models import Channel, Delivery, DeliveryState

# Longer than any attempt takes. Whoever has not said by then how it ended has died, and the message may go out twice:
# its key is the same.
LEASE = timedelta(seconds=60)
# So much may go out at once after a pause; more than that keeps to the channel's rate.
BURST = timedelta(seconds=10)
# How long what is urgent waits for a channel that takes nothing more, before its fall-back gets it.
PATIENCE = timedelta(minutes=2)
# Of several workers none waits for another's row, and at most two are kept busy by one channel that hangs. What belongs
# together arrives in order: the end of an alert must not come before its beginning. What is critical and begins waits
# for nothing: an earlier message may be about to be tried again in ten minutes only.
_NEXT = """
SELECT delivery.id FROM monitor_delivery delivery JOIN monitor_channel channel ON channel.id = delivery.channel_id
WHERE delivery.state IN ('queued', 'sending') AND delivery.next_attempt_at <= %(now)s
  AND (NOT channel.enabled
       OR COALESCE(channel.quiet_until <= %(now)s, true) AND COALESCE(channel.free_at <= %(now)s + %(burst)s, true)
       OR delivery.urgency > 0 AND channel.fallback_id IS NOT NULL AND delivery.created_at <= %(now)s - %(patience)s)
  AND (SELECT count(*) FROM monitor_delivery busy WHERE busy.channel_id = channel.id AND busy.state = 'sending'
       AND busy.next_attempt_at > %(now)s) < 2
  AND (delivery.urgency = %(critical)s AND delivery.notice ->> 'kind' = 'firing'
       OR NOT EXISTS (SELECT FROM monitor_delivery earlier
       WHERE earlier.channel_id = channel.id AND earlier.id < delivery.id AND earlier.urgency >= delivery.urgency
       AND earlier.state IN ('queued', 'sending') AND earlier.notice ->> 'group' = delivery.notice ->> 'group'))
ORDER BY delivery.urgency DESC, delivery.next_attempt_at, delivery.id
LIMIT 1 FOR UPDATE OF delivery SKIP LOCKED
"""
_TURN = """
UPDATE monitor_channel SET free_at = GREATEST(COALESCE(free_at, %(now)s), %(now)s) + interval '1 minute' / per_minute
WHERE id = %(id)s AND COALESCE(quiet_until <= %(now)s, true) AND COALESCE(free_at <= %(now)s + %(burst)s, true)
RETURNING free_at
"""


@transaction.atomic
def claim_next(now: datetime) -> Delivery | None:
    """Take up the most urgent delivery that is due, for as long as a lease lasts; None when there is none."""
    found = fetch(_NEXT, {"now": now, "burst": BURST, "patience": PATIENCE, "critical": URGENCY["critical"]})
    if not found:
        return None
    return claim(found[0][0], now)


def claim(delivery_id: int, now: datetime) -> Delivery:
    """Take up a delivery whose row is locked, or that nobody else knows of yet."""
    Delivery.objects.filter(pk=delivery_id).update(
        state=DeliveryState.SENDING, attempts=F("attempts") + 1, next_attempt_at=now + LEASE
    )
    return Delivery.objects.select_related("channel__fallback").get(pk=delivery_id)


def take_turn(channel: Channel, now: datetime) -> datetime | None:
    """Use up one message of a channel's rate; None when that was possible, else from when on it will be."""
    if fetch(_TURN, {"id": channel.pk, "now": now, "burst": BURST}):
        return None
    channel.refresh_from_db(fields=["free_at", "quiet_until"])
    waits = (channel.quiet_until, channel.free_at - BURST if channel.free_at else None)
    return max(moment for moment in (*waits, now + timedelta(milliseconds=100)) if moment is not None)


def settle(row: Delivery, state: DeliveryState, now: datetime, error: str = "") -> bool:
    """Write down how a delivery ended; False when its lease had lapsed and somebody else has it."""
    return _write(row, state=state, finished_at=now, last_error=error)


def postpone(row: Delivery, until: datetime, error: str, *, attempts: int) -> bool:
    """Have a delivery tried again from a moment on, with so many attempts made; False when somebody else has it."""
    return _write(row, state=DeliveryState.QUEUED, next_attempt_at=until, last_error=error, attempts=attempts)


def _write(row: Delivery, **values: object) -> bool:
    """Change a row that is still ours: whoever takes it up after us counts one attempt more."""
    ours = Delivery.objects.filter(pk=row.pk, state=DeliveryState.SENDING, attempts=row.attempts)
    return bool(ours.update(**values))
