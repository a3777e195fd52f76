"""SIGKILL at every step of claim -> begin -> send -> apply -> give back, for orders, cancels and amends."""

from contextlib import ExitStack

import pytest

from moondev.domain.orders import OrderStatus
from tests.chaos.platform import ORDERS
from tests.chaos.pointing import pointed_at
from tests.chaos.stops import end_waiting_for_table, stopped_at, table_locked, waiting_for_table
from tests.chaos.trader import INSIDE, LOT, Trader

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
D = 2 * LOT
# The venue's answer takes so long, in milliseconds; the sender is dead before it comes.
LATENCY_MS = 3_000
# The streams lose what they would tell meanwhile, so that only the record is left to find out from.
SILENCE_SECONDS = 6
GATE_TABLE = "exchanges_tradingstate"

# In this order: what stands at the last two keeps reconciliation from going on, which a cancel's end may need.
AT_POINTS = {
    "cancel answered": "settle command",
    "cancel claimed": "begin command",
    "claimed": "begin",
    "answered": "apply",
    "claiming": "claim",
    "applied": "give back",
}
IN_FLIGHT = {"sent": "order", "cancel sent": "cancelByCloid", "amend sent": "batchModify"}
BETWEEN = "begun"
STEPS = (*AT_POINTS, *IN_FLIGHT, BETWEEN)
UNHEARD = ("sent", "answered")


class Victim(Trader):
    """A trader whose sender dies at one step."""

    def prepare(self, step):
        """Let an order rest when the step is about changing one."""
        if step.startswith(("cancel", "amend")):
            (self.order,) = self.record(self.bid())
            self.wait_status(self.order, OrderStatus.OPEN)
            self.settle()

    def act(self, step):
        """Ask for what the step is about."""
        if step.startswith("cancel"):
            self.cancel([self.order])
        elif step.startswith("amend"):
            self.amend(self.order, D, INSIDE - 85)
        else:
            self.order, self.taken = self.record(self.bid(), self.taker())


@pytest.fixture(scope="module")
def killed(running, django_db_blocker):
    """Kill the sender at every step once for all tests of this module."""
    with django_db_blocker.unblock(), pointed_at(running.environment):
        return kill_everywhere(running)


@pytest.fixture
def victims(platform, killed):
    return killed


def kill_everywhere(platform):
    """Stop the sender at every step, kill it there, start it again and wait until everything has settled."""
    made = {step: Victim(platform, platform.take_account(), step.replace(" ", "-")) for step in STEPS}
    for step, victim in made.items():
        victim.prepare(step)
    kill_between_the_record_and_the_send(platform, made[BETWEEN])
    kill_at_the_points_and_in_flight(platform, made)
    for victim in made.values():
        victim.settle(90)
    return made


def kill_at_the_points_and_in_flight(platform, made):
    before = platform.supervisor.restarts[ORDERS]
    with ExitStack() as held:
        stops = []
        for step, point in AT_POINTS.items():
            if point == "apply":
                platform.mock.fault("ws_gap", value=SILENCE_SECONDS)
            stops.append(held.enter_context(stopped_at(platform.database_url, point, made[step].account.pk)))
            made[step].act(step)
            stops[-1].reached()
        for step, action in IN_FLIGHT.items():
            platform.mock.fault("latency_ms", value=LATENCY_MS, action=action, count=1)
            made[step].act(step)
        platform.mock.fault("ws_gap", value=SILENCE_SECONDS)
        platform.mock.wait_struck("latency_ms", len(IN_FLIGHT))
        platform.kill(ORDERS)
        for stop in stops:
            stop.end_sessions()
    assert {made[step].status(made[step].order) for step in UNHEARD} == {OrderStatus.SENDING}
    platform.wait("another sender", lambda: platform.restarted(ORDERS, before))


def kill_between_the_record_and_the_send(platform, victim):
    """The gate is asked right before the send; what it reads is locked, so the sender stands there."""
    before = platform.supervisor.restarts[ORDERS]
    with table_locked(platform.database_url, GATE_TABLE):
        victim.act(BETWEEN)
        victim.wait_status(victim.order, OrderStatus.SENDING, seconds=60)
        platform.wait("the gate to be asked", lambda: waiting_for_table(platform.database_url, GATE_TABLE))
        platform.kill(ORDERS)
        end_waiting_for_table(platform.database_url, GATE_TABLE)
    platform.wait("another sender", lambda: platform.restarted(ORDERS, before))


@pytest.mark.parametrize("step", ["claiming", "claimed", "applied"])
def test_killed_where_nothing_is_in_doubt_each_order_is_sent_once(victims, step):
    victim = victims[step]
    assert victim.status(victim.order) == OrderStatus.OPEN
    assert victim.status(victim.taken) == OrderStatus.FILLED
    assert OrderStatus.UNKNOWN not in victim.history(victim.order)
    assert victim.mock.received(victim.address, "order") == 1
    victim.finish()


@pytest.mark.parametrize("step", UNHEARD)
def test_killed_before_the_answer_was_written_the_venue_is_asked_and_nothing_sent_again(victims, step):
    victim = victims[step]
    assert victim.status(victim.order) == OrderStatus.OPEN
    assert victim.status(victim.taken) == OrderStatus.FILLED
    assert OrderStatus.UNKNOWN in victim.history(victim.order)
    assert victim.mock.received(victim.address, "order") == 1
    victim.finish()


def test_killed_after_sending_was_written_but_before_it_was_sent_the_orders_end_unsent(victims):
    victim = victims[BETWEEN]
    for order in (victim.order, victim.taken):
        assert victim.status(order) == OrderStatus.EXPIRED
        assert OrderStatus.UNKNOWN in victim.history(order)
    assert victim.mock.received(victim.address, "order") == 0
    victim.finish()


@pytest.mark.parametrize("step", ["cancel claimed", "cancel sent", "cancel answered"])
def test_killed_at_any_step_of_a_cancel_the_order_is_cancelled_once(victims, step):
    victim = victims[step]
    assert victim.status(victim.order) == OrderStatus.CANCELLED
    assert victim.mock.received(victim.address, "cancelByCloid") == 1
    victim.finish()


def test_killed_while_an_amend_was_in_flight_its_outcome_is_found_out(victims):
    victim = victims["amend sent"]
    victim.order.refresh_from_db()
    assert (victim.order.status, victim.order.quantity, victim.order.price) == (OrderStatus.OPEN, D, INSIDE - 85)
    assert victim.mock.received(victim.address, "batchModify") == 1
    victim.finish()


def test_a_lease_that_died_with_its_holder_does_not_outlive_its_time(victims):
    victim = victims["applied"]
    (order,) = victim.record(victim.bid())
    victim.wait_status(order, OrderStatus.OPEN)
    victim.finish()
