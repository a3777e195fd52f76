"""What the engine expects of a market feed."""

from __future__ import annotations

from typing import Protocol

from apps.exchanges.mock.engine.house import House


class Feed(Protocol):
    """Drives books and prints through the house's own orders."""

    def start(self, house: House, now_ms: int) -> None:
        """Serve history and open the market at `now_ms`. Called once."""
        ...

    def advance(self, now_ms: int) -> None:
        """Let everything happen that is due by `now_ms`. Work per call is bounded."""
        ...

    def skip_to(self, now_ms: int) -> None:
        """Go on from `now_ms` after a pause, without what was due in between."""
        ...
