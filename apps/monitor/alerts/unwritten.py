"""Tell people that the database is away: the one alert that cannot be a row.

The watch remembers which channels there were. Two watches both tell it: twice is better than not at all.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from apps.monitor.alerts.channels.refusals import NotTaken
from apps.monitor.alerts.notice import Kind, Notice
from apps.monitor.models import Channel
from moondev.domain.clock import LiveClock, monotonic

logger = logging.getLogger(__name__)
# A restart is over by then.
PATIENCE_SECONDS = 30.0
# A channel that did not take it is tried again that often, until it does: there is no outbox to remember it.
AGAIN_SECONDS = 20.0
REMEMBER_SECONDS = 60.0
GROUP = "platform"
AWAY = "The database does not answer"
ADVICE = (
    "Nothing is decided or opened without it, and no other alert can be told. Orders stand as they are at the venues;"
    " kill_switch --direct cancels them without it."
)


@dataclass(slots=True)
class _Outage:
    """One time that the database is away: since when, who has yet to hear of it, and who knows."""

    since: float
    waiting: list[Channel]
    knowing: list[Channel] = field(default_factory=list)
    tried_at: float = float("-inf")


class Unwritten:
    """Whether the database is away, since when, and who knows."""

    def __init__(
        self, tell: Callable[[Channel, Notice], None] | None = None, timer: Callable[[], float] = monotonic
    ) -> None:
        self._tell, self._timer = tell or _send, timer
        self._channels: list[Channel] = []
        self._remembered_at: float | None = None
        self._outage: _Outage | None = None

    def there(self) -> None:
        """Remember the channels now and then, and say that the database is back to who heard it was away."""
        now, outage = self._timer(), self._outage
        if outage is not None and outage.knowing:
            self._say("resolved", f"It was away for {now - outage.since:.0f} s.", outage.knowing)
        self._outage = None
        if self._remembered_at is None or now - self._remembered_at >= REMEMBER_SECONDS:
            self._channels = list(Channel.objects.filter(enabled=True))
            self._remembered_at = now

    def away(self, why: str) -> None:
        """Say to each channel once that the database is away, when it has been for so long that it is no restart."""
        now = self._timer()
        outage = self._outage = self._outage or _Outage(now, self._channels)
        if now - outage.since < PATIENCE_SECONDS or now - outage.tried_at < AGAIN_SECONDS:
            return
        outage.tried_at = now
        took, outage.waiting = self._say("firing", f"{why}\n→ {ADVICE}", outage.waiting)
        outage.knowing += took

    def _say(self, kind: Kind, words: str, channels: Iterable[Channel]) -> tuple[list[Channel], list[Channel]]:
        """Tell channels; return those that took it, and those that may take it another time."""
        title = AWAY if kind == "firing" else f"Over: {AWAY}"
        notice = Notice(kind, "critical", title, words, GROUP)
        took: list[Channel] = []
        again: list[Channel] = []
        for channel in channels:
            try:
                self._tell(channel, notice)
                took.append(channel)
            except Exception as error:  # noqa: BLE001  one channel's fault must not cost the others the notice
                logger.warning("%s was not told that the database is away: %s", channel.slug, error)
                if not (isinstance(error, NotTaken) and error.permanent):
                    again.append(channel)
        return took, again


def _send(channel: Channel, notice: Notice) -> None:
    # What speaks to Discord and the others takes memory that a watch over a healthy platform can do without.
    from apps.monitor.alerts.channels.letter import Letter  # noqa: PLC0415  loads Apprise
    from apps.monitor.alerts.channels.sending import send  # noqa: PLC0415  loads Apprise

    send(channel, Letter(notice, str(uuid.uuid4()), LiveClock().now()))
