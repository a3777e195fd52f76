"""Does it ask for past enough? An average that never forgets its start decides differently on a longer past."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from apps.strategies.backtest.cuts import opened_between, timeline
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.honesty.difference import first_difference, share_differing
from apps.strategies.backtest.honesty.lengths import decisions_by_length
from apps.strategies.backtest.honesty.sampling import sampled
from apps.strategies.backtest.honesty.warm_up import window
from apps.strategies.backtest.results import BacktestResult
from moondev.domain.clock import from_milliseconds, milliseconds

# The longest past before the first trade, in windows of what the strategy asks for; the first that there is room for.
LONGEST = (4, 3, 2)
# What must be left to trade in, in windows.
FEWEST_LEFT = 0.5


def drift(case: Case) -> Check:
    """Return how much decisions at the same bars differ when the past before them is longer than `needs()` asks for.

    Once through the engine (backtests that begin to trade at the same bar, with one to four windows of past, or as many
    as there are), and once by handing `decide` as many times the bars that it asked for.
    """
    code, asked = CheckCode.DRIFT, window(case.loaded, case.setting)
    if not asked:
        return case.unanswered(code, "it asks for no bars: there is no past to differ by")
    stamps = timeline(case.setting)
    first, end = from_milliseconds(int(stamps[0])), from_milliseconds(int(stamps[-1]))
    most = next((longest for longest in LONGEST if end - first >= (longest + FEWEST_LEFT) * asked), None)
    if most is None:
        return case.unanswered(code, f"{end - first} of past, {(LONGEST[-1] + FEWEST_LEFT) * asked} are needed")
    if case.budget < most:
        return case.unanswered(code, f"a budget of {case.budget} backtests, {most} are needed")
    began, fewer = first + most * asked, range(most - 1, 0, -1)
    longest, *shorter = (_run(case, began - windows * asked, began) for windows in (most, *fewer))
    since = milliseconds(began)
    found = [
        f"{apart}, with {windows} windows of past against {most}"
        for windows, run in zip(fewer, shorter, strict=True)
        if (apart := first_difference(run, longest, since))
    ]
    compared = decisions_by_length(case, sampled(case, longest, began), most)
    figures = {
        "windows": float(most),
        "window_days": asked.total_seconds() / 86_400,
        "exposure_differing": share_differing(shorter[-1], longest, since),
        "decisions": float(compared.rows),
        "decisions_differing": float(compared.differing),
        "worst_price_bps": compared.worst_bps,
    }
    words = (
        f"with {asked} of past instead of {most} times that, {figures['exposure_differing']:.2%} of closes see "
        f"another position; of {compared.rows} decisions {compared.differing} differ, the prices of the others by "
        f"{compared.worst_bps:.3g} bp at most"
    )
    return case.answer(code, figures, words, [*found, *compared.findings], most)


def _run(case: Case, start: datetime, began: datetime) -> BacktestResult:
    part = opened_between(case.setting, start, None)
    return case.engine(case.loaded, replace(part, trades_from=began))
