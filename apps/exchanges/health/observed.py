"""An execution client whose calls are timed and counted. It changes nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from apps.exchanges.health.requests import RequestMeter
from apps.exchanges.ports import ExecutionClient, ParseError
from moondev.domain.clock import monotonic
from moondev.domain.errors import Connectivity, VenueRejected

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
        return self._timed(attribute) if name in OBSERVED else attribute

    def _timed(self, call: Callable[..., object]) -> Callable[..., object]:
        def timed(*args: object, **kwargs: object) -> object:
            began = monotonic()
            try:
                answer = call(*args, **kwargs)
            except VenueRejected:
                # A refusal is an answer.
                self._meter.answered(monotonic() - began)
                raise
            except (Connectivity, ParseError):
                self._meter.failed(monotonic() - began)
                raise
            # Errors that are left say nothing of the venue: refused before sending, or not looked at.
            self._meter.answered(monotonic() - began)
            return answer

        return timed


def observed(client: ExecutionClient, meter: RequestMeter) -> ExecutionClient:
    """Return `client` with every call to the venue timed and counted by `meter`."""
    return cast(ExecutionClient, _Observed(client, meter))
