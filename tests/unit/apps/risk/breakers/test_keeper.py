"""What a breaker does when it trips, what it may undo, and what happens when somebody dies or is faster."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError

from apps.exchanges.models import TradingMode, TradingState, Veto
from apps.risk import vetoes
from apps.risk.breakers.half_open import read_half_open
from apps.risk.breakers.keeper import breaker_reset, breakers_look
from apps.risk.breakers.seeds import BREAKERS, seed
from apps.risk.models import Breaker, BreakerChange, BreakerState
from moondev.domain.errors import InvalidValue
from tests.unit.apps.risk.breakers.conftest import NOW

D = Decimal
PORTFOLIO = ("portfolio", "paper")
EVERYTHING = ("everything", "*")


def look(code, reading, *, at=0, scope=PORTFOLIO):
    """Look once, so many minutes after NOW, with one reading for one breaker."""
    value = None if reading is None else D(str(reading))
    return breakers_look(
        lambda breaker: {scope: value} if breaker.code == code else {}, "guard", NOW + timedelta(minutes=at)
    )


def trip(code, reading, **where):
    look(code, reading, **where)
    (turned,) = look(code, reading, **where)
    return turned


def state(scope=PORTFOLIO):
    return TradingState.objects.get(scope_kind=scope[0], scope_key=scope[1])


def finish():
    """Let the veto workers be done."""
    Veto.objects.update(done_at=NOW, stage=Veto.Stage.DONE)


def test_a_bad_day_halves_every_position_and_lets_exits_through(account):
    turned = trip("day-loss", "0.06")
    assert (turned.mode, turned.scope) == ("open", PORTFOLIO)
    veto = Veto.objects.get()
    assert (state().mode, veto.flatten, veto.keep_share) == ("reducing", True, D("0.5"))
    assert "day_loss is 0.06, threshold 0.05" in veto.reason
    look("day-loss", "0.06")
    assert Veto.objects.count() == 1, "it acts once"


def test_it_comes_back_at_a_quarter_of_the_size_and_then_whole(account):
    trip("day-loss", "0.06")
    assert look("day-loss", "0.06", at=31) == [], "its halt is still being carried out"
    assert state().mode == "reducing"
    finish()
    (half,) = look("day-loss", "0.06", at=32)
    assert (half.mode, state().mode) == ("half_open", "active")
    assert read_half_open() == {PORTFOLIO: D("0.25")}
    (closed,) = look("day-loss", "0.06", at=63)
    assert (closed.mode, read_half_open()) == ("closed", {})
    assert [change.mode_to for change in BreakerChange.objects.order_by("pk")] == ["open", "half_open", "closed"]


def test_what_somebody_else_has_stopped_is_neither_softened_nor_released(account):
    trip("order-latency", 900, scope=("venue", "hyperliquid"))
    vetoes.engage(
        scope=("venue", "hyperliquid"), mode=TradingMode.HALTED, flatten=False, reason="mine", actor="ann", now=NOW
    )
    finish()
    (half,) = look("order-latency", 100, at=11, scope=("venue", "hyperliquid"))
    assert half.mode == "half_open"
    assert state(("venue", "hyperliquid")).mode == "halted"


def test_a_halt_that_was_there_before_stays_when_the_breaker_has_cooled_down(account):
    vetoes.engage(scope=PORTFOLIO, mode=TradingMode.HALTED, flatten=False, reason="mine", actor="ann", now=NOW)
    trip("day-loss", "0.06")
    assert (state().mode, Veto.objects.filter(flatten=True).count()) == ("halted", 1)
    finish()
    look("day-loss", "0.06", at=31)
    assert state().mode == "halted"


def test_a_guard_that_died_between_writing_and_acting_is_made_good(account):
    trip("day-loss", "0.06")
    Veto.objects.all().delete()
    TradingState.objects.filter(scope_kind="portfolio").update(mode="active")
    BreakerState.objects.update(epoch=0)
    look("day-loss", "0.06")
    assert (state().mode, Veto.objects.count()) == ("reducing", 1)


def test_two_guards_trip_it_once(account):
    look("day-loss", "0.06")
    stale = BreakerState.objects.get()
    look("day-loss", "0.06")
    assert BreakerState.objects.filter(pk=stale.pk, mode=stale.mode, seen=stale.seen).count() == 0
    look("day-loss", "0.06")
    assert BreakerChange.objects.count() == 1


def test_what_a_guard_stopped_before_it_died_is_released_by_the_breaker_that_cools_down(account):
    trip("day-loss", "0.06")
    BreakerState.objects.update(epoch=0)
    finish()
    (half,) = look("day-loss", "0.06", at=31)
    assert (half.mode, state().mode) == ("half_open", "active")


def test_what_was_halted_before_the_guard_died_stays_halted(account):
    vetoes.engage(scope=PORTFOLIO, mode=TradingMode.HALTED, flatten=False, reason="mine", actor="ann", now=NOW)
    trip("day-loss", "0.06")
    BreakerState.objects.update(epoch=0)
    finish()
    look("day-loss", "0.06", at=31)
    assert state().mode == "halted"


def test_a_guard_that_died_between_acting_and_writing_it_down_halves_nothing_twice(account):
    trip("day-loss", "0.06")
    BreakerState.objects.update(epoch=0)
    look("day-loss", "0.06")
    assert Veto.objects.count() == 1


def test_what_another_breaker_wants_stopped_is_not_released_before_that_one_has_cooled_down(account):
    venue = ("venue", "hyperliquid")
    trip("order-latency", 900, scope=venue)
    trip("error-rate", "0.5", scope=venue, at=1)
    assert Veto.objects.count() == 1, "it is stopped already"
    finish()
    (half,) = look("order-latency", 100, at=11, scope=venue)
    assert (half.mode, state(venue).mode) == ("half_open", "reducing")
    assert look("error-rate", "0.5", at=17, scope=venue) == []
    (half,) = look("error-rate", "0.01", at=18, scope=venue)
    assert (half.mode, state(venue).mode) == ("half_open", "active")


def test_a_venue_that_is_sent_nothing_any_more_is_tried_again(account):
    venue = ("venue", "hyperliquid")
    trip("order-latency", 900, scope=venue)
    finish()
    breakers_look(lambda _: {}, "guard", NOW + timedelta(minutes=9))
    assert state(venue).mode == "reducing"
    (half,) = breakers_look(lambda _: {}, "guard", NOW + timedelta(minutes=11))
    assert (half.mode, half.scope, state(venue).mode) == ("half_open", venue, "active")


def test_what_a_person_releases_by_hand_comes_back_at_a_part_of_its_size_and_is_watched_again(account):
    trip("emergency-day-loss", "0.16")
    finish()
    vetoes.release(scope=EVERYTHING, reason="looked into it", actor="ann", now=NOW)
    (half,) = look("emergency-day-loss", "0.16", at=1)
    assert (half.mode, read_half_open()) == ("half_open", {EVERYTHING: D("0.25")})
    assert state(EVERYTHING).mode == "active"
    assert trip("emergency-day-loss", "0.2", at=2).mode == "open"
    assert state(EVERYTHING).mode == "halted"


def test_halving_is_no_flattening_to_a_breaker_that_flattens(account):
    Breaker.objects.filter(code="day-loss").update(halts=True)
    trip("day-loss", "0.06")
    trip("portfolio-drawdown", "0.26")
    assert sorted(Veto.objects.values_list("keep_share", flat=True)) == [D(0), D("0.5")]


def test_a_scope_in_which_nothing_can_be_done_keeps_no_other_from_being_looked_at(account):
    def read(breaker):
        return {("portfolio", "gone"): D("0.06"), PORTFOLIO: D("0.06")} if breaker.code == "day-loss" else {}

    breakers_look(read, "guard", NOW)
    turned = breakers_look(read, "guard", NOW)
    assert [(one.breaker, one.scope) for one in turned] == [("day-loss", PORTFOLIO)]
    assert state().mode == "reducing"


def test_a_manual_breaker_waits_for_a_person_with_a_reason(account):
    trip("emergency-drawdown", "0.31")
    assert (state(EVERYTHING).mode, Veto.objects.get().keep_share) == ("halted", 0)
    finish()
    assert look("emergency-drawdown", "0.01", at=60 * 24) == []
    reset = {"code": "emergency-drawdown", "scope": PORTFOLIO, "actor": "ann", "now": NOW}
    with pytest.raises(InvalidValue, match="reason"):
        breaker_reset(**reset, reason=" ")
    assert breaker_reset(**reset, reason="looked into it").mode == "half_open"
    assert state(EVERYTHING).mode == "active"
    with pytest.raises(InvalidValue, match="one that is open"):
        breaker_reset(**reset, reason="again")


def test_a_reset_is_refused_while_the_halt_is_still_being_carried_out(account):
    trip("emergency-drawdown", "0.31")
    with pytest.raises(InvalidValue, match="still under way"):
        breaker_reset(code="emergency-drawdown", scope=PORTFOLIO, actor="ann", reason="hurry", now=NOW)
    assert BreakerState.objects.get().mode == "open"


@pytest.mark.parametrize("error", [OSError("no such file"), OperationalError("statement timeout")])
def test_a_reading_that_cannot_be_taken_keeps_no_other_breaker_from_looking(account, error):
    def read(breaker):
        if breaker.code == "strategy-drawdown":
            raise error
        return {PORTFOLIO: D("0.26")} if breaker.code == "portfolio-drawdown" else {}

    breakers_look(read, "guard", NOW)
    assert [turned.breaker for turned in breakers_look(read, "guard", NOW)] == ["portfolio-drawdown"]


def test_silence_changes_nothing_and_a_disabled_breaker_does_nothing(account):
    for _ in range(3):
        assert look("day-loss", None) == []
    Breaker.objects.update(enabled=False)
    for _ in range(3):
        assert look("day-loss", "0.5") == []
    assert not Veto.objects.exists()


def test_what_a_person_changed_outlives_the_seeding(account):
    Breaker.objects.filter(code="day-loss").update(threshold=D("0.03"))
    seed()
    assert Breaker.objects.get(code="day-loss").threshold == D("0.03")
    assert Breaker.objects.count() == len(BREAKERS)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"threshold": D(0)}, "allowed: a number above 0"),
        ({"threshold": D("1.5")}, "a share above 0 and up to 1"),
        ({"stops_opening": False}, "nothing would stay closed"),
        ({"close_share": D("1.5")}, "less than or equal to 1"),
    ],
)
def test_a_breaker_that_makes_no_sense_is_refused(account, values, words):
    row = Breaker.objects.get(code="day-loss")
    for name, value in values.items():
        setattr(row, name, value)
    with pytest.raises(ValidationError, match=words):
        row.full_clean()
