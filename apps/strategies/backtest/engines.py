"""One door to all engines: the fastest that can tell what the live platform would have done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from apps.strategies.backtest.replay import replay
from apps.strategies.backtest.replaying.course import nothing
from apps.strategies.backtest.results import BacktestResult
from apps.strategies.backtest.setting import Setting
from apps.strategies.backtest.soundness import doubts, require_able
from apps.strategies.backtest.vectorised import Ground
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.errors import InvalidValue


class EngineName(StrEnum):
    """How trades are computed. AUTO takes columns where the strategy tells its signals as such, else the replay."""

    AUTO = "auto"
    VECTORISED = "vectorised"
    REPLAY = "replay"


def backtest(
    loaded: Loaded,
    setting: Setting,
    engine: EngineName = EngineName.AUTO,
    on_progress: Callable[[float], None] | None = None,
) -> BacktestResult:
    """Return what `loaded` would have done in `setting`.

    `on_progress` is told the share done; what it raises ends the backtest. Raises InvalidValue for input that is not
    sound, for a setting that lacks what the strategy looks at and for an engine that cannot run this strategy.
    """
    return backtest_on(Ground(setting), loaded, engine, on_progress)


def backtest_on(
    ground: Ground,
    loaded: Loaded,
    engine: EngineName = EngineName.AUTO,
    on_progress: Callable[[float], None] | None = None,
) -> BacktestResult:
    """Return what `backtest` does; for many parameter sets on one ground, whose longer bars are built once."""
    require_able(loaded, ground.setting)
    result = _run(ground, loaded, engine, on_progress)
    return replace(result, warnings=(*doubts(loaded, ground.setting), *result.warnings))


def _run(
    ground: Ground, loaded: Loaded, engine: EngineName, on_progress: Callable[[float], None] | None
) -> BacktestResult:
    if engine is not EngineName.REPLAY:
        result = ground.run(loaded, on_progress or nothing)
        if result is not None:
            return result
    if engine is EngineName.VECTORISED:
        raise InvalidValue("engine", engine.value, f"{EngineName.REPLAY} for {loaded.strategy.name} here")
    return replay(loaded, ground.setting, on_progress)
