"""What an error of one order leaves it in: ended, open to question, or not known."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from apps.exchanges.venues.binance import answers, parse
from apps.exchanges.venues.binance.judge import UNKNOWN_CODES
from moondev.domain.orders import OrderStatus

NOW, NAME = datetime(2026, 1, 1, tzinfo=UTC), uuid4()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (-2019, OrderStatus.REJECTED),
        (answers.DUPLICATE, None),
        *((code, OrderStatus.UNKNOWN) for code in sorted(UNKNOWN_CODES)),
    ],
)
def test_an_order_of_a_batch_is_not_refused_by_an_error_that_leaves_its_execution_open(
    code: int, status: OrderStatus | None
) -> None:
    (item,) = parse.answers(f'[{{"code": {code}, "msg": "said so"}}]', 1)
    report = answers.placed(NAME, item, NOW)
    assert (report.client_order_id, report.status) == (NAME, status)
    assert str(code) in report.reason
