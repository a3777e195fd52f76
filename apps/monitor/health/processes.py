"""From beats to states: which processes work, which only look alive, and which are missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from apps.monitor.health.states import Component, Kind, State, worst
from moondev.heartbeat.beat import Beat

# Four beats in a row were missed.
SILENT = timedelta(seconds=20)
# The longest turn of any loop: a pass of the guard may wait for every venue's time-out, one after the other.
STANDS_STILL = timedelta(seconds=40)
# How long a process may take from its start to its first turn.
BEGINS = timedelta(seconds=60)
# A process that went without a word is missed for so long when another of its name works.
MISSED = timedelta(hours=1)
# What no task of a worker takes, seconds: a little more than its time limit or the longest wait within it.
LONGEST_TASK: Mapping[str, float] = MappingProxyType(
    {"ticks": 45.0, "orders": 60.0, "vetoes": 120.0, "portfolio": 180.0, "general": 900.0, "research": 330.0}
)
LONGEST_OTHER = 900.0


@dataclass(frozen=True, slots=True)
class Word:
    """What one beat says of its process: a state, since when, and why."""

    state: State
    since: datetime
    detail: str = ""


def word_of(beat: Beat, now: datetime, silent: timedelta = SILENT) -> Word:
    """Return how the process of a beat does; `silent` is how old a beat may be."""
    if beat.ended is not None:
        return Word(State.DOWN, beat.ended, "ended")
    if now - beat.beaten > silent:
        return Word(State.DOWN, beat.beaten, f"silent for {_lasting(now - beat.beaten)}")
    if beat.turned is None:
        if now - beat.started > BEGINS:
            return Word(State.DOWN, beat.started, f"alive for {_lasting(now - beat.started)}, and has done nothing yet")
        return Word(State.UNKNOWN, beat.started, "starting")
    if beat.beaten - beat.turned > STANDS_STILL:
        still = _lasting(now - beat.turned)
        return Word(State.DOWN, beat.turned, f"alive, but its loop has stood still for {still}")
    return _at_work(beat)


def process_states(
    names: Sequence[str], beats: Iterable[Beat], now: datetime, silent: timedelta = SILENT
) -> list[Component]:
    """Return the state of each process that ought to be (`names`), then of the others that were heard of."""
    by_name: dict[str, list[Beat]] = defaultdict(list)
    for beat in beats:
        by_name[beat.name].append(beat)
    begun = _beginning((beat for found in by_name.values() for beat in found), now, silent)
    others = [name for name in sorted(set(by_name) - set(names)) if any(_lives(b, now, silent) for b in by_name[name])]
    newest = max((beat for found in by_name.values() for beat in found), key=lambda b: b.started, default=None)
    code = "" if newest is None else newest.code
    return [
        _component(name, by_name[name], now, silent, code) if name in by_name else _unheard(name, begun)
        for name in (*names, *others)
    ]


def _beginning(beats: Iterable[Beat], now: datetime, silent: timedelta) -> datetime | None:
    """Return when the platform began, if only just: of processes that are still to come nothing is heard yet."""
    begun = min((beat.started for beat in beats if _lives(beat, now, silent)), default=None)
    return begun if begun is not None and now - begun <= BEGINS else None


def _unheard(name: str, begun: datetime | None) -> Component:
    detail = "nothing was ever heard of it" if begun is None else "starting, as everything is"
    return Component(name, Kind.PROCESS, State.UNKNOWN, begun, detail)


def _component(name: str, beats: list[Beat], now: datetime, silent: timedelta, code: str) -> Component:
    counted = [beat for beat in beats if not _is_over(beat, beats, now)] or [max(beats, key=lambda b: b.beaten)]
    words = {beat.instance: word_of(beat, now, silent) for beat in counted}
    well = [instance for instance, word in words.items() if word.state is State.OK]
    state = worst(word.state for word in words.values())
    if well and state in {State.DOWN, State.UNKNOWN}:
        state = State.DEGRADED
    shown = {instance: word for instance, word in words.items() if word.state is not State.OK}
    since = min((word.since for word in (shown or words).values()), default=None)
    trouble = [f"{_place(instance)}: {word.detail}" for instance, word in sorted(shown.items())]
    strangers = sorted({_place(b.instance) for b in counted if code and b.code and b.code != code and b.ended is None})
    trouble += [f"{place}: runs other code than the process started last" for place in strangers]
    return Component(name, Kind.PROCESS, state, since, "; ".join(trouble), instances=len(well))


def _is_over(beat: Beat, beats: Iterable[Beat], now: datetime) -> bool:
    """Return whether nobody misses a process: it ended, another took its place, or it went long ago."""
    others = [other for other in beats if other is not beat]
    if beat.ended is not None:
        return bool(others)
    if now - beat.beaten <= SILENT:
        return False
    replaced = any(other.host == beat.host and other.started > beat.beaten for other in others)
    return replaced or (now - beat.beaten > MISSED and bool(others))


def _lives(beat: Beat, now: datetime, silent: timedelta) -> bool:
    return beat.ended is None and now - beat.beaten <= max(silent, MISSED)


def _at_work(beat: Beat) -> Word:
    """Return how a process does whose loop turns: a worker's pool may still be stuck."""
    longest = LONGEST_TASK.get(beat.name.partition("-")[0], LONGEST_OTHER)
    stuck = [seconds for seconds in beat.busy if seconds > longest]
    if not stuck:
        return Word(State.OK, beat.started)
    since = beat.beaten - timedelta(seconds=stuck[0])
    count = f"{len(stuck)} of {beat.slots} slots"
    detail = f"{count} stuck, the longest for {_lasting(timedelta(seconds=stuck[0]))}"
    return Word(State.DOWN if len(stuck) >= beat.slots else State.DEGRADED, since, detail)


def _place(instance: str) -> str:
    return instance.partition("@")[2]


def _lasting(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
