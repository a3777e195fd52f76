"""What people do to channels by hand: one door for admin, API and command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.monitor.audit.append import audit_append
from apps.monitor.models import Channel, Delivery
from moondev.domain.errors import InvalidValue

# Deliveries that are over are kept so long; the files of reports lie in them.
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tested:
    """How a test went. `why` is a reason, or a remark about what was not perfect."""

    delivered: bool
    why: str


def channel_test(*, slug: str, actor: str, now: datetime, address: str = "", reason: str = "") -> Tested:
    """Send a test over a channel and wait for how it goes. Raises InvalidValue for an unknown channel."""
    # Here, because what speaks to Discord and the others takes memory that few processes need.
    from apps.monitor.alerts.channels.delivering import try_out  # noqa: PLC0415  loads Apprise

    channel = Channel.objects.filter(slug=slug).first()
    if channel is None:
        names = ", ".join(Channel.objects.values_list("slug", flat=True)) or "there is none yet"
        raise InvalidValue("channel", slug, names)
    outcome = try_out(channel, actor=actor, now=now)
    audit_append(
        action="channel tested", subject=slug, actor=actor, address=address, reason=reason,
        after={"delivered": outcome.delivered, "why": outcome.why},
    )  # fmt: skip
    return Tested(outcome.delivered, outcome.why)


def deliveries_forget(now: datetime) -> int:
    """Delete deliveries that have been over for long; return how many."""
    return int(Delivery.objects.filter(finished_at__lt=now - KEPT).delete()[0])
