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

    def get(self, key: bytes, look_up: Callable[[], T]) -> T:
        """Return what is known of `key`, else what `look_up` says; what that raises is not remembered."""
        now = self._timer()
        found = self._known.get(key)
        if found is not None and now < found[0]:
            return found[1]
        value = look_up()
        if len(self._known) >= MOST:
            self._known = {}
        self._known[key] = (now + HOLDS_SECONDS, value)
        return value
