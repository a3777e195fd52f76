"""From signs to a state: OK, DEGRADED or DOWN, changed neither by a moment's trouble nor by a moment's calm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from apps.exchanges.health.freshness import NEVER
from apps.exchanges.health.requests import Requests


class VenueState(StrEnum):
    """How well a venue answers. DOWN takes no new risk; DEGRADED takes it when no healthy one is to be had."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


_WORSE = (VenueState.OK, VenueState.DEGRADED, VenueState.DOWN)
# Real seconds without any data after which a stream counts as slow, and as down, however connected it is.
SLOW_SECONDS, SILENT_SECONDS = 3.0, 10.0
# Kinds that every market keeps bringing; one of them that has stopped while others flow is a frozen subscription.
STEADY = frozenset({"book", "marks"})
FROZEN_SECONDS = 30.0
# Fewer requests than this say nothing about a venue.
FEWEST_REQUESTS = 3
POOR_ERROR_RATE, BROKEN_ERROR_RATE = 0.1, 0.5
# Nineteen of twenty requests should be answered within this, seconds.
SLOW_ANSWER_SECONDS = 2.5
# How long signs must be worse, or better, before the state follows, real seconds.
WORSENS_AFTER: Mapping[VenueState, float] = {VenueState.DEGRADED: 3.0, VenueState.DOWN: 2.0}
RECOVERS_AFTER = 5.0


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a venue at one moment; ages are real seconds."""

    connected: bool
    data_age: float
    ages: Mapping[str, float] = field(default_factory=dict)
    requests: Requests = field(default_factory=Requests)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state, for people why, and since when by the monotonic clock of who watches."""

    state: VenueState
    reasons: tuple[str, ...]
    since: float


def judged(signs: Signs) -> tuple[VenueState, tuple[str, ...]]:
    """Return the state that the signs of this moment call for, with the reasons for it."""
    down = _down(signs)
    if down:
        return VenueState.DOWN, down
    poor = _poor(signs)
    return (VenueState.DEGRADED, poor) if poor else (VenueState.OK, ())


def _down(signs: Signs) -> tuple[str, ...]:
    requests = signs.requests
    broken = requests.count >= FEWEST_REQUESTS and requests.error_rate >= BROKEN_ERROR_RATE
    said = (
        (not signs.connected, "the market stream is not connected"),
        (signs.connected and signs.data_age > SILENT_SECONDS, f"connected, but {_silence(signs.data_age)}"),
        (broken, f"{requests.errors} of {requests.count} requests without an answer"),
    )
    return tuple(words for holds, words in said if holds)


def _poor(signs: Signs) -> tuple[str, ...]:
    requests = signs.requests
    enough = requests.count >= FEWEST_REQUESTS
    slowest = requests.slower_than(0.95)
    frozen = [
        f"no {kind} for {age:.0f} s" for kind, age in signs.ages.items() if kind in STEADY and age > FROZEN_SECONDS
    ]
    said = (
        (signs.data_age > SLOW_SECONDS, _silence(signs.data_age)),
        (enough and requests.error_rate >= POOR_ERROR_RATE, f"{requests.errors} of {requests.count} requests failed"),
        (enough and slowest > SLOW_ANSWER_SECONDS, f"one request in twenty takes {SLOW_ANSWER_SECONDS:g} s or more"),
    )
    return (*(words for holds, words in said if holds), *frozen)


def _silence(age: float) -> str:
    return "no data yet" if age >= NEVER else f"no data for {age:.1f} s"


class Watch:
    """Follows one venue's signs. What it sees first it believes; from then on a change has to last."""

    def __init__(self) -> None:
        self._verdict: Verdict | None = None
        self._turning: tuple[VenueState, float] | None = None

    def look(self, signs: Signs, at: float) -> Verdict:
        """Return the state after looking at `signs` at a monotonic moment."""
        state, reasons = judged(signs)
        if self._verdict is None:
            self._verdict = Verdict(state, reasons, at)
        elif state is self._verdict.state:
            self._turning = None
            self._verdict = Verdict(state, reasons, self._verdict.since)
        elif self._has_lasted(state, at):
            self._verdict, self._turning = Verdict(state, reasons, at), None
        return self._verdict

    def _has_lasted(self, state: VenueState, at: float) -> bool:
        """Return whether signs have called for another state, on the same side of the present one, long enough."""
        now = self._verdict.state if self._verdict is not None else state
        worse = _WORSE.index(state) > _WORSE.index(now)
        turning = self._turning
        if turning is None or (_WORSE.index(turning[0]) > _WORSE.index(now)) is not worse:
            turning = (state, at)
        self._turning = (state, turning[1])
        return at - turning[1] >= (WORSENS_AFTER[state] if worse else RECOVERS_AFTER)
