"""The application at /flower."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from apps.monitor.api.doors.trail import Trail
from apps.monitor.api.doors.whole import Whole
from apps.monitor.flower.door import Door
from apps.monitor.flower.passing import Passing


class FlowerPage:
    """Flower for whoever may see it. What somebody commands there is in the audit trail as well."""

    def __init__(self) -> None:
        """Connect when first asked."""
        self._passing = Passing()
        self._app: ASGIApp = Whole(Trail(Door(self._passing)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        await self._app(scope, receive, send)

    async def close(self) -> None:
        """Close the connections."""
        await self._passing.close()
