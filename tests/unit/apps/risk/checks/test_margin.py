from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.risk.checks.margin import find_too_little_margin
from apps.risk.loads import Load, margin_of
from apps.risk.review import review
from moondev.domain.decisions import RefusalCode

D = Decimal
ACCOUNT = ("account", "paper-1")


@pytest.fixture
def tied_up(facts, limits_with):
    """Return a maker of facts of an account worth 1,000 whose margin may come to 800."""

    def make(used: int, load: Load | None = None):
        limits = limits_with(margin_share=D("0.8"))
        loads = {} if load is None else {ACCOUNT: load}
        return replace(facts, limits=limits, account_equity=D(1_000), margin_used=D(used), loads=loads)

    return make


def test_an_order_ties_up_its_worth_at_the_most_leverage_the_venue_gives(candidate, tied_up) -> None:
    # 0.1 at 100,000 with a leverage of 40 at most.
    assert find_too_little_margin(candidate(quantity="0.1", facts=tied_up(550))) is None
    breach = find_too_little_margin(candidate(quantity="0.1", facts=tied_up(551)))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (RefusalCode.MARGIN_EXCEEDED, 800, 801)


def test_working_orders_count_and_of_positions_the_higher_word(candidate, tied_up) -> None:
    assert margin_of(Load(margin_held=D(300), margin_working=D(50)), D(200)) == 350
    assert margin_of(Load(margin_held=D(100), margin_working=D(50)), D(200)) == 250
    full = tied_up(0, Load(margin_held=D(500), margin_working=D(51)))
    assert find_too_little_margin(candidate(quantity="0.1", facts=full)).value == 801


def test_a_batch_adds_up(place, market, tied_up) -> None:
    poor = tied_up(700)
    limits = type(poor.limits)({**poor.limits.values, ("asset_share", "portfolio", "paper"): D(1)})
    orders = [place(quantity="0.03"), place(quantity="0.02"), place(quantity="0.01")]
    reviewed = review(orders, market(), replace(poor, limits=limits))
    assert [approved.request for approved in reviewed.approved] == [orders[0], orders[2]]
    assert [refused.code for refused in reviewed.refused] == [RefusalCode.MARGIN_EXCEEDED]


@pytest.mark.parametrize(
    ("unknown", "code"),
    [
        ({"account_equity": None}, RefusalCode.EQUITY_UNKNOWN), ({"margin_used": None}, RefusalCode.EQUITY_UNKNOWN),
        ({"loads": None}, RefusalCode.LOAD_UNKNOWN),
    ],
)  # fmt: skip
def test_what_is_not_known_refuses_to_open(candidate, tied_up, unknown, code) -> None:
    breach = find_too_little_margin(candidate(facts=replace(tied_up(0), **unknown)))
    assert breach is not None
    assert breach.code is code
