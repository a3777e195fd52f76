"""What the venue answers to an action, word by word."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from apps.exchanges.ports import Amendment, ParseError
from apps.exchanges.venues.hyperliquid import answers
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import RateLimited, VenueRejected
from moondev.domain.orders import AmendOrder, OrderReport, OrderStatus, OrderType, PlaceOrder, Purpose, TimeInForce
from moondev.domain.values import Price, Quantity, Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def order(tif: TimeInForce = TimeInForce.GTC, order_type: OrderType = OrderType.LIMIT, number: int = 1) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=UUID(int=number),
        instrument="hyperliquid:BTC",
        side=Side.BUY,
        order_type=order_type,
        time_in_force=tif,
        quantity=Quantity(Decimal(2)),
        price=Price(Decimal(100)),
        purpose=Purpose.OPENING,
        signal_id="s",
        leg="l",
    )


def said(*statuses: object) -> dict[str, Any]:
    return {"status": "ok", "response": {"type": "order", "data": {"statuses": list(statuses)}}}


def placed(answer: object, orders: Sequence[PlaceOrder]) -> list[OrderReport]:
    return answers.reports(answer, orders, answers.placed, NOW)


def test_resting_is_open_and_carries_the_venue_id() -> None:
    (report,) = placed(said({"resting": {"oid": 7, "cloid": "0x01"}}), [order()])
    assert (report.status, report.venue_order_id, report.client_order_id) == (OrderStatus.OPEN, "7", UUID(int=1))
    assert report.fills == ()


@pytest.mark.parametrize("word", ["waitingForTrigger", "waitingForFill"])
def test_waiting_is_open_without_a_venue_id(word: str) -> None:
    (report,) = placed(said(word), [order()])
    assert (report.status, report.venue_order_id, report.reason) == (OrderStatus.OPEN, None, word)


@pytest.mark.parametrize(
    ("total", "tif", "order_type", "status"),
    [
        ("2.0", TimeInForce.IOC, OrderType.LIMIT, OrderStatus.FILLED),
        ("2", TimeInForce.GTC, OrderType.LIMIT, OrderStatus.FILLED),
        ("1.5", TimeInForce.IOC, OrderType.LIMIT, OrderStatus.CANCELLED),
        ("1.5", TimeInForce.GTC, OrderType.MARKET, OrderStatus.CANCELLED),
        ("1.5", TimeInForce.GTC, OrderType.LIMIT, OrderStatus.PARTIALLY_FILLED),
    ],
)
def test_a_fill_of_less_than_the_order_is_not_filled(
    total: str, tif: TimeInForce, order_type: OrderType, status: OrderStatus
) -> None:
    (report,) = placed(said({"filled": {"totalSz": total, "avgPx": "99.5", "oid": 9}}), [order(tif, order_type)])
    assert report.status is status
    assert report.filled_quantity == Quantity(Decimal(total))


def test_an_inner_error_rejects_its_own_order_only() -> None:
    text = "Insufficient margin to place order. asset=3"
    first, second = placed(said({"resting": {"oid": 5}}, {"error": text}), [order(), order(number=2)])
    assert first.status is OrderStatus.OPEN
    assert (second.status, second.reason, second.client_order_id) == (OrderStatus.REJECTED, text, UUID(int=2))


def test_one_error_for_a_whole_batch_rejects_every_order() -> None:
    reports = placed(said({"error": "Order has zero size."}), [order(number=n) for n in range(1, 4)])
    assert [report.status for report in reports] == [OrderStatus.REJECTED] * 3
    assert [report.client_order_id for report in reports] == [UUID(int=n) for n in range(1, 4)]


@pytest.mark.parametrize(
    "answer",
    [
        said({"resting": {"oid": 5}}),
        said({"resting": {"oid": 5}}, {"resting": {"oid": 6}}, {"resting": {"oid": 7}}),
        said({}, {}),
        said("surprise", "surprise"),
        said({"resting": {"oid": "5"}}, {"resting": {"oid": 6}}),
        said({"filled": {"totalSz": "a lot", "oid": 6}}, {"resting": {"oid": 6}}),
        said({"filled": {"totalSz": "-1", "oid": 6}}, {"resting": {"oid": 6}}),
        {"status": "ok", "response": {"type": "default"}},
        {"status": "err", "response": {"type": "order"}},
        {"status": "perhaps", "response": "?"},
        {"status": "ok"},
        [],
        "ok",
        None,
    ],
)
def test_an_answer_that_is_not_understood_is_an_unknown_outcome(answer: object) -> None:
    with pytest.raises(ParseError) as caught:
        placed(answer, [order(), order(number=2)])
    assert caught.value.evidence


def test_a_refusal_of_the_whole_request_keeps_the_venues_words() -> None:
    text = "User or API Wallet 0xabc does not exist."
    with pytest.raises(VenueRejected) as caught:
        placed({"status": "err", "response": text}, [order()])
    assert caught.value.body == text
    assert caught.value.http_status == 200


def test_the_address_limit_is_a_rate_limit() -> None:
    text = "Too many cumulative requests sent (10001 > 10000) for cumulative volume traded $0."
    with pytest.raises(RateLimited) as caught:
        placed({"status": "err", "response": text}, [order()])
    assert caught.value.retry_after_seconds == 10


def amended(status: object) -> OrderReport:
    request = AmendOrder(
        UUID(int=4), "hyperliquid:BTC", Quantity(Decimal(2)), Price(Decimal(100)), Quantity(Decimal(0))
    )
    amendment = Amendment(RiskApproved(request), Side.BUY, OrderType.LIMIT, TimeInForce.GTC, reduce_only=False)
    (report,) = answers.reports(said(status), [amendment], answers.amended, NOW)
    return report


def test_an_amended_order_rests_under_its_new_venue_id() -> None:
    report = amended({"resting": {"oid": 12}})
    assert (report.status, report.venue_order_id) == (OrderStatus.OPEN, "12")


@pytest.mark.parametrize(("total", "status"), [("2", OrderStatus.FILLED), ("1", OrderStatus.PARTIALLY_FILLED)])
def test_an_amended_order_may_fill_at_once(total: str, status: OrderStatus) -> None:
    assert amended({"filled": {"totalSz": total, "avgPx": "1", "oid": 3}}).status is status


def test_a_refused_amendment_leaves_the_state_of_the_order_open() -> None:
    report = amended({"error": "Cannot modify canceled or filled order"})
    assert report.status is None
    assert report.reason == "Cannot modify canceled or filled order"


def test_a_cancel_is_done_or_leaves_the_state_of_the_order_open() -> None:
    gone = "Order was never placed, already canceled, or filled. asset=0"
    assert answers.cancelled(UUID(int=1), None, "success", NOW).status is OrderStatus.CANCELLED
    refused = answers.cancelled(UUID(int=1), None, answers.Outcome(error=gone), NOW)
    assert (refused.status, refused.reason) == (None, gone)


@pytest.mark.parametrize("item", ["waitingForTrigger", answers.Outcome()])
def test_a_cancel_that_answers_something_else_is_not_understood(item: answers.Item) -> None:
    with pytest.raises(ParseError):
        answers.cancelled(UUID(int=1), None, item, NOW)
