"""One call, several requests: what is asked in one breath the venue may want in more than one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moondev.domain.errors import NotSent, TradingError
from moondev.domain.orders import OrderReport


@dataclass(frozen=True, slots=True)
class Send:
    """One request: the places of its orders in the call, and how to make it and read its answer."""

    places: Sequence[int]
    act: Callable[[], Sequence[OrderReport]]


def in_turn(sends: Sequence[Send], untold: Callable[[int, TradingError], OrderReport]) -> list[OrderReport]:
    """Make requests one after the other; return one report per order, in the order of the call.

    An error of the first is raised: nothing else was sent. An error of a later one becomes what `untold` says of its
    orders, and NotSent of those after it.
    """
    reports: dict[int, OrderReport] = {}
    failed: TradingError | None = None
    for send in sends:
        error: TradingError
        if failed is not None:
            error = NotSent(f"not sent, because an earlier request failed: {failed}")
        else:
            try:
                reports.update(zip(send.places, send.act(), strict=True))
                continue
            except TradingError as raised:
                if not reports:
                    raise
                failed = error = raised
        reports.update((place, untold(place, error)) for place in send.places)
    return [reports[place] for place in sorted(reports)]
