"""Try a rule on what was read: the very machine that raises alerts, played over recorded steps. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.monitor.alerts.fingerprints import compare
from apps.monitor.alerts.machine import Standing, Timing, deadline, turn
from apps.monitor.models.alerts import AlertState, Comparison

# How often the watch looks, unless it was told otherwise.
LOOKS = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Step:
    """What a series was from `at` on. `value` None: not known, or (`gone`) there no more, which is well."""

    at: datetime
    value: float | None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule as it might be."""

    comparison: Comparison
    threshold: float
    timing: Timing


@dataclass(frozen=True, slots=True)
class Fired:
    """One alert that a trial would have raised; `ended` None: it would fire still. `again` it came back in time."""

    at: datetime
    ended: datetime | None
    again: bool

    def lasted(self, until: datetime) -> timedelta:
        """Return for how long it fired, up to `until` if it has no end."""
        return (self.ended or until) - self.at


def replay(steps: Sequence[Step], trial: Trial, until: datetime, every: timedelta = LOOKS) -> list[Fired]:
    """Return the alerts that a trial would have raised over one series, by a watch that looks `every` so often."""
    fired: list[Fired] = []
    standing: Standing | None = None
    ends = [*(step.at for step in steps[1:]), until + every]
    for step, end in zip(steps, ends, strict=True):
        holds, now = _holds(step, trial), step.at
        while now < end:
            before, standing = standing, turn(standing, now, trial.timing, holds=holds)
            _note(fired, before, standing, now)
            # Nothing else is read until `end`: what changes before is a wait, or a settling, that is over.
            due = None if standing is None else deadline(standing, trial.timing)
            if due is None or due <= now:
                break
            now = step.at + math.ceil((due - step.at) / every) * every
    return fired


def _holds(step: Step, trial: Trial) -> bool | None:
    if step.value is None:
        return False if step.gone else None
    return compare(trial.comparison, step.value, trial.threshold)


def _note(fired: list[Fired], before: Standing | None, after: Standing | None, now: datetime) -> None:
    was = None if before is None else before.state
    is_ = None if after is None else after.state
    if is_ is AlertState.FIRING and was is not AlertState.FIRING and after is not None:
        fired.append(Fired(now, None, after.count > 0))
    elif is_ is AlertState.RESOLVED and was is AlertState.FIRING:
        fired[-1] = Fired(fired[-1].at, now, fired[-1].again)
