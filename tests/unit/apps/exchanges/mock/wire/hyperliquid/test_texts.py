"""Every refusal and every end of an order has its words."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.exchanges.mock.engine.api import (
    CancelReason,
    OrderSnapshot,
    OrderStatus,
    RejectCode,
    Rejected,
    Tif,
)
from apps.exchanges.mock.wire.hyperliquid.texts import order_sentence, sentence, status_word

ORDER = OrderSnapshot(
    oid=1,
    cloid=None,
    coin="BTC",
    is_buy=True,
    price=Decimal(1),
    size=Decimal(1),
    remaining=Decimal(1),
    tif=Tif.GTC,
    reduce_only=False,
    trigger=None,
    position_tpsl=False,
    waiting=False,
    children=(),
    placed_ms=0,
    status=OrderStatus.OPEN,
    status_ms=0,
    reason=None,
)
# https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api (order statuses)
VENUE_WORDS = {
    *("open", "filled", "canceled", "triggered", "rejected", "marginCanceled", "selfTradeCanceled"),
    *("reduceOnlyCanceled", "siblingFilledCanceled", "liquidatedCanceled", "scheduledCancel", "tickRejected"),
    *("minTradeNtlRejected", "perpMarginRejected", "reduceOnlyRejected", "badAloPxRejected", "iocCancelRejected"),
    *("badTriggerPxRejected", "marketOrderNoLiquidityRejected", "oracleRejected", "tooManyOpenOrdersRejected"),
    "insufficientSpotBalanceRejected",
}


@pytest.mark.parametrize("code", RejectCode)
def test_every_refusal_has_a_sentence(code: RejectCode) -> None:
    assert sentence(Rejected(code))
    assert "{" not in sentence(Rejected(code))
    assert order_sentence(Rejected(code), 4).endswith(" asset=4")


def test_a_post_only_refusal_quotes_the_book() -> None:
    refusal = Rejected(RejectCode.BAD_ALO_PRICE, best_bid=Decimal("29715.50"), best_ask=None)
    assert sentence(refusal) == "Post only order would have immediately matched, bbo was 29715.5@none."


@pytest.mark.parametrize("reason", [*CancelReason, *RejectCode])
def test_every_end_of_an_order_is_one_of_the_venues_words(reason: CancelReason | RejectCode) -> None:
    status = OrderStatus.CANCELED if isinstance(reason, CancelReason) else OrderStatus.REJECTED
    assert status_word(replace(ORDER, status=status, reason=reason)) in VENUE_WORDS


@pytest.mark.parametrize("status", [OrderStatus.OPEN, OrderStatus.TRIGGERED, OrderStatus.FILLED])
def test_the_other_statuses_speak_for_themselves(status: OrderStatus) -> None:
    assert status_word(replace(ORDER, status=status)) == status.value
