"""Rows of the strategy floor: strategies, their instruments, ticks, sizes, events, backtests and honesty checks."""

from apps.strategies.models.backtests import OUTSTANDING, BacktestArchive, BacktestRun, BacktestStatus
from apps.strategies.models.honesty import HonestyCheck, HonestyLimit, HonestyRequirement
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
    "OUTSTANDING",
    "BacktestArchive",
    "BacktestRun",
    "BacktestStatus",
    "HonestyCheck",
    "HonestyLimit",
    "HonestyRequirement",
    "Routing",
    "SignalSize",
    "SourceStatus",
    "StrategyEvent",
    "StrategyInstrument",
    "StrategyRow",
    "StrategySource",
    "Tick",
    "TickStatus",
    "Trigger",
]
