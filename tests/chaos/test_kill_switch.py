"""The kill switch while orders are queued and one is in flight: once it says done, nothing opens any more."""

import pytest

from apps.exchanges.models import ScopeKind, TradingMode, Veto
from apps.risk import vetoes
from moondev.domain.clock import process_clock
from moondev.domain.orders import OrderStatus
from tests.chaos.platform import VETOES
from tests.chaos.stops import stopped_at

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
QUEUED = 300
# The request is at the venue, unanswered, for so long.
LATENCY_MS = 2_500
DONE = Veto.Stage.DONE


def engage(trader, *, flatten=False):
    """Halt the account; return the veto."""
    engaged = vetoes.engage(
        scope=(ScopeKind.ACCOUNT.value, trader.account.code),
        mode=TradingMode.HALTED,
        flatten=flatten,
        reason="test",
        actor="test",
        now=process_clock().now(),
    )
    return Veto.objects.get(pk=engaged.veto_ids[0])


def stage(veto):
    return Veto.objects.values_list("stage", flat=True).get(pk=veto.pk)


def wait_done(trader, veto):
    trader.platform.wait("the halt to be done", lambda: stage(veto) == DONE)


def assert_nothing_opens(trader, taken):
    """What the venue had taken when the halt was done is all it ever takes, and none of it lives."""
    trader.settle()
    assert trader.mock.orders(trader.address) == taken
    assert not trader.mock.open_orders(trader.address)
    assert not trader.orders().filter(status__in=[OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED]).exists()
    trader.finish()


def test_done_means_that_nothing_queued_or_in_flight_opens_any_more(trader):
    resting = trader.record(*[trader.bid() for _ in range(5)])
    for bid in resting:
        trader.wait_status(bid, OrderStatus.OPEN)
    trader.mock.fault("latency_ms", value=LATENCY_MS, action="order", count=1)
    trader.record(trader.bid(), trader.taker())
    trader.mock.wait_struck("latency_ms")
    trader.record(*[trader.bid() for _ in range(QUEUED)])
    veto = engage(trader)
    wait_done(trader, veto)
    taken = trader.mock.orders(trader.address)
    assert not trader.mock.open_orders(trader.address)
    trader.record(*[trader.bid() for _ in range(3)])
    assert len(taken) == 7, "the five that rested and the two in flight"
    assert_nothing_opens(trader, taken)


def test_a_position_is_flattened_when_asked_and_the_books_still_agree(trader):
    trader.record(trader.taker(), trader.taker(), trader.bid())
    trader.settle()
    wait_done(trader, engage(trader, flatten=True))
    assert not trader.mock.account(trader.address)["positions"]
    assert_nothing_opens(trader, trader.mock.orders(trader.address))


def test_a_veto_worker_killed_before_its_first_cancel_is_followed_by_one_that_ends_the_halt(trader):
    platform = trader.platform
    trader.record(*[trader.bid() for _ in range(5)])
    trader.settle()
    before = platform.supervisor.restarts[VETOES]
    with stopped_at(platform.database_url, "halt") as stop:
        veto = engage(trader)
        stop.reached()
        platform.kill(VETOES)
        stop.end_sessions()
    platform.wait("another veto worker", lambda: platform.restarted(VETOES, before))
    wait_done(trader, veto)
    assert_nothing_opens(trader, trader.mock.orders(trader.address))


@pytest.mark.parametrize(("in_flight", "flatten"), [("cancel", False), ("order", True)])
def test_a_veto_worker_killed_with_a_cancel_or_an_exit_in_flight_is_followed_by_one_that_ends_the_halt(
    trader, in_flight, flatten
):
    platform = trader.platform
    trader.record(trader.taker(), *[trader.bid() for _ in range(5)])
    trader.settle()
    before = platform.supervisor.restarts[VETOES]
    trader.mock.fault("latency_ms", value=LATENCY_MS, action=in_flight, count=1)
    veto = engage(trader, flatten=flatten)
    trader.mock.wait_struck("latency_ms")
    platform.kill(VETOES)
    assert stage(veto) != DONE
    platform.wait("another veto worker", lambda: platform.restarted(VETOES, before))
    wait_done(trader, veto)
    assert bool(trader.mock.account(trader.address)["positions"]) is not flatten
    assert_nothing_opens(trader, trader.mock.orders(trader.address))
