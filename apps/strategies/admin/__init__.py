"""The strategy floor as an operator sees it: strategies to set up and steer, backtests to start, the rest to read."""

from apps.strategies.admin import backtests, gates, history, honesty, optimisations, sources, strategies

__all__ = ["backtests", "gates", "history", "honesty", "optimisations", "sources", "strategies"]
