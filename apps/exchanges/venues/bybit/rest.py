"""Bybit over HTTP: budgets spent before, answers judged after, every failure sorted into one of the four outcomes.

https://bybit-exchange.github.io/docs/v5/error
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from threading import local
from types import MappingProxyType

from apps.exchanges.throttling import Lane, Throttle
from apps.exchanges.venues.bybit.answers import OUTCOME_UNKNOWN
from apps.exchanges.venues.bybit.config import (
    ADDRESS_BUDGET,
    BAN_SECONDS,
    BUDGETS,
    RETRY_AFTER_SECONDS,
    VERSION,
)
from apps.exchanges.venues.bybit.parse import answer
from apps.exchanges.venues.ccxt_generic.credentials import ApiKey
from apps.exchanges.venues.ccxt_generic.session import CcxtSession, Parameters
from apps.exchanges.venues.venue_clock import VenueClock
from moondev.domain.clock import Clock, from_milliseconds, milliseconds
from moondev.domain.errors import Connectivity, NotSent, RateLimited, VenueRejected

# How old a request may be when it arrives.
WINDOW_MS = 5_000
LONGEST_WINDOW_MS = 60_000

_CAPACITY = MappingProxyType({budget.name: budget.capacity for budget in BUDGETS})
_TOO_MANY, _TOO_MANY_OF_ADDRESS, _OUT_OF_TIME = 10006, 10018, 10002
# The venue's own word is 403; machines that stand before a venue say the others.
_SHUT_OUT, _TOO_MANY_REQUESTS = frozenset({403, 418}), 429


class Rest:
    """Asks and orders. One per account and process; thread-safe."""

    def __init__(self, rest_url: str, clock: Clock, throttle: Throttle, key: ApiKey | None = None) -> None:
        """Prepare without touching the network; without a `key` only what is public can be asked."""
        self._throttle = throttle
        # By which requests are stamped.
        self.clock = VenueClock(clock)
        self._own_clock, self._asked = clock, local()
        self._session = CcxtSession(
            "bybit",
            addresses=dict.fromkeys(("public", "private"), rest_url),
            judge=self._judge,
            clock=self.clock,
            key=key,
        )

    def public(self, path: str, query: Parameters, lane: Lane = Lane.ORDINARY) -> str:
        """Return the answer to a public question. Raises Connectivity, RateLimited, VenueRejected."""
        self._spend(path, 0, lane)
        return self._session.ask(f"publicGet{_words(path)}", query)

    def ask(self, path: str, query: Parameters, lane: Lane = Lane.ORDINARY) -> str:
        """Return the answer to a signed question. Raises Connectivity, RateLimited, VenueRejected."""
        self._spend(path, 1, lane)
        return self._session.ask(f"privateGet{_words(path)}", query, lambda: self._window(WINDOW_MS))

    def order(
        self, path: str, body: Parameters, lane: Lane, *, orders: int = 1, expires_at: datetime | None = None
    ) -> str:
        """Return the answer to a signed request about so many orders, which the venue drops after `expires_at`.

        Raises NotSent, Connectivity, RateLimited, VenueRejected.
        """

        def window() -> Mapping[str, object]:
            # What this venue calls too old is counted from the stamp of the signature, so it is settled with it.
            left = WINDOW_MS
            if expires_at is not None:
                left = min(milliseconds(expires_at) - milliseconds(self._own_clock.now()), LONGEST_WINDOW_MS)
            if left <= 0:
                raise NotSent(f"{path}: not sent, its time had passed")
            return self._window(left)

        self._spend(path, orders, lane)
        return self._session.ask(f"privatePost{_words(path)}", body, window)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _window(self, window_ms: int) -> Mapping[str, object]:
        self._asked.at = self.clock.now()
        return {"recvWindow": window_ms}

    def _spend(self, path: str, units: int, lane: Lane) -> None:
        own = {path: units} if path in _CAPACITY and units else {}
        self._throttle.spend({ADDRESS_BUDGET: 1, **own}, lane)
        self._asked.budget = path if own else None

    def _judge(self, status: int, headers: Mapping[str, str], body: str) -> None:
        self._hear(headers)
        if status in _SHUT_OUT:
            self._throttle.rest(BAN_SECONDS, f"HTTP {status}: {body[:100]}")
            raise RateLimited(f"HTTP {status}: the venue has shut this address out", BAN_SECONDS)
        if status == _TOO_MANY_REQUESTS:
            self._throttle.rest(RETRY_AFTER_SECONDS, "HTTP 429")
            raise RateLimited("HTTP 429: too many requests", RETRY_AFTER_SECONDS)
        if status != 200:
            raise Connectivity(f"HTTP {status}: {body[:200]}")
        said = answer("answer", body)
        if said.retCode == 0:
            return
        if said.retCode in {_TOO_MANY, _TOO_MANY_OF_ADDRESS}:
            wait = self._seconds_until_reset(headers)
            if said.retCode == _TOO_MANY_OF_ADDRESS:
                self._throttle.rest(wait, f"{said.retCode}: {said.retMsg}")
            raise RateLimited(f"{said.retCode}: {said.retMsg}", wait)
        if said.retCode == _OUT_OF_TIME:
            self._set_clock(said.time)
        if said.retCode in OUTCOME_UNKNOWN:
            raise Connectivity(f"{said.retCode}: {said.retMsg}")
        raise VenueRejected(str(said.retCode), said.retMsg, status)

    def _set_clock(self, shown_ms: int) -> None:
        """Learn the time from the refusal, so that the next request is stamped right; this one is not sent again."""
        asked, answered = getattr(self._asked, "at", None), self.clock.now()
        if asked is None or shown_ms <= 0:
            return
        shown = from_milliseconds(shown_ms)
        # What the venue's clock shows in between says that the request was slow, not that a clock is off.
        if not asked <= shown <= answered:
            self.clock.learn(shown, asked, answered)

    def _hear(self, headers: Mapping[str, str]) -> None:
        """Pass on what the venue says is left of this endpoint's second, as units of our budget of it."""
        name = getattr(self._asked, "budget", None)
        limit, left = (headers.get(f"X-Bapi-Limit{word}", "") for word in ("", "-Status"))
        if name is None or not limit.isdecimal() or not left.isdecimal() or int(limit) < 1:
            return
        # An account with a higher limit than ours counts more in the same second: only the share is the same.
        used = max(0, int(limit) - int(left)) / int(limit)
        self._throttle.heard({name: math.floor(used * _CAPACITY[name])})

    def _seconds_until_reset(self, headers: Mapping[str, str]) -> float:
        reset = headers.get("X-Bapi-Limit-Reset-Timestamp", "")
        if not reset.isdecimal():
            return RETRY_AFTER_SECONDS
        left = (int(reset) - milliseconds(self.clock.now())) / 1000
        return min(max(left, 0.05), RETRY_AFTER_SECONDS)


def _words(path: str) -> str:
    """Return how ccxt names an endpoint: V5OrderCreateBatch is v5/order/create-batch."""
    return "".join(map(str.capitalize, f"{VERSION}/{path}".replace("-", "/").split("/")))
