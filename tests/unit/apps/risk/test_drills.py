"""Drills that somebody asks for: who runs them, what their row says, and what becomes of one whose runner dies."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.exchanges.execution.delivery import GATE
from apps.exchanges.models import InstrumentRow, Order, OrderEvent, TradingMode, TradingState
from apps.risk import drill_push, drills, stopping
from apps.risk.drill_push import DrillPush, await_done
from apps.risk.drills import drill_claim, drill_run, drill_take, drills_bury
from apps.risk.models import DrillRun
from moondev.domain.clock import FixedClock
from moondev.domain.errors import Connectivity, InvalidValue
from tests.unit.apps.risk.breakers.conftest import NOW, account  # noqa: F401  the same world
from tests.unit.apps.risk.test_drill import PORTFOLIO, SESSIONS, finish, mode

pytestmark = pytest.mark.usefixtures("account")


def start(**changes):
    return stopping.drill_start(**{"scope": PORTFOLIO, "flatten": True, "actor": "ann", "now": NOW, **changes})


def taken(clock):
    row = start()
    assert drill_claim(row, "guard", clock)
    row.refresh_from_db()
    return row


def test_a_drill_is_taken_once_run_and_its_row_says_what_it_found():
    clock = FixedClock(NOW)
    start()
    row = drill_take("guard", clock)
    row.refresh_from_db()
    assert (row.state, drill_take("another", clock)) == ("running", None)
    drill_run(row, clock, SESSIONS, finish)
    assert (row.state, row.orders_before, row.positions_before, row.problems) == ("passed", 0, 0, [])
    assert row.done_ms is not None
    assert row.ended_at == NOW
    assert mode() == "active"


def test_a_drill_whose_halt_is_not_done_fails_says_so_and_leaves_the_halt():
    row = taken(FixedClock(NOW))
    with pytest.raises(Connectivity):
        drill_run(row, FixedClock(NOW), SESSIONS, lambda ids: await_done(ids, 0.0))
    assert row.state == "failed"
    assert "not done after 0 s: hyperliquid (engaged); the halt itself holds" in row.problems[0]
    assert mode() == "halted"


def test_one_scope_is_drilled_once_at_a_time_and_a_dead_drill_stands_in_nobodys_way():
    clock = FixedClock(NOW)
    taken(clock)
    with pytest.raises(InvalidValue, match="drilled already"):
        start()
    clock.advance(timedelta(seconds=241))
    assert start(now=clock.now()).state == "waiting"
    assert drills_bury(clock.now()) == 0
    dead = DrillRun.objects.get(state="failed")
    assert "its halt stands" in dead.problems[0]


@pytest.mark.parametrize("change", [{"scope": ("everything", "*")}, {"scope": ("account", "none")}, {"actor": ""}])
def test_what_cannot_be_drilled_is_refused_before_there_is_a_row(change):
    with pytest.raises(InvalidValue, match="allowed"):
        start(**change)
    assert not DrillRun.objects.exists()


def test_orders_begun_while_the_halt_was_written_or_stopped_by_the_gate_are_no_leak(account):  # noqa: F811  the fixture
    clock = FixedClock(NOW)
    row = taken(clock)
    instrument = InstrumentRow.objects.filter(venue=account.venue).first() or InstrumentRow.objects.create(
        venue=account.venue, symbol="BTC", asset="BTC", quote="USDC", venue_asset_id="0", tick=1, lot=1,
        min_notional=1, max_leverage=1,
    )  # fmt: skip

    def order(number, sent_at):
        return Order.objects.create(
            account=account, instrument=instrument, strategy="turtle", tick_id="t", side="buy", order_type="limit",
            client_order_id=f"00000000-0000-0000-0000-00000000000{number}", time_in_force="gtc", purpose="opening",
            quantity=1, price=1, status="cancelled", valid_until=NOW, created_at=NOW, sent_at=sent_at, updated_at=NOW,
        )  # fmt: skip

    def follow(ids):
        finish(ids)
        later = NOW + timedelta(milliseconds=5)
        order(1, NOW)
        stopped = order(2, later)
        OrderEvent.objects.create(order=stopped, at=later, source=GATE, status_from="sending", status_to="cancelled")

    assert drill_run(row, clock, SESSIONS, follow).problems == ()
    row = taken(clock)
    drill = drill_run(row, clock, SESSIONS, lambda ids: (finish(ids), order(3, NOW + timedelta(milliseconds=5))))
    assert drill.problems == ("1 opening orders were sent after the halt",)
    assert row.state == "failed"


def test_the_guard_runs_one_drill_at_a_time_beside_its_looks(monkeypatch):
    started = []

    class Pool:
        def __init__(self, *_args, **_options):
            """Nothing to prepare."""

        def submit(self, _run, row, _clock):
            started.append(row.pk)
            return self

        def done(self):
            return False

    monkeypatch.setattr(drill_push, "ThreadPoolExecutor", Pool)
    push = DrillPush(FixedClock(NOW))
    push.push()
    first = start()
    push.push()
    DrillRun.objects.update(state=drills.State.PASSED)
    start()
    push.push()
    assert started == [first.pk]
    assert TradingState.objects.filter(mode=TradingMode.HALTED).count() == 0
