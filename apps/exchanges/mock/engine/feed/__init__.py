"""Market feeds: what makes the mock's market move."""

from apps.exchanges.mock.engine.feed.port import Feed
from apps.exchanges.mock.engine.feed.recording import Kind, Recording, describe, replay_start
from apps.exchanges.mock.engine.feed.setup import Setup, prepare, synthetic
from apps.exchanges.mock.engine.feed.synthetic import SyntheticConfig, SyntheticFeed

__all__ = [
    "Feed",
    "Kind",
    "Recording",
    "Setup",
    "SyntheticConfig",
    "SyntheticFeed",
    "describe",
    "prepare",
    "replay_start",
    "synthetic",
]
