"""Does it know the future? The past is cut off, and moved to other years: what was done before must stay the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.cuts import moved, timeline
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.honesty.columns import changing_columns
from apps.strategies.backtest.honesty.difference import first_difference
from apps.strategies.backtest.honesty.prefixes import (
    at_the_close,
    betrayals,
    cuts_at_trades,
    prefixes,
    random_cuts,
)
from apps.strategies.backtest.honesty.sampling import sampled
from apps.strategies.backtest.honesty.shown import CALENDAR, knowing_dates, reaching_out
from apps.strategies.backtest.honesty.warm_up import window
from apps.strategies.backtest.results import BacktestResult
from moondev.domain.clock import from_milliseconds

MOST_CUTS = 12


def look_ahead(case: Case) -> Check:
    """Return how many runs on a part of the past, or on the same past at other dates, were not the same run.

    The parts run before the whole, shortest first: what a strategy might remember from another run is then no future
    to it. Half the cuts are at random bars, half where trades began or ended. Budget: cuts + 2 backtests.
    """
    code = CheckCode.LOOK_AHEAD
    cuts = min(case.budget - 2, MOST_CUTS)
    if cuts < 2:
        return case.unanswered(code, f"a budget of {case.budget} backtests, 4 are needed")
    setting = at_the_close(case.setting)
    blind = list(prefixes(case, setting, random_cuts(case, cuts // 2)))
    whole = case.engine(case.loaded, setting)
    knowing = list(prefixes(case, setting, cuts_at_trades(case, whole, cuts - len(blind))))
    moments = sampled(case, whole, _warm(case))
    found = [
        *betrayals((*blind, *knowing), whole),
        *_by_date(case, whole),
        *reaching_out(case.loaded, case.setting, moments),
        *knowing_dates(case.loaded, case.setting, moments),
        *changing_columns(case.loaded, case.setting, [part.end for part in blind]),
    ]
    figures = {
        "differences": float(len(found)),
        "cuts": float(len(blind) + len(knowing)),
        "cuts_at_trades": float(len(knowing)),
        "trades": float(len(whole.trades)),
        "decisions": float(len(moments)),
    }
    backtests = len(blind) + len(knowing) + 2
    if not found and not whole.trades:
        return case.unanswered(code, "no trades: nothing that the future could have changed", backtests, figures)
    words = f"{len(found)} differences" if found else "no difference"
    words += f" in {backtests} runs and {len(moments)} decisions on parts of the past, copies of it and other dates"
    return case.answer(code, figures, words, found, backtests)


def _warm(case: Case) -> datetime:
    return from_milliseconds(int(timeline(case.setting)[0])) + window(case.loaded, case.setting)


def _by_date(case: Case, whole: BacktestResult) -> list[str]:
    """Return how the run differs when all its bars bear dates 28 years later: who looks up a date finds nothing."""
    later = case.engine(case.loaded, moved(at_the_close(case.setting), CALENDAR))
    apart = first_difference(_earlier(later), whole)
    return [f"{apart} when the same bars bear dates 28 years later: a date was looked up"] if apart else []


def _earlier(later: BacktestResult) -> BacktestResult:
    curve = replace(later.curve, times=later.curve.times - step_ms(CALENDAR))
    return replace(later, curve=curve)
