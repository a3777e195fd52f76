"""Reading the venue's news in one pass of the decoder: at fifty thousand a second a second look is too dear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Union

import msgspec

from apps.exchanges.ports import MarketEvent, UserEvent

Event = MarketEvent | UserEvent
Reader = Callable[[Any, datetime], Event | tuple[Event, ...] | None]


class Unread(Enum):
    """Says that a message needs a second look."""

    UNREAD = "unread"


UNREAD = Unread.UNREAD


class QuickReader:
    """Reads a message of any channel in one pass: msgspec tells the shape of `data` by the channel before it."""

    def __init__(self, readers: Mapping[str, tuple[Any, Reader]], *, strict: bool) -> None:
        """Take for each channel the shape of its data and what makes an event of it; not strict: "1.5" is a number."""
        shapes = {
            msgspec.defstruct(channel, [("data", shape)], tag=channel, tag_field="channel", gc=False): reader
            for channel, (shape, reader) in readers.items()
        }
        self._readers: dict[type, Reader] = dict(shapes)
        self._decode = msgspec.json.Decoder(Union[tuple(shapes)], strict=strict).decode  # noqa: UP007 - made here

    def read(self, message: bytes, received: datetime) -> Event | tuple[Event, ...] | Unread | None:
        """Return the news in `message`; UNREAD when it is not news, or not as it should be."""
        try:
            found = self._decode(message)
            return self._readers[type(found)](found.data, received)
        except (ValueError, ArithmeticError, msgspec.MsgspecError):
            return UNREAD
