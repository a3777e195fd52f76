"""An outcome in words and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from apps.risk.scenario.outcome import Outcome


def told(outcome: Outcome) -> Iterator[str]:
    """Tell what tripped when, what was refused, what it cost beside doing nothing, and what is left and why."""
    yield f"a day like 2025-10-10 at {', '.join(outcome.venues)}, seed {outcome.seed}; weakest: {outcome.weakest}"
    yield ""
    yield "what happened"
    for event in outcome.happened:
        yield f"  {_clock(event.second)}  {event.kind:<8} {event.text}"
    if outcome.forced:
        yield f"  {outcome.weakest} cut winners: {', '.join(outcome.forced)}"
    yield ""
    refused = ", ".join(f"{code} {count}" for code, count in outcome.refused.items()) or "nothing"
    yield f"refused by the review: {refused}; let pass: {len(outcome.openings)} opening orders"
    yield ""
    yield f"{'':<22}{'began':>14}{'lowest':>14}{'at the end':>14}"
    low, idle_low, last = outcome.lowest, outcome.idle_lowest, outcome.worth[-1]
    yield f"  {'with the platform':<20}{outcome.began:>14,.2f}{low.ours:>14,.2f}{last.ours:>14,.2f}"
    yield f"  {'doing nothing':<20}{outcome.worth[0].idle:>14,.2f}{idle_low.idle:>14,.2f}{last.idle:>14,.2f}"
    at_low, by_end = low.ours - idle_low.idle, last.ours - last.idle
    yield f"  being stopped {_saved(at_low)} at the low and {_saved(by_end)} by the end"
    yield ""
    yield from _left(outcome)
    for opening in outcome.blind:
        yield f"FAULT: {opening.instrument} was opened at {opening.at:%H:%M:%S} on a price of age {opening.price_age}"
    for growth in outcome.growths:
        yield (
            f"FAULT {_clock(growth.second)}: {growth.coin} at {growth.venue} grew from {growth.before:f}"
            f" to {growth.after:f} although it was stopped"
        )


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as plain data; amounts and times become text where JSON has no word for them."""
    return asdict(outcome)


def _left(outcome: Outcome) -> Iterator[str]:
    if not outcome.left:
        yield "everything is flat"
        return
    yield "still open"
    for left in outcome.left:
        size = f"{left.size.normalize():f} {left.coin}"
        yield f"  {left.venue:<14}{size:<22}{left.value:>14,.2f}  {left.why}"


def _saved(amount: Decimal) -> str:
    return f"{'saved' if amount >= 0 else 'cost'} {abs(amount):,.2f}"


def _clock(second: int) -> str:
    return f"{second // 60:02d}:{second % 60:02d}"
