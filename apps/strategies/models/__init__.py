"""Rows of the strategy floor: strategies, ticks, events, backtests, honesty checks, searches and promotion."""

from apps.strategies.models.backtests import OUTSTANDING, BacktestArchive, BacktestRun, BacktestStatus
from apps.strategies.models.desks import Desk
from apps.strategies.models.honesty import HonestyCheck, HonestyLimit, HonestyRequirement
from apps.strategies.models.optimisation import (
    OPEN_RUNS,
    OPEN_TRIALS,
    OptimisationRun,
    OptimisationStatus,
    Trial,
    TrialStatus,
)
from apps.strategies.models.promotion import Gate, Requirement, StageApproval, StageChange, StageTerms, StrategyDay
from apps.strategies.models.sources import SourceStatus, StrategySource
from apps.strategies.models.strategies import (
    Routing,
    SignalSize,
    Stage,
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
    "Desk",
    "Gate",
    "HonestyCheck",
    "HonestyLimit",
    "HonestyRequirement",
    "OptimisationRun",
    "OptimisationStatus",
    "Requirement",
    "Routing",
    "SignalSize",
    "SourceStatus",
    "Stage",
    "StageApproval",
    "StageChange",
    "StageTerms",
    "StrategyDay",
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
