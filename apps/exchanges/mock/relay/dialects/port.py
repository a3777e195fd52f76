"""What a relay asks of a venue's dialect, and how numbers are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias

from apps.exchanges.mock.relay.seen import Seen

Json: TypeAlias = dict[str, Any]
Levels: TypeAlias = dict[float, float]


class Dialect(Protocol):
    """One connection to one venue's public stream, for the coins it was made with."""

    @property
    def address(self) -> str:
        """Return the venue's public websocket address."""
        ...

    @property
    def greeting(self) -> str:
        """Return what the venue says first that is no JSON; empty when it says nothing of the kind."""
        ...

    @property
    def ping(self) -> Json | None:
        """Return what keeps the connection alive when sent every few seconds; None: nothing needs to be sent."""
        ...

    def requests(self) -> list[Json]:
        """Return what is to be sent after connecting."""
        ...

    def read(self, message: Json) -> list[Seen]:
        """Return what `message` says.

        Raises GapError when messages are missing, and KeyError, TypeError, ValueError or IndexError when it makes no
        sense.
        """
        ...


def levels(rows: Iterable[Sequence[Any]]) -> Levels:
    """Return rows of price and size as numbers. Raises what reading them raises."""
    return {float(row[0]): float(row[1]) for row in rows}
