"""Puts a strategy through what can be asked of any: it answers, it does not see ahead, it is quick."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from apps.strategies.authoring.testing import Step, assert_no_look_ahead, bars_of, instrument, walk
from apps.strategies.base import Parameters, Strategy
from apps.strategies.orchestrator.answers import SOFT_LIMIT_MS
from moondev.domain.market_data import BarSeries

SYMBOLS = ("BTC", "ETH")
# So many decisions are looked at, after as many bars as the strategy wants to see; of the latter at most so many.
DECISIONS, MOST_BARS = 400, 100_000
SHORTEST = timedelta(minutes=1)
SEED = 20_260_101


def examined(idea: type[Strategy[Any]]) -> list[dict[str, Any]]:
    """Return one finding per preset: whether it passed, what was seen, how long a decision took."""
    return [{"preset": name, **_examined(idea, parameters)} for name, parameters in idea.presets.items()]


def _examined(idea: type[Strategy[Any]], parameters: Parameters) -> dict[str, Any]:
    try:
        needs = idea().needs(parameters, tuple(map(instrument, SYMBOLS)))
        markets, first = made_up(dict(needs.bars))
        steps = walk(idea, parameters, markets, first=first)
        assert_no_look_ahead(idea, parameters, markets, first=first)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a strategy may raise anything: that is the finding
        return {"passed": False, "problem": f"{type(error).__name__}: {error}"[:1_000]}
    return {"passed": True, "problem": "", **_figures(steps)}


def made_up(needed: Mapping[timedelta, int]) -> tuple[dict[str, BarSeries], int]:
    """Return bars of markets that trend, turn and range, the same every time, and the row at which to begin.

    There are as many as `needed` asks of each interval, up to MOST_BARS, and DECISIONS more.
    """
    base = _common(list(needed)) or SHORTEST
    before = min(
        max((math.ceil(interval / base) * (count + 1) for interval, count in needed.items()), default=1), MOST_BARS
    )
    rows = before + DECISIONS
    noise = np.random.default_rng(SEED).standard_normal((len(SYMBOLS) + 1, rows))
    phase = np.linspace(0.0, 2 * np.pi * max(rows / 120, 3.0), rows)
    drift = 0.002 * np.sin(phase)
    markets = {}
    for number, symbol in enumerate(SYMBOLS, start=1):
        steps = drift + 0.003 * (0.8 * noise[0] + 0.6 * noise[number])
        markets[symbol] = bars_of(np.exp(np.cumsum(steps - steps.mean())) * 1_000.0 / number, base)
    return markets, before


def _common(intervals: list[timedelta]) -> timedelta | None:
    """Return the longest bars of which all others can be made."""
    seconds = [round(interval.total_seconds()) for interval in intervals]
    return timedelta(seconds=math.gcd(*seconds)) if seconds else None


def _figures(steps: list[Step]) -> dict[str, Any]:
    took = np.array([step.took_ms for step in steps])
    wishes = sum(bool(step.decision.desired) for step in steps)
    return {
        "decisions": len(steps),
        "with_a_wish": wishes,
        "changes": sum(a.decision.desired != b.decision.desired for a, b in pairwise(steps)),
        "median_ms": round(float(np.median(took)), 3),
        "slowest_ms": round(float(took.max()), 3),
        "too_slow": bool(np.median(took) > SOFT_LIMIT_MS),
        "notes": sorted({note for step in steps for note in step.decision.notes})[:5],
    }
