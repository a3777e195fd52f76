"""What an acknowledgement settles, and what it does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from apps.exchanges.ports import Amendment, ParseError
from apps.exchanges.venues.bybit import answers
from apps.exchanges.venues.bybit.answers import Taken
from apps.exchanges.venues.bybit.parse import Seen
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import VenueRejected
from moondev.domain.orders import AmendOrder, OrderReport, OrderStatus, OrderType, TimeInForce
from moondev.domain.values import Price, Quantity, Side
from tests.unit.apps.exchanges.venues.bybit import recordings

NOW, NAME = datetime(2026, 1, 1, tzinfo=UTC), uuid4()
DONE = Taken(0, "", "id-1")


def seen(status: OrderStatus, price: str = "48500", quantity: str = "0.03") -> Seen:
    return Seen(OrderReport("send", NAME, "id-1", status, NOW, NOW), Decimal(price), Decimal(quantity))


def amendment(kind: OrderType = OrderType.LIMIT) -> Amendment:
    request = AmendOrder(NAME, "k", Quantity(Decimal("0.02")), Price(Decimal(48_500)), Quantity(Decimal("0.01")))
    trigger = Price(Decimal(1)) if kind.triggered else None
    return Amendment(RiskApproved(request), Side.BUY, kind, TimeInForce.GTC, reduce_only=False, trigger_price=trigger)


def batch(rows: list[object], codes: list[object]) -> str:
    said = {"retCode": 0, "retMsg": "OK", "result": {"list": rows}, "retExtInfo": {"list": codes}, "time": 1}
    return json.dumps(said)


ROW, REFUSED = {"orderId": "a", "orderLinkId": "x"}, {"orderId": "", "orderLinkId": "y"}


def test_the_two_lists_of_a_batch_run_side_by_side() -> None:
    text = batch([ROW, REFUSED], [{"code": 0, "msg": "OK"}, {"code": 110007, "msg": "ab not enough"}])
    assert answers.batch(text, 2) == [Taken(0, "OK", "a"), Taken(110007, "ab not enough", "")]


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        ([ROW], [{"code": 0, "msg": "OK"}, {"code": 0, "msg": "OK"}]),
        ([ROW, ROW], [{"code": 0, "msg": "OK"}]),
        ([ROW], [{"code": 0, "msg": "OK"}]),
        ([ROW, ROW], [{"code": "0"}, {"code": 0}]),
        ([ROW, {"orderLinkId": "x"}], [{"code": 0}, {"code": 0}]),
    ],
)
def test_lists_that_do_not_match_are_an_unknown_outcome(rows: list[object], codes: list[object]) -> None:
    with pytest.raises(ParseError):
        answers.batch(batch(rows, codes), 2)


def test_placing_is_settled_by_what_is_seen_and_not_by_the_acknowledgement() -> None:
    assert answers.placed(NAME, DONE, seen(OrderStatus.FILLED), NOW).status is OrderStatus.FILLED
    unseen = answers.placed(NAME, DONE, None, NOW)
    assert (unseen.status, unseen.venue_order_id, unseen.reason) == (None, "id-1", answers.TAKEN)
    refused = answers.placed(NAME, Taken(110007, "ab not enough"), None, NOW)
    assert (refused.status, refused.reason) == (OrderStatus.REJECTED, "110007: ab not enough")


def test_a_name_that_is_taken_settles_nothing_about_the_order_that_has_it() -> None:
    report = answers.placed(NAME, Taken(110072, "OrderLinkedID is duplicate"), None, NOW)
    assert report.status is None
    assert "110072" in report.reason


@pytest.mark.parametrize("code", sorted(answers.OUTCOME_UNKNOWN))
def test_an_order_of_a_batch_that_met_an_error_of_the_server_may_be_there(code: int) -> None:
    assert answers.placed(NAME, Taken(code, "server error"), None, NOW).status is OrderStatus.UNKNOWN


def test_what_lay_beyond_the_second_s_limit_was_not_looked_at() -> None:
    assert answers.placed(NAME, Taken(10006, "Too many visits"), None, NOW).status is OrderStatus.EXPIRED


def test_an_amendment_is_done_when_the_order_is_seen_as_it_was_asked_for() -> None:
    report = answers.amended(amendment(), DONE, seen(OrderStatus.PARTIALLY_FILLED), NOW)
    assert report.status is OrderStatus.PARTIALLY_FILLED
    for price, quantity in (("48000", "0.03"), ("48500", "0.02")):
        other = answers.amended(amendment(), DONE, seen(OrderStatus.OPEN, price, quantity), NOW)
        assert other.status is None
        assert quantity in other.reason
    # What goes to the market once triggered has no price to compare.
    stop = answers.amended(amendment(OrderType.STOP), DONE, seen(OrderStatus.OPEN, "0", "0.03"), NOW)
    assert stop.status is OrderStatus.OPEN


def test_an_amendment_that_changes_nothing_is_done_and_any_other_refusal_is_a_question() -> None:
    same = Taken(10001, "The order remains unchanged as the parameters entered match the existing ones.")
    assert answers.amended(amendment(), same, seen(OrderStatus.OPEN), NOW).status is OrderStatus.OPEN
    for taken, sight in (
        (Taken(110001, "order not exists or too late to replace"), seen(OrderStatus.FILLED)),
        (DONE, None),
        (DONE, seen(OrderStatus.CANCELLED)),
    ):
        report = answers.amended(amendment(), taken, sight, NOW)
        assert report.status is None
        assert report.reason


def test_a_refused_cancel_says_neither_filled_nor_gone() -> None:
    assert answers.cancelled(NAME, None, DONE, NOW).status is OrderStatus.CANCELLED
    report = answers.cancelled(NAME, "id-1", Taken(110001, "order not exists or too late to cancel"), NOW)
    assert (report.status, report.venue_order_id) == (None, "id-1")
    assert "too late" in report.reason
    assert answers.refused(VenueRejected("110001", "gone")) == [Taken(110001, "gone")]


@pytest.mark.skipif(not recordings.PRESENT, reason=recordings.WHY_NOT)
def test_recorded_acknowledgements_are_read() -> None:
    assert answers.single(recordings.answer("Trading/PlaceOrder"))[0].venue_order_id == "1321003749386327552"
    assert answers.single(recordings.answer("Trading/EditOrder"))[0].code == 0
    assert [one.code for one in answers.batch(recordings.answer("Trading/PlaceMultipleOrders"), 2)] == [0, 0]
    assert [one.code for one in answers.batch(recordings.answer("Trading/CancelMultipleOrders"), 2)] == [0, 170213]
