"""Tell people that the database is away: the one alert that cannot be a row.

The watch remembers which channels there were. Two watches both tell it: twice is better than not at all.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

from apps.monitor.alerts.notice import Kind, Notice
from apps.monitor.models import Channel
from moondev.domain.clock import LiveClock, monotonic

logger = logging.getLogger(__name__)
# A restart is over by then.
PATIENCE_SECONDS = 30.0
REMEMBER_SECONDS = 60.0
GROUP = "platform"
AWAY = "The database does not answer"
ADVICE = (
    "Nothing is decided or opened without it, and no other alert can be told. Orders stand as they are at the venues;"
    " kill_switch --direct cancels them without it."
)


class Unwritten:
    """Whether the database is away, since when, and whether people know."""

    def __init__(
        self, tell: Callable[[Channel, Notice], None] | None = None, timer: Callable[[], float] = monotonic
    ) -> None:
        self._tell, self._timer = tell or _send, timer
        self._channels: list[Channel] = []
        self._remembered_at: float | None = None
        self._away_since: float | None = None
        self._told = False

    def there(self) -> None:
        """Remember the channels now and then, and say that the database is back to who heard it was away."""
        now = self._timer()
        if self._told and self._away_since is not None:
            self._say("resolved", f"It was away for {now - self._away_since:.0f} s.")
        self._away_since, self._told = None, False
        if self._remembered_at is None or now - self._remembered_at >= REMEMBER_SECONDS:
            self._channels = list(Channel.objects.filter(enabled=True))
            self._remembered_at = now

    def away(self, why: str) -> None:
        """Say once that the database is away, when it has been for so long that it is no restart."""
        now = self._timer()
        self._away_since = now if self._away_since is None else self._away_since
        if not self._told and now - self._away_since >= PATIENCE_SECONDS:
            self._told = True
            self._say("firing", f"{why}\n→ {ADVICE}")

    def _say(self, kind: Kind, words: str) -> None:
        title = AWAY if kind == "firing" else f"Over: {AWAY}"
        notice = Notice(kind, "critical", title, words, GROUP)
        for channel in self._channels:
            try:
                self._tell(channel, notice)
            except Exception as error:  # noqa: BLE001  one channel's fault must not cost the others the notice
                logger.warning("%s was not told that the database is away: %s", channel.slug, error)


def _send(channel: Channel, notice: Notice) -> None:
    # What speaks to Discord and the others takes memory that a watch over a healthy platform can do without.
    from apps.monitor.alerts.channels.letter import Letter  # noqa: PLC0415  loads Apprise
    from apps.monitor.alerts.channels.sending import send  # noqa: PLC0415  loads Apprise

    send(channel, Letter(notice, str(uuid.uuid4()), LiveClock().now()))
