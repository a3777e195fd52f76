"""Is it a plateau or a needle? The result with each parameter a little higher and lower."""

from __future__ import annotations

import numpy as np

from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.honesty.neighbours import Neighbour, neighbours

# All that one small whole number has.
FEWEST_NEIGHBOURS = 2


def stability(case: Case) -> Check:
    """Return how the neighbours of the parameters did, 10 and 20 per cent away; one backtest for each.

    More neighbours than the budget are drawn from; those that want bars of another length than was recorded are none.
    """
    code = CheckCode.STABILITY
    shown = (one for one in neighbours(case.loaded.parameters) if case.can_be_shown(one.parameters))
    beside = chosen(tuple(shown), case)
    if len(beside) < FEWEST_NEIGHBOURS:
        return case.unanswered(code, f"{len(beside)} neighbours within bounds, {FEWEST_NEIGHBOURS} are needed")
    if not case.result.trades:
        return case.unanswered(code, "no trades: nothing that parameters could change")
    own = case.result.final / case.result.initial - 1
    runs = [(one, case.run(one.parameters)) for one in beside]
    # A number that is not in use here moves nothing, and a copy of the result is no second one.
    told = [(one, run.final / run.initial - 1) for one, run in runs if run.final != case.result.final]
    if len(told) < FEWEST_NEIGHBOURS:
        why = f"only {len(told)} of {len(runs)} neighbours changed anything, {FEWEST_NEIGHBOURS} are needed"
        return case.unanswered(code, why, len(runs))
    nets = np.array([net for _, net in told])
    best, median, worst = float(np.max(nets)), float(np.median(nets)), float(np.min(nets))
    figures = {
        "neighbours": float(len(nets)),
        "share_profitable": float(np.mean(nets > 0)),
        "net": own,
        "best": best,
        "median": median,
        "worst": worst,
        # The parameters themselves may be the peak. A ratio to a median that lost says nothing.
        "best_over_median": max(own, best) / median if median > 0 else None,
    }
    at = int(np.argmin(nets))
    words = (
        f"{figures['share_profitable']:.0%} of {len(nets)} neighbours are profitable; net {own:.2%}, theirs "
        f"{worst:.2%} ({told[at][0]}) to {best:.2%}, median {median:.2%}"
    )
    lost = [f"{one}: {net:.2%}" for one, net in told if net <= 0]
    return case.answer(code, figures, words, lost, len(runs))


def chosen(found: tuple[Neighbour, ...], case: Case) -> tuple[Neighbour, ...]:
    """Return all neighbours, or as many as the budget allows, drawn."""
    if len(found) <= case.budget:
        return found
    rows = np.sort(case.generator().choice(len(found), size=case.budget, replace=False))
    return tuple(found[int(row)] for row in rows)
