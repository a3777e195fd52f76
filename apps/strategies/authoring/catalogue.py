"""The user's own strategies as one process has them: which there are, and the present version of each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

from apps.strategies.authoring.source import Source
from apps.strategies.authoring.version import BrokenStrategy, Version, load_version
from moondev.domain.clock import monotonic
from moondev.domain.errors import Configuration

logger = logging.getLogger(__name__)

# How long a process may believe what it saw. One small query in so many seconds, while such strategies are asked for.
LOOK_SECONDS = 1.0
# What could not be loaded here is tried again after this: the library it lacks may have been installed.
AGAIN_SECONDS = 30.0


class Shelf(Protocol):
    """Where versions are kept for all processes."""

    def current(self) -> Mapping[str, str]:
        """Return the present version of every strategy: code hash by kind."""

    def source(self, kind: str, code_hash: str) -> Source:
        """Return a version's text. Raises Configuration when it cannot be had or is not to be trusted."""

    def failed(self, kind: str, message: str) -> None:
        """Let operators know that this process could not load a version."""


class Catalogue:
    """Versions by kind, each loaded when first asked for. A new one takes the old one's place once it has loaded."""

    def __init__(self, shelf: Shelf, clock: Callable[[], float] = monotonic) -> None:
        """Read `shelf`; `clock` gives seconds."""
        self._shelf, self._clock = shelf, clock
        self._lock = threading.RLock()
        self._looked = float("-inf")
        self._wanted: Mapping[str, str] = {}
        self._versions: dict[str, Version] = {}
        self._failed: dict[str, tuple[str, float, str]] = {}
        self._shown: dict[str, Version] = {}

    def show(self, source: Source) -> str:
        """Let this process, and no other, run a text that nobody has published; return its name.

        Raises BrokenStrategy.
        """
        version = load_version(source)
        with self._lock:
            self._shown[version.strategy.name] = version
        return version.strategy.name

    def names(self) -> tuple[str, ...]:
        """Return the kinds there are."""
        with self._lock:
            self._look()
            return tuple(sorted({*self._wanted, *self._shown}))

    def version(self, kind: str) -> Version | None:
        """Return the present version of `kind`; None when there is no such strategy.

        While the present one cannot be loaded here, the one before goes on. Raises Configuration when there is none
        before.
        """
        with self._lock:
            if kind in self._shown:
                return self._shown[kind]
            self._look()
            if kind not in self._wanted:
                # A row may name what was published since the last look: a tick of it must not fail for that.
                self._see()
            wanted, held = self._wanted.get(kind), self._versions.get(kind)
            if wanted is None or (held is not None and held.code_hash == wanted):
                return held
            failure = self._failed.get(kind)
            if failure is None or failure[0] != wanted or self._clock() - failure[1] > AGAIN_SECONDS:
                failure = self._load(kind, wanted)
            if failure is not None and kind not in self._versions:
                raise Configuration(f"strategy {kind} cannot be loaded here: {failure[2]}")
            return self._versions[kind]

    def _look(self) -> None:
        if self._clock() - self._looked >= LOOK_SECONDS:
            self._see()

    def _see(self) -> None:
        # The time before the answer: what is published while it is on its way is at most so old.
        now = self._clock()
        self._wanted = self._shelf.current()
        self._looked = now
        for kind in self._versions.keys() - self._wanted.keys():
            self._versions.pop(kind).unload()
            logger.info("strategy %s is unloaded", kind)

    def _load(self, kind: str, code_hash: str) -> tuple[str, float, str] | None:
        """Load a version in the place of the one before; return the failure when it could not be."""
        try:
            version = load_version(self._shelf.source(kind, code_hash))
        except (BrokenStrategy, Configuration) as error:
            failure = self._failed[kind] = (code_hash, self._clock(), str(error))
            name = f"{kind} {code_hash[:12]}"
            logger.error("strategy %s cannot be loaded: %s", name, error)  # noqa: TRY400  the words hold file and line
            self._shelf.failed(kind, f"version {code_hash[:12]}: {error}")
            return failure
        before = self._versions.pop(kind, None)
        self._versions[kind] = version
        self._failed.pop(kind, None)
        logger.info("strategy %s: version %s is loaded", kind, code_hash[:12])
        if before is not None:
            before.unload()
        return None


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Return this process's catalogue."""
    from apps.strategies.authoring.shelf import own_shelf  # noqa: PLC0415  a process without Django has no such shelf

    return Catalogue(own_shelf())
