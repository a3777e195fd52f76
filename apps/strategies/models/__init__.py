"""Rows of the strategy floor: strategies, their ticks and events, backtests, honesty checks and searches."""

from apps.strategies.models.backtests import OUTSTANDING, BacktestArchive, BacktestRun, BacktestStatus
from apps.strategies.models.honesty import HonestyCheck, HonestyLimit, HonestyRequirement
from apps.strategies.models.optimisation import (
    OPEN_RUNS,
    OPEN_TRIALS,
    OptimisationRun,
    OptimisationStatus,
    Trial,
    TrialStatus,
)
from apps.strategies.models.sources import SourceStatus, StrategySource
from apps.strategies.models.strategies import (
    Routing,
    SignalSize,
    StrategyEvent,
    StrategyInstrument,
    StrategyRow,
    Trigger,
)
from apps.strategies.models.ticks import Tick, TickStatus

__all__ = [
    "OPEN_RUNS",
    "OPEN_TRIALS",
    "OUTSTANDING",
    "BacktestArchive",
    "BacktestRun",
    "BacktestStatus",
    "HonestyCheck",
    "HonestyLimit",
    "HonestyRequirement",
    "OptimisationRun",
    "OptimisationStatus",
    "Routing",
    "SignalSize",
    "SourceStatus",
    "StrategyEvent",
    "StrategyInstrument",
    "StrategyRow",
    "StrategySource",
    "Tick",
    "TickStatus",
    "Trial",
    "TrialStatus",
    "Trigger",
]
