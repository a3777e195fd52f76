"""The strategy floor as an operator sees it: strategies to set up and steer; ticks, events and code to read."""

from apps.strategies.admin import history, sources, strategies

__all__ = ["history", "sources", "strategies"]
