"""An execution client whose calls are timed and counted. It changes nothing else.

How long they take is added up in Redis (`requests.py`), where what follows from it reads it; how they ended is counted
by each process for itself, by call and code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from apps.exchanges.health.requests import RequestMeter
from apps.exchanges.ports import ExecutionClient, ParseError
from moondev.counting.codes import code_label
from moondev.counting.table import VENUE_CALLS, VENUE_REJECTS
from moondev.domain.clock import monotonic
from moondev.domain.errors import Connectivity, NotSent, RateLimited, VenueRejected
from moondev.domain.orders import OrderReport, OrderStatus

# The calls of the port that speak to the venue.
OBSERVED = frozenset(
    {
        "place",
        "amend",
        "cancel",
        "cancel_resting",
        "order_status",
        "open_orders",
        "live_orders",
        "fills",
        "funding",
        "account_snapshot",
        "instruments",
        "set_leverage",
        "schedule_cancel",
    }
)


class _Observed:
    """Passes every attribute on; calls named above are timed on their way."""

    def __init__(self, client: ExecutionClient, meter: RequestMeter) -> None:
        self._client, self._meter = client, meter

    def __repr__(self) -> str:
        return repr(self._client)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the client has
        attribute = getattr(self._client, name)
        return self._timed(name, attribute) if name in OBSERVED else attribute

    def _timed(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        venue = self._meter.venue

        def timed(*args: object, **kwargs: object) -> object:
            began = monotonic()
            try:
                answer = call(*args, **kwargs)
            except VenueRejected as error:
                # A refusal is an answer.
                self._meter.answered(monotonic() - began)
                VENUE_CALLS.add(venue, name, "rejected")
                VENUE_REJECTS.add(venue, code_label(venue, error.code))
                raise
            except (Connectivity, ParseError) as error:
                self._meter.failed(monotonic() - began)
                VENUE_CALLS.add(venue, name, _failure(error))
                raise
            except RateLimited:
                # Not looked at, by the venue or by our own budgets: that says nothing of how it answers.
                VENUE_CALLS.add(venue, name, "rate_limited")
                raise
            # Errors that are left say nothing of the venue: refused before sending.
            self._meter.answered(monotonic() - began)
            VENUE_CALLS.add(venue, name, "answered")
            _count_rejects(venue, answer)
            return answer

        return timed


def _failure(error: Connectivity | ParseError) -> str:
    """Return how a call without a usable answer ended."""
    if isinstance(error, ParseError):
        return "unreadable"
    return "not_sent" if isinstance(error, NotSent) else "no_answer"


def _count_rejects(venue: str, answer: object) -> None:
    """Count the orders of a batch that the venue has refused one by one."""
    for report in answer if isinstance(answer, list | tuple) else ():
        if isinstance(report, OrderReport) and report.status is OrderStatus.REJECTED:
            VENUE_REJECTS.add(venue, code_label(venue, report.reason))


def observed(client: ExecutionClient, meter: RequestMeter) -> ExecutionClient:
    """Return `client` with every call to the venue timed and counted by `meter`."""
    return cast(ExecutionClient, _Observed(client, meter))
