"""What the engine expects of a market feed."""

from __future__ import annotations

from typing import Protocol

from apps.exchanges.mock.engine.house import House


class Feed(Protocol):
    """Drives books and prints through the house's own orders."""

    def start(self, house: House, now_ms: int) -> None:
        """Serve history and open the market. Called once.

        A record opens where it starts, even when `now_ms` is later: `advance` catches up.
        """
        ...

    def advance(self, now_ms: int) -> int:
        """Let happen what is due by `now_ms`; return the time up to which everything has happened.

        Work per call is bounded: a feed that is far behind returns an earlier time than `now_ms`.
        """
        ...

    def skip_to(self, now_ms: int) -> None:
        """Go on from `now_ms` after a pause, without what was due in between."""
        ...
