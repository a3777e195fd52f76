"""How much past a strategy asks to see."""

from __future__ import annotations

from datetime import timedelta

from apps.strategies.backtest.setting import Setting
from apps.strategies.orchestrator.loader import Loaded
from moondev.domain.market_data import Needs


def needs_of(loaded: Loaded, setting: Setting) -> Needs:
    """Return what the strategy wants to see in the markets of the setting."""
    return loaded.strategy.needs(loaded.parameters, tuple(market.instrument for market in setting.markets))


def window(loaded: Loaded, setting: Setting) -> timedelta:
    """Return how far back the longest series it asks for reaches, the bar that is not yet whole included."""
    wanted = needs_of(loaded, setting).bars
    return max((interval * (count + 1) for interval, count in wanted.items()), default=timedelta(0))
