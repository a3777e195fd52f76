"""Several requests behind one call: what is raised, what is told, what is not sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from apps.exchanges.ports import ReportSource
from apps.exchanges.venues.binance.answers import unplaced
from apps.exchanges.venues.binance.in_turn import Send, in_turn
from moondev.domain.errors import Connectivity, NotSent, RateLimited, TradingError
from moondev.domain.orders import OrderReport, OrderStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = [uuid4() for _ in range(4)]


def told(name: UUID) -> OrderReport:
    return OrderReport(ReportSource.SEND, name, "1", OrderStatus.OPEN, None, NOW)


def untold(place: int, error: TradingError) -> OrderReport:
    return unplaced(NAMES[place], error, NOW)


def send(calls: list[list[int]], places: list[int], error: TradingError | None = None) -> Send:
    def act() -> list[OrderReport]:
        calls.append(places)
        if error is not None:
            raise error
        return [told(NAMES[place]) for place in places]

    return Send(places, act)


def test_reports_come_in_the_order_of_the_call() -> None:
    calls: list[list[int]] = []
    reports = in_turn([send(calls, [1, 3]), send(calls, [0]), send(calls, [2])], untold)
    assert [report.client_order_id for report in reports] == NAMES
    assert calls == [[1, 3], [0], [2]]
    assert in_turn([], untold) == []


def test_an_error_of_the_first_is_raised_and_nothing_else_is_sent() -> None:
    calls: list[list[int]] = []
    with pytest.raises(RateLimited):
        in_turn([send(calls, [0, 1], RateLimited("later", 1.0)), send(calls, [2, 3])], untold)
    assert calls == [[0, 1]]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (lambda: Connectivity("silence"), OrderStatus.UNKNOWN),
        (lambda: NotSent("refused"), OrderStatus.REJECTED),
        (lambda: RateLimited("later", 1.0), OrderStatus.REJECTED),
    ],
)
def test_an_error_of_a_later_one_is_its_own_orders_and_those_after_it_stay(
    error: Callable[[], TradingError], status: OrderStatus
) -> None:
    calls: list[list[int]] = []
    reports = in_turn([send(calls, [1]), send(calls, [0, 2], error()), send(calls, [3])], untold)
    assert [report.status for report in reports] == [status, OrderStatus.OPEN, status, OrderStatus.REJECTED]
    assert "not sent" in reports[3].reason
    assert calls == [[1], [0, 2]]
