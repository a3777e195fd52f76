"""The strategy floor as an operator sees it: strategies to set up and steer, the rest to read."""

from apps.strategies.admin import history, honesty, sources, strategies

__all__ = ["history", "honesty", "sources", "strategies"]
