"""What the indexer tells of a position beside its size: since when, how far it went, what closing it brought."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.mock.engine.api import Fill

_ZERO = Decimal(0)


@dataclass(slots=True)
class PositionStory:
    """One position since it was opened. Sizes are signed, `opened` and `closed` are sums without a sign."""

    opened_ms: int
    height: int
    largest: Decimal = _ZERO
    opened: Decimal = _ZERO
    closed: Decimal = _ZERO
    closed_value: Decimal = _ZERO
    closed_pnl: Decimal = _ZERO

    @property
    def exit_price(self) -> Decimal | None:
        """Return the average price of what was closed; None before anything was."""
        return self.closed_value / self.closed if self.closed else None


class PositionStories:
    """The open positions of all accounts."""

    def __init__(self) -> None:
        """Start with none."""
        self._open: dict[tuple[str, str], PositionStory] = {}

    def add(self, account: str, fill: Fill, height: int) -> None:
        """Take one fill; one that turns the position round begins a new story."""
        key = (account, fill.coin)
        before, after = fill.start_position, fill.end_position
        story = self._open.get(key)
        if story is None or before == 0:
            story = self._open[key] = PositionStory(fill.time_ms, height)
        closing = min(abs(before), fill.size) if before and (before > 0) is not fill.is_buy else _ZERO
        if closing:
            story.closed += closing
            story.closed_value += closing * fill.price
            story.closed_pnl += fill.closed_pnl
        if closing < fill.size:
            if closing:
                story = self._open[key] = PositionStory(fill.time_ms, height)
            story.opened += fill.size - closing
        if not after:
            del self._open[key]
        elif abs(after) > abs(story.largest):
            story.largest = after

    def of(self, account: str, coin: str) -> PositionStory | None:
        """Return the story of an open position."""
        return self._open.get((account, coin))
