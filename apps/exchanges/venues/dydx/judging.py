"""What an answer of the indexer or of a node means when it is not one to be read.

The indexer says no by HTTP status. A node says it with status 200 and a code in the answer, which ccxt would turn into
errors of its own: InvalidOrder for almost everything, whether or not something happened. So it is judged first.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from apps.exchanges.throttling import Throttle
from apps.exchanges.venues.dydx.config import READS, READS_PER_WINDOW
from apps.exchanges.venues.dydx.messages import BroadcastAnswer
from moondev.domain.errors import Connectivity, RateLimited, VenueRejected

# The indexer counts in fixed windows of ten seconds.
RETRY_AFTER_SECONDS = 10.0
# The next block has room again.
BLOCK_RETRY_SECONDS = 1.0
BLOCK_RATE_LIMIT = ("clob", 5001)
# Somebody on the way gave up waiting: what was asked for may have been done.
_UNKNOWN_OUTCOMES = frozenset({408, 425, 499})
_REMAINING = "RateLimit-Remaining"
_BROADCAST = msgspec.json.Decoder(BroadcastAnswer)


class TransactionRefused(VenueRejected):
    """The node did not take a transaction: nothing of it will ever be in a block. `code` is module and number."""


class Unknown(VenueRejected):
    """The indexer has never heard of what was asked for (HTTP 404)."""


class Judge:
    """Judges answers; what the venue says of its limits goes to the shared budgets."""

    def __init__(self, throttle: Throttle) -> None:
        """Tell `throttle`."""
        self._throttle = throttle

    def __call__(self, status: int, headers: Mapping[str, str], body: str) -> None:
        """Return when the answer may be read. Raises what it means otherwise."""
        if status == 200:
            self._note(headers)
            _require_taken(body)
            return
        if status == 429:
            seconds = _seconds(headers.get("Retry-After"))
            self._throttle.rest(seconds, "dYdX's indexer answered 429")
            raise RateLimited(f"HTTP 429: {body[:200]}", seconds)
        if status == 404:
            # wire.md 1.4: ccxt makes ExchangeNotAvailable of it, which says "try again". It is an answer.
            raise Unknown("404", body, status)
        if 400 <= status < 500 and status not in _UNKNOWN_OUTCOMES:
            raise VenueRejected(str(status), body, status)
        raise Connectivity(f"HTTP {status}: {body[:200]}")

    def _note(self, headers: Mapping[str, str]) -> None:
        left, limit = headers.get(_REMAINING, ""), headers.get("RateLimit-Limit", "")
        if left.isdecimal() and limit == str(READS_PER_WINDOW):
            self._throttle.heard({READS: READS_PER_WINDOW - int(left)})


def _require_taken(body: str) -> None:
    """Raise when `body` is a node's word on a transaction and the word is no."""
    if '"codespace"' not in body:
        return
    try:
        checked = _BROADCAST.decode(body).result
    except msgspec.MsgspecError:
        # Whoever asked will read it, and say what is wrong with it.
        return
    if checked.code == 0:
        return
    if (checked.codespace, checked.code) == BLOCK_RATE_LIMIT:
        raise RateLimited(f"{checked.codespace} {checked.code}: {checked.log}", BLOCK_RETRY_SECONDS)
    raise TransactionRefused(f"{checked.codespace}:{checked.code}", checked.log)


def _seconds(text: str | None) -> float:
    """Return a Retry-After; the length of the window when there is none that can be read."""
    return float(text) if text is not None and text.isdecimal() and int(text) > 0 else RETRY_AFTER_SECONDS
