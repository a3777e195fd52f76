"""The chain's height as we know it: asked for when it must be right, reckoned when it need not be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil

from apps.exchanges.venues.dydx.config import BLOCK_SECONDS, IMMEDIATE_BLOCKS, SHORT_BLOCK_WINDOW
from apps.exchanges.venues.dydx.orders import Moment
from moondev.domain.clock import Clock

_FRESH = timedelta(seconds=BLOCK_SECONDS / 2)
# However fast a replay runs, a request takes its time: so long, in real seconds, an immediate order stays good.
_REQUEST_SECONDS = 1.0


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
            return self._moment(known.height, now)
        return self._asked()

    def reckoned(self) -> Moment:
        """Return about the height now, by the time that has passed; a question only when none was ever answered."""
        now, known = self._clock.now(), self._known
        if known is None:
            return self._asked()
        return self._moment(known.height + _blocks(known.now, now), now)

    def _asked(self) -> Moment:
        self._known = self._moment(self._ask(), self._clock.now())
        return self._known

    def _moment(self, height: int, now: datetime) -> Moment:
        # A clock that stands still counts as real time.
        seconds = self._clock.wall_seconds(BLOCK_SECONDS) or BLOCK_SECONDS
        patience = min(SHORT_BLOCK_WINDOW, max(IMMEDIATE_BLOCKS, ceil(_REQUEST_SECONDS / seconds)))
        return Moment(height, now, patience)


def _blocks(since: datetime, now: datetime) -> int:
    return max(0, int((now - since) / timedelta(seconds=BLOCK_SECONDS)))
