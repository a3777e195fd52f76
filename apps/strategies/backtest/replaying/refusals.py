"""What was not done and why, counted by code: a run of years must not leave a list of years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Refusals:
    """How often each code was given, and the first case in words."""

    most_codes: int = 200
    _counts: dict[str, int] = field(default_factory=dict)
    _first: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, when: datetime, words: str) -> None:
        """Count one refusal; what comes under yet another code once there are `most_codes` is not kept."""
        if code not in self._first:
            if len(self._first) >= self.most_codes:
                return
            self._first[code] = f"{when:%Y-%m-%d %H:%M}: {words}"
        self._counts[code] = self._counts.get(code, 0) + 1

    def counts(self, *codes: str) -> int:
        """Return how often any of `codes` was given."""
        return sum(self._counts.get(code, 0) for code in codes)

    def most_frequent(self, count: int) -> Sequence[str]:
        """Return the first cases of the `count` most frequent codes."""
        frequent = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:count]
        return [self._first[code] for code, _ in frequent]

    @property
    def told(self) -> Sequence[str]:
        """Return a line for each code, the most frequent first."""
        frequent = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return [f"{code}: {count} times, first {self._first[code]}" for code, count in frequent]
