"""Where a loop says that it got through a turn. Cheap enough for every one: nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from moondev.domain.clock import LiveClock


@dataclass(frozen=True, slots=True)
class Load:
    """What a worker is at: how many tasks it takes at once, and the seconds that those it has taken are under way."""

    slots: int = 0
    busy: tuple[float, ...] = ()


class Pulse:
    """The latest turn of one loop, written by it and read by the heart's thread."""

    def __init__(self) -> None:
        """Begin with a loop that has not turned yet."""
        self.turned: datetime | None = None
        self.load = Load()

    def turn(self, load: Load | None = None) -> None:
        """Note that the loop has just done what it is for; call it where it is in the way of a loop that is stuck."""
        if load is not None:
            self.load = load
        self.turned = LiveClock().now()
