"""The venue's clock as far as we know it: signatures are judged by it, and ours may be off."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from moondev.domain.clock import Clock

logger = logging.getLogger(__name__)


class VenueClock:
    """Our clock, moved by what the venue's was once found to differ. A `Clock`."""

    def __init__(self, clock: Clock) -> None:
        """Begin with the belief that both agree."""
        self._clock = clock
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """Return what the venue's clock shows now."""
        return self._clock.now() + self._offset

    def wall_seconds(self, run_seconds: float) -> float:
        """Return how many real seconds `run_seconds` of the run take."""
        return self._clock.wall_seconds(run_seconds)

    def learn(self, shown: datetime, asked: datetime, answered: datetime) -> None:
        """Take what the venue's clock showed between `asked` and `answered`, both by this clock."""
        self._offset += shown - (asked + (answered - asked) / 2)
        logger.warning("the venue's clock is %+.3f s from ours", self._offset.total_seconds())
