"""Rows of the strategy floor: strategies, their instruments, ticks, sizes and events."""

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
    "Routing",
    "SignalSize",
    "StrategyEvent",
    "StrategyInstrument",
    "StrategyRow",
    "Tick",
    "TickStatus",
    "Trigger",
]
