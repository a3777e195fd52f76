"""What answers to writes mean."""

from __future__ import annotations

import pytest

from apps.exchanges.ports import ParseError
from apps.exchanges.venues.phemex import answers
from moondev.domain.errors import VenueRejected
from moondev.domain.orders import OrderStatus
from tests.unit.apps.exchanges.venues.phemex.rows import NAME, NOW, ORDER, answer


def test_an_accepted_order_counts_as_open_whatever_kind_it_is() -> None:
    for word in ("Created", "New", "Untriggered"):
        report = answers.placed(NAME, answer(ORDER | {"ordStatus": word}), NOW)
        assert (report.status, report.venue_order_id) == (OrderStatus.OPEN, ORDER["orderID"])
        assert report.filled_quantity is not None
        assert report.filled_quantity.value == 0


@pytest.mark.parametrize("code", [11_082, "11082"])
def test_a_refusal_inside_an_answer_that_looks_like_success_is_a_refusal(code: object) -> None:
    """Section 2.5: code 0 with a bizError is what ccxt takes for a success."""
    report = answers.placed(NAME, answer(ORDER | {"bizError": code, "message": "no more risk"}), NOW)
    assert (report.status, report.reason) == (OrderStatus.REJECTED, "11082: no more risk")
    assert report.venue_order_id is None


def test_a_name_that_is_known_already_leaves_the_question_open() -> None:
    """The order behind the name may be alive: to call it refused would bury it."""
    within = answers.placed(NAME, answer(ORDER | {"bizError": 11_085}), NOW)
    outside = answers.refused(NAME, VenueRejected("11085", "TE_CL_ORD_ID_DUPLICATE", 200), NOW)
    assert [within.status, outside.status] == [None, None]
    other = answers.refused(NAME, VenueRejected("11001", "TE_NO_ENOUGH_AVAILABLE_BALANCE", 200), NOW)
    assert (other.status, other.reason) == (OrderStatus.REJECTED, "11001: TE_NO_ENOUGH_AVAILABLE_BALANCE")


def test_a_change_keeps_the_id_and_a_refused_one_leaves_the_question_open() -> None:
    changed = answers.amended(NAME, answer(ORDER | {"cumQtyRq": "0.001"}), NOW)
    assert (changed.status, changed.venue_order_id) == (OrderStatus.PARTIALLY_FILLED, ORDER["orderID"])
    refused = answers.amended(NAME, answer(ORDER | {"bizError": 11_066}), NOW)
    assert refused.status is None
    assert refused.reason.startswith("11066")


def test_a_cancel_that_was_taken_ends_the_order_without_saying_what_had_filled() -> None:
    report = answers.cancelled(NAME, "", answer(ORDER | {"execStatus": "PendingCancel"}), NOW)
    assert (report.status, report.filled_quantity) == (OrderStatus.CANCELLED, None)
    refused = answers.cancelled(None, "abc", answer({"bizError": 10_002}), NOW)
    assert (refused.status, refused.venue_order_id) == (None, "abc")


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"code":0}', answer([]), answer(None), answer(ORDER | {"ordStatus": "Maybe"})]
)
def test_an_answer_of_no_known_shape_is_an_unknown_outcome(text: str) -> None:
    with pytest.raises(ParseError):
        answers.placed(NAME, text, NOW)
