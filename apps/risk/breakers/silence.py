"""For how long venues have not answered this process: a hiccup of a network is no venue that is down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta

from apps.exchanges.models import Account
from moondev.domain.clock import monotonic


class Silence:
    """Since when each venue has answered for none of its enabled accounts, in seconds of `timer`."""

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        self._timer = timer
        self._since: dict[str, float] = {}
        self.asked = False

    def look(self, accounts: Iterable[Account], heard: Collection[int]) -> None:
        """Note who answered; `heard` are the ids of the accounts that did. One that is asked no more is forgotten."""
        answered: dict[str, bool] = {}
        for account in accounts:
            answered[account.venue_id] = answered.get(account.venue_id, False) or account.pk in heard
        now, self.asked = self._timer(), bool(answered)
        self._since = {venue: self._since.get(venue, now) for venue, answers in answered.items() if not answers}

    def venues_down(self, window: timedelta) -> int:
        """Return how many venues have been silent for at least `window`."""
        now = self._timer()
        return sum(now - since >= window.total_seconds() for since in self._since.values())
