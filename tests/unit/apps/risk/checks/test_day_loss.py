from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.risk.checks.day_loss import find_day_lost
from apps.risk.day_loss import DayLoss
from apps.risk.review import review
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import Purpose
from moondev.domain.values import Side

D = Decimal


@pytest.fixture
def day(facts, limits_with):
    """Return a maker of facts on a day on which so much was lost, 5 % being allowed."""

    def make(loss: DayLoss | None):
        return replace(facts, limits=limits_with(day_loss=D("0.05")), day_loss=loss)

    return make


def test_opens_until_the_share_is_lost(candidate, day) -> None:
    assert find_day_lost(candidate(facts=day(DayLoss(D("0.0499"))))) is None
    assert find_day_lost(candidate(facts=day(DayLoss(D("-0.2"))))) is None
    breach = find_day_lost(candidate(facts=day(DayLoss(D("0.05")))))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (RefusalCode.DAY_LOSS_REACHED, D("0.05"), D("0.05"))


def test_what_a_breaker_has_taken_for_granted_is_believed_until_a_tenth_more_is_lost(candidate, day) -> None:
    assert find_day_lost(candidate(facts=day(DayLoss(D("0.065"), D("0.06"))))) is None
    assert find_day_lost(candidate(facts=day(DayLoss(D("0.066"), D("0.06"))))) is not None
    assert find_day_lost(candidate(facts=day(DayLoss(D("0.05"), D("0.01"))))) is not None


@pytest.mark.parametrize("loss", [None, DayLoss(None)])
def test_a_loss_that_is_not_known_is_not_zero(candidate, day, loss) -> None:
    breach = find_day_lost(candidate(facts=day(loss)))
    assert breach is not None
    assert breach.code is RefusalCode.EQUITY_UNKNOWN


def test_exits_leave_on_the_worst_day(place, market, day) -> None:
    leave, enter = place(Side.SELL, purpose=Purpose.REDUCING), place(price="99000")
    reviewed = review([leave, enter], market(held="1"), day(DayLoss(D("0.5"))))
    assert [approved.request for approved in reviewed.approved] == [leave]
    assert [refused.code for refused in reviewed.refused] == [RefusalCode.DAY_LOSS_REACHED]
