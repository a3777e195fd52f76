"""With what halts are carried out: keys, a clock, a name, and a way to wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from apps.exchanges.execution.books import Books, VenueBooks
from apps.exchanges.execution.sessions import Session, Sessions
from apps.exchanges.execution.timing import lasting
from moondev.domain.clock import Clock, monotonic


@dataclass(frozen=True, slots=True)
class Hands:
    """With what a halt is carried out. `sleep` takes and `timer` counts real seconds; the timer never jumps."""

    sessions: Sessions
    purpose: str
    clock: Clock
    worker: str
    sleep: Callable[[float], None] = time.sleep
    timer: Callable[[], float] = monotonic
    books: Books = field(default_factory=VenueBooks)

    def session(self, account_id: int) -> Session:
        """Return the session of an account. Raises Configuration when there is no key."""
        return self.sessions.session(account_id, self.purpose)

    def lasting(self, real_seconds: float) -> timedelta:
        """Return how much of the run's time passes in `real_seconds`."""
        return lasting(self.clock, real_seconds)
