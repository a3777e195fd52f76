"""The chain's height as we know it: asked for when it must be right, reckoned when it need not be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from apps.exchanges.venues.dydx.config import BLOCK_SECONDS
from apps.exchanges.venues.dydx.orders import Moment
from moondev.domain.clock import Clock

_FRESH = timedelta(seconds=BLOCK_SECONDS / 2)


class Heights:
    """Keeps the last height heard of."""

    def __init__(self, ask: Callable[[], int], clock: Clock) -> None:
        """Ask with `ask`, which raises what a question raises."""
        self._ask, self._clock = ask, clock
        self._known: Moment | None = None

    def exact(self) -> Moment:
        """Return the height now; a question, unless one was answered within half a block."""
        now, known = self._clock.now(), self._known
        if known is not None and now - known.now < _FRESH:
            return Moment(known.height, now)
        return self._asked()

    def reckoned(self) -> Moment:
        """Return about the height now, by the time that has passed; a question only when none was ever answered."""
        now, known = self._clock.now(), self._known
        if known is None:
            return self._asked()
        return Moment(known.height + _blocks(known.now, now), now)

    def _asked(self) -> Moment:
        self._known = Moment(self._ask(), self._clock.now())
        return self._known


def _blocks(since: datetime, now: datetime) -> int:
    return max(0, int((now - since) / timedelta(seconds=BLOCK_SECONDS)))
