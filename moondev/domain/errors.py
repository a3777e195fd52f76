"""Errors that answer one question: retry, tell or stop?"""

from __future__ import annotations


class TradingError(Exception):
    """Base of every error this platform raises on purpose."""


class InvalidValue(TradingError, ValueError):
    """A value was refused at birth. Tell whoever supplied it; retrying cannot help."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        """Name the `field`, the refused `value` and what is `allowed` instead."""
        super().__init__(f"{field} is {value!r}; allowed: {allowed}")
        self.field, self.value, self.allowed = field, value, allowed


class Connectivity(TradingError):
    """We asked and heard nothing: the outcome is unknown. Reconcile; retry reads only."""


class NotSent(Connectivity):
    """The request provably never left this process (connection refused before the first byte)."""


class RateLimited(TradingError):
    """The venue said "slow down" and did not act. Retry after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        """Keep how long to wait, in seconds."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class VenueRejected(TradingError):
    """The venue said no. Record it, do not retry. Keeps the venue's own evidence."""

    def __init__(self, code: str, body: str, http_status: int | None = None) -> None:
        """Keep the venue's `code`, its answer `body` and the HTTP status (None over a socket)."""
        super().__init__(f"{code}: {body}")
        self.code, self.body, self.http_status = code, body, http_status


class Configuration(TradingError):
    """A setting is missing or contradictory. Tell the operator; nothing may be sent."""


class Invariant(TradingError):
    """We are wrong about our own state. Halt the scope and alarm."""


class IllegalTransition(Invariant):
    """An order was asked to take a step its life does not have."""

    def __init__(self, current: str, wanted: str) -> None:
        """Name both states."""
        super().__init__(f"an order cannot go from {current} to {wanted}")
        self.current, self.wanted = current, wanted
