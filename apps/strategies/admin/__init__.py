"""The strategy floor as an operator sees it: strategies to set up and steer, backtests to start, the rest to read."""

from apps.strategies.admin import (
    allocations,
    backtests,
    by_hand,
    desks,
    gates,
    history,
    honesty,
    optimisations,
    sources,
    strategies,
)

__all__ = [
    "allocations",
    "backtests",
    "by_hand",
    "desks",
    "gates",
    "history",
    "honesty",
    "optimisations",
    "sources",
    "strategies",
]
