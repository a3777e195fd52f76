"""The venue's words: statuses, names, directions, numbers."""

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import (
    CancelReason,
    OrderSnapshot,
    OrderStatus,
    RejectCode,
    Tif,
    TpSl,
    Trigger,
)
from apps.exchanges.mock.wire.bybit import words

ONE = Decimal(1)
ORDER = OrderSnapshot(
    oid=7,
    cloid=None,
    coin="BTC",
    is_buy=True,
    price=ONE,
    size=ONE,
    remaining=ONE,
    tif=Tif.GTC,
    reduce_only=False,
    trigger=None,
    position_tpsl=False,
    waiting=False,
    children=(),
    placed_ms=1,
    status=OrderStatus.OPEN,
    status_ms=1,
    reason=None,
)
STOP = Trigger(is_market=True, trigger_px=ONE, tpsl=TpSl.SL)


@pytest.mark.parametrize(
    ("order", "status", "cancel", "reason"),
    [
        (ORDER, "New", "UNKNOWN", "EC_NoError"),
        (replace(ORDER, remaining=Decimal("0.4")), "PartiallyFilled", "UNKNOWN", "EC_NoError"),
        (replace(ORDER, trigger=STOP, waiting=True), "Untriggered", "UNKNOWN", "EC_NoError"),
        (replace(ORDER, trigger=STOP, status=OrderStatus.TRIGGERED), "Triggered", "UNKNOWN", "EC_NoError"),
        (replace(ORDER, status=OrderStatus.FILLED), "Filled", "UNKNOWN", "EC_NoError"),
        (
            replace(ORDER, status=OrderStatus.CANCELED, reason=CancelReason.USER),
            "Cancelled",
            "CancelByUser",
            "EC_PerCancelRequest",
        ),
        (
            replace(ORDER, trigger=STOP, waiting=True, status=OrderStatus.CANCELED, reason=CancelReason.USER),
            "Deactivated",
            "CancelByUser",
            "EC_PerCancelRequest",
        ),
        (
            replace(ORDER, status=OrderStatus.CANCELED, reason=CancelReason.SCHEDULED),
            "Cancelled",
            "CancelByDCP",
            "EC_Others",
        ),
        # Accepted and ended in the same breath.
        (
            replace(ORDER, status=OrderStatus.REJECTED, reason=RejectCode.BAD_ALO_PRICE),
            "Cancelled",
            "UNKNOWN",
            "EC_PostOnlyWillTakeLiquidity",
        ),
        (
            replace(ORDER, status=OrderStatus.REJECTED, reason=RejectCode.INSUFFICIENT_MARGIN),
            "Rejected",
            "UNKNOWN",
            "EC_Others",
        ),
    ],
)
def test_an_order_s_state(order: OrderSnapshot, status: str, cancel: str, reason: str) -> None:
    assert (words.status_word(order), words.cancel_type(order), words.reject_reason(order)) == (status, cancel, reason)


def test_ids_are_given_out_and_found_again() -> None:
    for oid in (1, 1_795_700_352_062_002):
        assert words.read_order_id(words.order_id(oid)) == oid
    for text in ("", "7", "00000000-0000-0000-0000-000000000000", words.order_id(7).replace("6d6f", "7d6f")):
        assert words.read_order_id(text) is None
    assert words.execution_id(1, 2) != words.execution_id(1, 3)
    assert words.execution_id(1, 2) == words.execution_id(1, 2)


@pytest.mark.parametrize("is_buy", [True, False])
@pytest.mark.parametrize("kind", TpSl)
def test_directions_go_both_ways(kind: TpSl, is_buy: bool) -> None:
    assert words.trigger_kind(words.direction(kind, is_buy=is_buy), is_buy=is_buy) is kind


def test_stops_wait_for_a_price_that_hurts() -> None:
    assert words.direction(TpSl.SL, is_buy=False) == 2
    assert words.direction(TpSl.SL, is_buy=True) == 1


@pytest.mark.parametrize(("number", "text"), [("0", "0"), ("1.500", "1.5"), ("1E+3", "1000"), ("-0.10", "-0.1")])
def test_numbers_have_no_exponent_and_no_needless_zeros(number: str, text: str) -> None:
    assert words.plain(Decimal(number)) == text
