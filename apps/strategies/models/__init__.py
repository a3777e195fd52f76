"""Rows of the strategy floor: strategies, their instruments, ticks, sizes and events."""

from apps.strategies.models.strategies import (
    SignalSize,
    StrategyEvent,
    StrategyInstrument,
    StrategyRow,
    Trigger,
)
from apps.strategies.models.ticks import Tick, TickStatus

__all__ = [
    "SignalSize",
    "StrategyEvent",
    "StrategyInstrument",
    "StrategyRow",
    "Tick",
    "TickStatus",
    "Trigger",
]
