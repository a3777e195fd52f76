"""The same decision on the same bars, with and without the arrays of the whole past behind them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.views import Views, cut_off
from apps.strategies.backtest.honesty.wishes import apart, wishes


def reaching_out(case: Case, moments: Iterable[datetime]) -> list[str]:
    """Return the first of `moments` at which `decide` answers differently once nothing but the view can be reached.

    Also found so is a strategy that remembers between calls: asked the same, it must answer the same.
    """
    views = Views(case.loaded, case.setting)
    for moment in moments:
        view = views.at(moment)
        alone, behind = wishes(views.decide(cut_off(view))), wishes(views.decide(view))
        _, distance, where = apart(behind, alone)
        if distance > 0:
            return [f"at {moment:%Y-%m-%d %H:%M} decide wants {where} once it is shown copies of the same bars"]
    return []
