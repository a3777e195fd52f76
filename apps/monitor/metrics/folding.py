"""Puts away, now and then, what processes that have ended have counted."""

from __future__ import annotations

import logging

from apps.monitor.metrics.counted import CountedFolder
from moondev.domain.clock import monotonic

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0


class Folding:
    """Looks every few seconds. A folder that cannot be written is said once, and read on."""

    def __init__(self, folder: CountedFolder) -> None:
        """Look after `folder`."""
        self._folder, self._next, self._failing = folder, 0.0, False

    def look(self) -> None:
        """Put away what there is to be put away, unless it was looked at a moment ago."""
        if monotonic() < self._next:
            return
        self._next = monotonic() + EVERY_SECONDS
        try:
            self._folder.fold()
            self._failing = False
        except OSError as error:
            if not self._failing:
                logger.warning("numbers of processes that have ended stay where they are: %s", error)
            self._failing = True
