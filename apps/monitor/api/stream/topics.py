"""Which topics there are, who may follow each, how often it is read, and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from apps.monitor.api.stream.table import Rows
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue

NAME_MOST = 120


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of topic. One with `parts` is followed under a name like ``candles:hyperliquid:BTC:60``.

    `permission` is Django's; `seconds` the shortest time between two reads; `read` is given the words after the name
    and a clock, and raises InvalidValue for words it does not know. `close` gives back what reading has opened.
    """

    name: str
    permission: str
    seconds: float
    read: Callable[[tuple[str, ...], Clock], Rows]
    parts: tuple[str, ...] = ()
    close: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """A topic as somebody follows it: its kind, and the words after its name."""

    topic: Topic
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the whole name."""
        return ":".join((self.topic.name, *self.words))


class Topics:
    """The topics, by name."""

    def __init__(self, topics: tuple[Topic, ...]) -> None:
        """Offer `topics`."""
        self._topics = {topic.name: topic for topic in topics}

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._topics.values())

    def close(self) -> None:
        """Give back whatever reading has opened."""
        for topic in self:
            if topic.close is not None:
                topic.close()

    def find(self, name: str) -> Followed:
        """Return the topic called `name`. Raises InvalidValue naming what there is."""
        if len(name) > NAME_MOST:
            raise InvalidValue("topic", name[:NAME_MOST], f"at most {NAME_MOST} characters")
        kind, *words = name.split(":")
        topic = self._topics.get(kind)
        if topic is None:
            raise InvalidValue("topic", name, ", ".join(self._topics))
        if len(words) != len(topic.parts):
            raise InvalidValue("topic", name, ":".join((topic.name, *topic.parts)))
        return Followed(topic, tuple(words))
