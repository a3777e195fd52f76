"""The venue did it, or not, and we did not hear: that is a state, and nobody sends again on a guess."""

import pytest

from apps.exchanges.models import CommandStatus, OrderCommand
from moondev.domain.orders import OrderStatus
from tests.chaos.trader import INSIDE, LOT

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
# Long enough that our own user stream does not tell the answer first.
SILENCE_SECONDS = 3


def test_an_order_whose_acceptance_was_not_heard_is_found_again_and_never_sent_twice(trader):
    trader.mock.fault("ws_gap", value=SILENCE_SECONDS)
    trader.mock.fault("accept_then_drop", action="order", count=1)
    bid, taker = trader.record(trader.bid(), trader.taker())
    trader.wait_status(bid, OrderStatus.OPEN)
    trader.wait_status(taker, OrderStatus.FILLED)
    assert OrderStatus.UNKNOWN in trader.history(bid)
    assert OrderStatus.UNKNOWN in trader.history(taker)
    assert trader.mock.received(trader.address, "order") == 1
    trader.finish()


@pytest.mark.parametrize(("fault", "value"), [("drop_before", None), ("error_5xx", 502)])
def test_an_order_that_may_or_may_not_have_arrived_counts_as_live_until_the_venue_has_denied_it_for_good(
    trader, fault, value
):
    trader.mock.fault(fault, action="order", count=1, value=value)
    (bid,) = trader.record(trader.bid())
    trader.wait_status(bid, OrderStatus.UNKNOWN)
    assert trader.used() == bid.quantity * bid.price
    trader.wait_status(bid, OrderStatus.EXPIRED)
    bid.refresh_from_db()
    assert bid.closed_at > bid.venue_expires_at
    assert trader.used() == 0
    assert trader.mock.received(trader.address, "order") == 0
    trader.finish()


def test_a_cancel_whose_answer_was_not_heard_is_found_out_and_not_sent_twice(trader):
    (bid,) = trader.record(trader.bid())
    trader.wait_status(bid, OrderStatus.OPEN)
    trader.mock.fault("ws_gap", value=SILENCE_SECONDS)
    trader.mock.fault("accept_then_drop", action="cancelByCloid", count=1)
    trader.cancel([bid])
    trader.wait_status(bid, OrderStatus.CANCELLED)
    trader.settle()
    assert OrderCommand.objects.get(order=bid).status == CommandStatus.DONE
    assert trader.mock.received(trader.address, "cancelByCloid") == 1
    trader.finish()


def test_an_amend_whose_answer_was_not_heard_is_found_out_by_the_orders_new_name(trader):
    (bid,) = trader.record(trader.bid())
    trader.wait_status(bid, OrderStatus.OPEN)
    trader.mock.fault("ws_gap", value=SILENCE_SECONDS)
    trader.mock.fault("accept_then_drop", action="batchModify", count=1)
    trader.amend(bid, 2 * LOT, INSIDE - 85)
    trader.settle()
    bid.refresh_from_db()
    assert (bid.status, bid.quantity, bid.price) == (OrderStatus.OPEN, 2 * LOT, INSIDE - 85)
    assert bid.aliases.count() == 1
    assert trader.mock.received(trader.address, "batchModify") == 1
    trader.finish()
