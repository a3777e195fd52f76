"""The same run on a past that ends earlier: what happened before the end must not have changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from apps.strategies.backtest.cuts import opened_between
from apps.strategies.backtest.fills import FillRule
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.difference import first_difference
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.backtest.setting import Setting
from moondev.domain.clock import from_milliseconds
from moondev.domain.errors import InvalidValue, TradingError

# The first part of a past is warm-up; a cut in it would compare nothing with nothing.
EARLIEST_CUT = 0.4


@dataclass(frozen=True, slots=True)
class Prefix:
    """The run whose bars all opened before `end`, or what it raised."""

    end: datetime
    outcome: BacktestResult | Exception


def at_the_close(setting: Setting) -> Setting:
    """Return the setting with fills at the close of the deciding bar.

    The last decision of a run fills at the next open, and a past that was cut off has none: the very decision that
    knew most of the future would leave no trace.
    """
    return replace(setting, rule=FillRule.BAR_CLOSE)


def random_cuts(case: Case, count: int) -> list[datetime]:
    """Return `count` times at which a past may be cut, earliest first, all well within what may be traded."""
    stamps = case.stamps
    first = max(int(len(stamps) * EARLIEST_CUT), 2)
    if first >= len(stamps) - 1:
        raise InvalidValue("bars", len(stamps), "more: nowhere to cut it")
    rows = case.generator().choice(np.arange(first, len(stamps)), size=min(count, len(stamps) - first), replace=False)
    return [from_milliseconds(int(stamps[row])) for row in np.sort(rows)]


def cuts_at_trades(case: Case, whole: BacktestResult, count: int) -> list[datetime]:
    """Return `count` of the times at which a trade began or ended, drawn: there a decision was made on the last bar."""
    moments = sorted({moment for trade in whole.trades for moment in (trade.entered_ms, trade.exited_ms)})
    stamps = case.stamps
    usable = [moment for moment in moments if stamps[1] < moment <= stamps[-1]]
    if len(usable) > count:
        usable = [usable[int(row)] for row in np.sort(case.generator().choice(len(usable), count, replace=False))]
    return [from_milliseconds(moment) for moment in usable]


def prefixes(case: Case, setting: Setting, ends: Iterable[datetime]) -> Iterator[Prefix]:
    """Yield the run up to each end. Raises InvalidValue when a market has no bars by then."""
    for end in ends:
        part = opened_between(setting, None, end)
        try:
            yield Prefix(end, case.engine(case.loaded, part))
        except TradingError:
            raise
        except Exception as error:  # noqa: BLE001  whatever a strategy raises without the future is a finding
            yield Prefix(end, error)


def betrayals(parts: Iterable[Prefix], whole: BacktestResult) -> list[str]:
    """Return where each part differs from the whole."""
    found = []
    for part in parts:
        if isinstance(part.outcome, Exception):
            apart = f"it raises {type(part.outcome).__name__} ({part.outcome}), and does not"
        else:
            apart = first_difference(part.outcome, whole)
        if apart:
            found.append(f"{apart} when what follows {part.end:%Y-%m-%d %H:%M} is known")
    return found
