"""The venue cancels what nobody minds, and nothing that must stay."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.exchanges.execution.dead_man import AHEAD_SECONDS, REFRESH_SECONDS, REFUSED_SECONDS, DeadMan, dead_man_for
from apps.exchanges.models import AccountEvent, Order, Venue
from moondev.domain.errors import Connectivity, RateLimited, VenueRejected
from moondev.domain.orders import Purpose
from moondev.domain.values import Side
from tests.support.order_world import World, make_world

pytestmark = pytest.mark.django_db
D = Decimal


class Minder:
    """A dead man whose time the test moves, together with the venue's."""

    def __init__(self, world: World) -> None:
        self.world, self.real, self.healthy = world, 1_000.0, True
        self.dead_man = DeadMan("hyperliquid", world.sessions, world.clock, lambda: self.healthy, lambda: self.real)
        self.armed: list[float | None] = []
        world.venue.schedule_cancel = self._schedule

    def _schedule(self, at, nonce) -> None:
        self.world.venue._enter("schedule_cancel", nonce)
        self.armed.append(None if at is None else (at - self.world.clock.now()).total_seconds())

    def look(self, *, after: float = 0.0, connected: bool = True) -> list[float | None]:
        """Look after some seconds; return what was asked of the venue by it."""
        self.real += after
        self.world.clock.advance(timedelta(seconds=after))
        self.armed.clear()
        self.dead_man.look({self.world.account.pk} if connected else set())
        return list(self.armed)


@pytest.fixture
def minder() -> Minder:
    return Minder(make_world())


def alarms() -> list[str]:
    return list(AccountEvent.objects.filter(kind="dead_man").order_by("pk").values_list("message", flat=True))


def test_nothing_rests_nothing_is_asked(minder: Minder) -> None:
    assert minder.look() == []
    assert minder.world.venue.calls == []


def test_resting_orders_are_guarded_and_the_timer_is_set_forward(minder: Minder) -> None:
    minder.world.rest()
    assert minder.look() == [AHEAD_SECONDS]
    for _ in range(int(REFRESH_SECONDS) - 1):
        assert minder.look(after=1.0) == []
    assert minder.look(after=1.0) == [AHEAD_SECONDS]
    assert alarms() == []


@pytest.mark.parametrize("trouble", ["stream", "market"])
def test_the_timer_runs_out_when_nobody_can_move_the_orders(minder: Minder, trouble: str) -> None:
    minder.world.rest()
    minder.look()
    minder.healthy = trouble != "market"
    connected = trouble != "stream"
    for _ in range(int(AHEAD_SECONDS) - 1):
        assert minder.look(after=1.0, connected=connected) == []
    assert alarms() == []
    minder.look(after=1.0, connected=connected)
    assert "went off after 60 s of silence" in alarms()[0]
    # All is well again, and something rests: it is armed anew.
    minder.healthy = True
    assert minder.look(after=1.0) == [AHEAD_SECONDS]


def test_an_account_that_nobody_hears_is_not_armed_in_the_first_place(minder: Minder) -> None:
    minder.world.rest()
    assert minder.look(connected=False) == []


def test_a_protective_order_takes_the_timer_back_at_once(minder: Minder) -> None:
    """Hyperliquid's switch would cancel the stop as well."""
    minder.world.rest()
    minder.look()
    minder.world.venue.trade("BTC", Side.BUY, D(1), D(100))
    stop = minder.world.rest(side=Side.SELL, purpose=Purpose.PROTECTIVE)
    assert minder.look(after=1.0) == [None]
    assert minder.look(after=1.0) == []
    minder.world.cancel(stop)
    minder.world.send()
    assert minder.look(after=1.0) == [AHEAD_SECONDS]


def test_what_a_process_before_us_armed_is_taken_back_once(minder: Minder) -> None:
    minder.world.venue.trade("BTC", Side.BUY, D(1), D(100))
    minder.world.rest(side=Side.SELL, purpose=Purpose.PROTECTIVE)
    assert minder.look() == [None]
    assert minder.look(after=60.0) == []


def test_a_stop_that_only_the_venue_knows_is_not_put_at_risk(minder: Minder) -> None:
    """Somebody placed it by hand, or its row cannot be read: it may be a stop."""
    order = minder.world.rest()
    minder.world.venue.odd.add(order.venue_order_id)
    assert minder.look() == []
    minder.world.venue.odd.clear()
    assert minder.look(after=REFRESH_SECONDS) == [AHEAD_SECONDS]


def test_the_timer_is_taken_back_when_nothing_rests_any_more_but_not_between_two_quotes(minder: Minder) -> None:
    """Each time it goes off counts against ten a day, also with nothing left to cancel."""
    order = minder.world.rest()
    minder.look()
    minder.world.cancel(order)
    minder.world.send()
    assert minder.look(after=1.0) == []
    assert minder.look(after=REFRESH_SECONDS) == [None]
    assert minder.look(after=120.0) == []
    assert alarms() == []


def test_a_venue_that_refuses_is_left_alone_for_a_while_and_a_person_is_told_once(minder: Minder) -> None:
    minder.world.rest()
    minder.world.venue.refuse("schedule_cancel", VenueRejected("refused", "10 a day have fired"))
    minder.look()
    assert alarms() == ["refused: refused: 10 a day have fired"]
    for _ in range(5):
        minder.look(after=REFUSED_SECONDS / 10)
    assert minder.world.venue.calls.count("schedule_cancel") == 1
    assert minder.look(after=REFUSED_SECONDS / 2) == [AHEAD_SECONDS]


@pytest.mark.parametrize("error", [Connectivity("?"), RateLimited("429", 5.0)])
def test_a_venue_that_was_not_reached_is_tried_again(minder: Minder, error: Exception) -> None:
    minder.world.rest()
    minder.world.venue.refuse("schedule_cancel", error)
    assert minder.look() == []
    assert minder.look(after=1.0) == [AHEAD_SECONDS]
    assert alarms() == []


def test_a_timer_that_could_not_be_set_forward_goes_off_when_the_last_one_said(minder: Minder) -> None:
    minder.world.rest()
    minder.look()
    for _ in range(3):
        minder.world.venue.refuse("schedule_cancel", Connectivity("?"))
        minder.look(after=REFRESH_SECONDS - 0.1)
    minder.look(after=1.0)
    assert len(alarms()) == 1


def test_one_account_s_trouble_keeps_no_other_from_being_minded(minder: Minder) -> None:
    other = minder.world.add_account("paper-2")
    minder.world.rest()
    moved = minder.world.rest()
    Order.objects.filter(pk=moved.pk).update(account_id=max(minder.world.others))
    minder.world.venue.refuse("open_orders", Connectivity("?"))
    minder.dead_man.look({minder.world.account.pk, *minder.world.others})
    assert "schedule_cancel" in other.calls
    assert minder.armed == []


def test_a_venue_without_a_timer_has_nobody_to_mind_it(minder: Minder, monkeypatch) -> None:
    from apps.exchanges.execution import dead_man

    venue = Venue.objects.get()
    assert dead_man_for(venue, minder.world.clock) is not None
    for guard in set(dead_man.SilenceGuard) - dead_man.TIMERS:
        monkeypatch.setattr(dead_man, "capabilities", lambda _, guard=guard: type("C", (), {"silence_guard": guard}))
        assert dead_man_for(venue, minder.world.clock) is None
