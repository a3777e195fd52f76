"""Market feeds: what makes the mock's market move."""

from apps.exchanges.mock.engine.feed.port import Feed

__all__ = ["Feed"]
