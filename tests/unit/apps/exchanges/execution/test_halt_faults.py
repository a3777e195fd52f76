"""What may go wrong while a halt is carried out, each held to one promise.

Exposure never grows after the veto, and in the end the scope is flat or the veto's row says what is not and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import count

import pytest
from django.db import transaction

from apps.exchanges.execution import halt
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.execution.timing import LEASE_SECONDS
from apps.exchanges.models import Veto
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.ports import ParseError
from moondev.domain.errors import Connectivity, RateLimited
from moondev.domain.orders import TimeInForce
from moondev.domain.values import Side
from tests.support.deaths import Life, MortalSessions, living
from tests.support.halt_watch import HaltWatch
from tests.support.order_world import World, make_world

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(180)]
D = Decimal
# A pass lasts half a minute; what has not come to an end by then is told.
PASSES = 2


@dataclass
class Stage:
    """A world with something to stop, the veto over it and who watches."""

    world: World
    watch: HaltWatch
    monkeypatch: pytest.MonkeyPatch
    names: Iterator[int]
    slept: float = 0.0

    def passes(self, life: Life | None = None, times: int = 1) -> None:
        """Carry out as one worker does, as often as it is woken, until the halt is done or the worker dies."""
        life = life or Life()
        name = f"worker {next(self.names)}"
        for _ in range(times):
            with self.monkeypatch.context() as patched, living(life, self.monkeypatch):
                patched.setattr(halt, "worker_name", lambda: name)
                halt.carry_out(
                    "hyperliquid", sessions=MortalSessions(self.world.sessions, life), clock=self.world.clock,
                    sleep=self._sleep, timer=self._timer,
                )  # fmt: skip
            if life.dead or not Veto.objects.filter(done_at=None).exists():
                return

    def finish(self) -> None:
        """Let the leases of whoever died run out, and carry on as another worker until it ends or time is up."""
        self.world.clock.advance(timedelta(seconds=LEASE_SECONDS + 1))
        self.passes(times=PASSES)

    def _sleep(self, seconds: float) -> None:
        """Let time pass; the timer counts it, whatever the clock is set to meanwhile."""
        self.slept += seconds
        self.world.clock.advance(timedelta(seconds=seconds))

    def _timer(self) -> float:
        return self.slept


@pytest.fixture
def stages(monkeypatch) -> Callable[..., contextmanager[Stage]]:
    """Return a maker of stages: a long and a short, an order that would open on each, one that has not left."""

    @contextmanager
    def make(*, flatten: bool = True) -> Iterator[Stage]:
        with transaction.atomic():
            world = make_world()
            world.rest("2", tif=TimeInForce.IOC)
            world.rest("3", side=Side.SELL, tif=TimeInForce.IOC, instrument=world.eth, strategy="maker")
            world.rest("1", "90")
            world.rest("1", "120", side=Side.SELL, instrument=world.eth, strategy="maker")
            reconcile_account(world.account.pk, world.sessions, world.clock)
            world.place("1", "95")
            watch = HaltWatch(world, veto(world, flatten=flatten))
            yield Stage(world, watch, monkeypatch, count(1))
            transaction.set_rollback(True)

    return make


@pytest.fixture
def stage(stages) -> Iterator[Stage]:
    with stages() as made:
        yield made


def veto(world: World, *, flatten: bool = True) -> Veto:
    now = world.clock.now()
    state = trading_state_set(
        scope_kind="everything", scope_key="*", mode="halted", reason="test", actor="test", now=now
    )
    return Veto.objects.create(
        venue_id="hyperliquid", scope_kind="everything", scope_key="*", epoch=state.epoch, flatten=flatten,
        reason="test", actor="test", engaged_at=now,
    )  # fmt: skip


def each_step(stages, happening: Callable[[Stage], None] | None = None, every: int = 1) -> Iterator[Stage]:
    """Yield the stage of one halt after another: in each something happens at another step; None: the worker dies."""
    at, happened = 1, True
    while happened:
        with stages() as made:
            life = Life(at, None if happening is None else partial(happening, made))
            made.passes(life)
            happened = life.dead or life.happened
            yield made
        at += every
    assert at > 20, "a halt of so few steps proves nothing"


def test_killed_at_any_step_another_worker_ends_flat(stages) -> None:
    for made in each_step(stages):
        made.finish()
        made.watch.assert_flat()


def a_fill(made: Stage) -> None:
    """A resting order that opens is filled in part, if it still lives."""
    resting = [order for order in made.world.venue.live() if not order.reduce_only]
    if resting:
        made.world.venue.fill(resting[0], D("0.5"))


def another_kill_switch(made: Stage) -> None:
    """Somebody else engages the same halt again, and another worker is woken for it."""
    veto(made.world)
    made.passes()


def the_same_from_the_command_line(made: Stage) -> None:
    """A worker with keys of its own works on the same rows, the lease of the first being over by its clock."""
    made.world.clock.advance(timedelta(seconds=LEASE_SECONDS + 1))
    made.passes()


def an_hour_forward(made: Stage) -> None:
    made.world.clock.advance(timedelta(hours=1))


def an_hour_back(made: Stage) -> None:
    made.world.clock._moment -= timedelta(hours=1)


HAPPENINGS = (a_fill, another_kill_switch, the_same_from_the_command_line, an_hour_forward, an_hour_back)


@pytest.mark.parametrize("happening", HAPPENINGS, ids=lambda happening: happening.__name__)
def test_whatever_happens_in_the_middle_nothing_grows_and_all_of_it_ends_flat(stages, happening) -> None:
    for made in each_step(stages, happening, every=4):
        made.finish()
        made.watch.assert_flat()
        assert not Veto.objects.filter(done_at=None).exists()


def test_a_worker_that_died_before_the_clock_went_back_is_followed_at_once(stage) -> None:
    stage.passes(Life(2))
    an_hour_back(stage)
    stage.finish()
    stage.watch.assert_flat()


def test_released_in_the_middle_nothing_opens_and_the_row_says_so(stages) -> None:
    def release(made: Stage) -> None:
        trading_state_set(
            scope_kind="everything",
            scope_key="*",
            mode="active",
            reason="over",
            actor="ann",
            now=made.world.clock.now(),
        )

    for made in each_step(stages, release, every=4):
        made.finish()
        made.watch.look()
        made.watch.veto.refresh_from_db()
        assert made.watch.veto.stage == Veto.Stage.DONE
        assert "released" in made.watch.veto.detail or not made.world.venue.position()


def partly(world: World) -> None:
    world.venue.ioc_most = D("0.4")


def refused_a_few_times(world: World) -> None:
    """The venue takes no close at first."""
    world.venue.ioc_fills = False
    calls = count(1)
    before = world.venue.watch

    def after_three(call: str) -> None:
        if call == "place" and next(calls) > 3:
            world.venue.ioc_fills = True
        before(call)

    world.venue.watch = after_three


def answers_lost(world: World) -> None:
    for call in ("cancel_resting", "place", "fills", "account_snapshot"):
        world.venue.drop_answer(call, Connectivity("reset by peer"))


def busy(world: World) -> None:
    for call in ("open_orders", "place", "cancel_resting"):
        world.venue.refuse(call, RateLimited("HTTP 429", 3.0))


def surprised(world: World) -> None:
    for call in ("open_orders", "cancel_resting", "account_snapshot", "place"):
        world.venue.refuse(call, KeyError("a field nobody knew"))


@pytest.mark.parametrize(
    "fault", [partly, refused_a_few_times, answers_lost, busy, surprised], ids=lambda f: f.__name__
)
def test_a_fault_of_the_venue_delays_and_ends_flat(stage, fault) -> None:
    fault(stage.world)
    stage.passes(times=PASSES)
    stage.watch.assert_flat()


def never_filled(world: World) -> tuple[str, ...]:
    world.venue.ioc_fills = False
    return ("paper-1", "BTC", "ETH", "could not immediately match")


def never_answered(world: World) -> tuple[str, ...]:
    world.venue.before["open_orders"] = [Connectivity("no route to host")] * 1_000
    return ("paper-1", "no route to host")


def never_cancelled(world: World) -> tuple[str, ...]:
    world.venue.before["cancel_resting"] = [Connectivity("gateway time-out")] * 1_000
    return ("paper-1", "gateway time-out")


def unreadable(world: World) -> tuple[str, ...]:
    world.venue.before["account_snapshot"] = [ParseError("positionValue", "a finite number", "NaN")] * 1_000
    return ("paper-1", "positionValue", "NaN")


@pytest.mark.parametrize(
    "fault", [never_filled, never_answered, never_cancelled, unreadable], ids=lambda fault: fault.__name__
)
def test_a_fault_that_lasts_is_told_with_what_is_left_and_why(stage, fault) -> None:
    words = fault(stage.world)
    stage.passes(times=PASSES)
    stage.watch.assert_told(*words)


def test_while_an_order_of_before_the_halt_may_still_arrive_the_row_says_so(stage) -> None:
    lost = stage.world.place("1", "94")
    trading_state_set(
        scope_kind="everything", scope_key="*", mode="active", reason="test", actor="test", now=stage.world.clock.now()
    )
    stage.world.venue.refuse("place", Connectivity("reset by peer"))
    stage.world.send()
    assert stage.world.order(lost.client_order_id).status == "unknown"
    stage.watch = HaltWatch(stage.world, veto(stage.world))
    told: list[str] = []
    stage.world.venue.watch = lambda _: told.append(Veto.objects.order_by("-pk").values_list("detail", flat=True)[0])
    stage.passes(times=PASSES)
    assert any("may still arrive" in words for words in told)
    stage.watch.assert_flat()
