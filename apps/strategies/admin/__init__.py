"""The strategy floor as an operator sees it: strategies to set up and steer, ticks and events to read."""

from apps.strategies.admin import history, strategies

__all__ = ["history", "strategies"]
