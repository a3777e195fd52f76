"""Watches the folder of strategies beside the dispatcher, in a thread that disturbs nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from apps.strategies.authoring.folder import Contents, FolderGone, Look, look, read
from apps.strategies.authoring.publishing import tell_folder
from apps.strategies.authoring.review import Review
from apps.strategies.registry import library_names
from moondev.domain.clock import Clock, monotonic

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# A folder in which something is being written is left alone until it has been quiet for so long; but not for ever.
QUIET_SECONDS, LONGEST_WAIT_SECONDS = 0.4, 3.0
# Editors and version control remove a file before they write it anew.
GONE_SECONDS = 3.0


class FolderWatch:
    """Looks, waits until the folder is quiet, has its contents reviewed."""

    def __init__(self, folder: Path, review: Review, clock: Clock, seconds: Callable[[], float] = monotonic) -> None:
        """Watch `folder`; `clock` stamps what is told, `seconds` measures waits."""
        self._folder, self._review, self._clock, self._seconds = folder, review, clock, seconds
        self._seen: Look | None = None
        self._settled: Look | None = None
        self._changed_at = self._moving_since = float("-inf")
        self._inhabited: tuple[int, int] | None = None
        self._contents = Contents({}, {})
        self._missing: dict[str, float] = {}
        self._told = ""

    def run(self, stopped: threading.Event) -> None:
        """Watch until `stopped` is set. Nothing that goes wrong in one look ends it."""
        try:
            while not stopped.wait(LOOK_SECONDS):
                self._look()
        finally:
            connections.close_all()  # this thread's own

    def _look(self) -> None:
        try:
            self.step()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("folder of strategies: no database: %s", error)
            self._settled = None
            close_old_connections()
        except Exception:  # whatever one look meets, the next may find mended; without this thread nobody looks
            logger.exception("folder of strategies: this look failed")
            self._settled = None

    def step(self) -> None:
        """Look once, and act on what has come to rest."""
        try:
            if self._quiet(look(self._folder)) and (self._seen != self._settled or self._review.waits()):
                self._settle()
        except FolderGone as error:
            self._tell(f"{error}; what is loaded goes on")
            return
        if self._settled is not None:
            self._end_what_has_gone()

    def _quiet(self, now_seen: Look) -> bool:
        now = self._seconds()
        if now_seen != self._seen:
            if self._seen == self._settled:
                self._moving_since = now
            self._seen, self._changed_at = now_seen, now
        return now - self._changed_at >= QUIET_SECONDS or now - self._moving_since >= LONGEST_WAIT_SECONDS

    def _settle(self) -> None:
        """Review the folder. What changes while it is read is seen by the next look."""
        seen, contents = self._seen, read(self._folder)
        if seen is not None and not contents.candidates and self._inhabited != seen.place:
            # An unmounted folder leaves an empty one in its place. One that was emptied is the same folder as before.
            self._tell(f"{self._folder} is empty, as if unmounted; what is loaded goes on")
            self._settled, self._contents = None, Contents({}, {})
            return
        if seen is not None and contents.candidates:
            self._inhabited = seen.place
        self._told = ""
        done = self._review.settle(contents)
        self._settled, self._contents = (seen if done else None), contents

    def _end_what_has_gone(self) -> None:
        now = self._seconds()
        gone = self._review.gone(self._contents)
        self._missing = {kind: self._missing.get(kind, now) for kind in gone}
        for kind, since in list(self._missing.items()):
            if now - since >= GONE_SECONDS:
                self._review.end(kind, gone[kind])
                del self._missing[kind]

    def _tell(self, message: str) -> None:
        """Tell an operator once, and not at every look."""
        if message != self._told:
            self._told = message
            tell_folder(message, self._clock.now())


def watching(clock: Clock, stopped: threading.Event) -> threading.Thread | None:
    """Start watching the folder that the settings name, until `stopped` is set; None where they name none."""
    folder = settings.MOONDEV_STRATEGIES_DIR
    if folder is None:
        return None
    watch = FolderWatch(folder, Review(library_names(), clock), clock)
    thread = threading.Thread(target=watch.run, args=(stopped,), name="folder-of-strategies", daemon=True)
    thread.start()
    return thread
