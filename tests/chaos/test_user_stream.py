"""What the venue tells of our orders is cut, lost, doubled or shuffled, or the listener dies: fills are booked once."""

import pytest

from apps.exchanges.models import AccountEvent
from moondev.domain.orders import OrderStatus
from tests.chaos.platform import USER_STREAM
from tests.chaos.trader import BID, LOT

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
ROUNDS = 8
BIDS = 6


def resting_bids(trader):
    """Return bids that rest, each for three lots."""
    bids = trader.record(*[trader.bid(quantity=3 * LOT) for _ in range(BIDS)])
    for bid in bids:
        trader.wait_status(bid, OrderStatus.OPEN)
    return bids


def trade_a_while(trader, between=None):
    """Let strangers fill parts of our bids while we take from the house; `between` happens in the middle."""
    for turn in range(ROUNDS):
        trader.record(trader.taker())
        assert trader.mock.trade("sell", BID + 1, 2 * LOT) == 2 * LOT
        if between is not None and turn == ROUNDS // 2:
            between()


def assert_all_filled_as_traded(trader):
    trader.settle()
    filled = sum(trader.orders().filter(time_in_force="gtc").values_list("filled_quantity", flat=True))
    assert filled == ROUNDS * 2 * LOT
    assert trader.orders().filter(time_in_force="ioc", status=OrderStatus.FILLED).count() == ROUNDS
    assert not AccountEvent.objects.filter(account=trader.account, kind=AccountEvent.Kind.OVERFILL).exists()
    trader.finish()


@pytest.mark.parametrize(
    ("fault", "value"), [("ws_gap", 2), ("ws_stall", 2), ("ws_duplicate", None), ("ws_out_of_order", None)]
)
def test_messages_lost_late_doubled_or_shuffled_book_every_fill_once(trader, fault, value):
    resting_bids(trader)
    trader.mock.fault(fault, value=value)
    trade_a_while(trader)
    assert_all_filled_as_traded(trader)


def test_a_connection_cut_during_fills_books_every_fill_once(trader):
    resting_bids(trader)

    def cut():
        trader.mock.fault("ws_refuse", value=1)
        trader.mock.fault("ws_disconnect")

    trade_a_while(trader, cut)
    assert_all_filled_as_traded(trader)
    trader.platform.wait("the user streams", trader.platform.streams)


def test_a_listener_killed_during_fills_books_every_fill_once(trader):
    platform = trader.platform
    resting_bids(trader)
    before = platform.supervisor.restarts[USER_STREAM]
    trade_a_while(trader, lambda: platform.kill(USER_STREAM))
    platform.wait("another listener", lambda: platform.restarted(USER_STREAM, before))
    platform.wait("the user streams", platform.streams)
    assert_all_filled_as_traded(trader)
