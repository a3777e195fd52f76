"""Who somebody was a moment ago: for reads, of which a dashboard makes many a second. Writes are always asked anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from moondev.domain.clock import monotonic

T = TypeVar("T")
# A token that was revoked, or a role that was taken away, may still look for so long.
HOLDS_SECONDS = 1.0
MOST = 1_000


class Lately(Generic[T]):
    """Remembers answers for a moment. Two threads may ask at once; then both look it up."""

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        self._timer = timer
        self._known: dict[bytes, tuple[float, T]] = {}

    def known(self, key: bytes) -> T | None:
        """Return what is known of `key`, None when it would have to be looked up."""
        found = self._known.get(key)
        return found[1] if found is not None and self._timer() < found[0] else None

    def get(self, key: bytes, look_up: Callable[[], T]) -> T:
        """Return what is known of `key`, else what `look_up` says; what that raises is not remembered."""
        found = self.known(key)
        if found is not None:
            return found
        now, value = self._timer(), look_up()
        if len(self._known) >= MOST:
            self._known = {}
        self._known[key] = (now + HOLDS_SECONDS, value)
        return value
