"""The live tick path over recorded bars: one process, a clock that is set, no database, broker or cache.

For every closed bar and every fill the strategy decides as it does live, and what it wants is sized, planned and
reviewed by the very functions of the live tick. Only what is read (bars instead of streams) and what is written
(a matcher of bars instead of a venue) is different. See `replaying` for the pieces.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.strategies.backtest.replaying.course import Course, nothing
from apps.strategies.backtest.replaying.report import result_of
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.backtest.setting import Setting
from apps.strategies.orchestrator.loader import Loaded


def replay(loaded: Loaded, setting: Setting, on_progress: Callable[[float], None] | None = None) -> BacktestResult:
    """Return what `loaded` would have done in `setting`.

    `on_progress` is told the share done, about a hundred times; what it raises ends the replay. Raises InvalidValue
    when the setting lacks what the strategy looks at, and for a strategy that fails again and again. Django must be
    set up; no database is asked.
    """
    course = Course(loaded, setting)
    course.run(on_progress or nothing)
    return result_of(course, loaded, setting)
