from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.risk.checks.edge import find_edge_below_fees
from apps.risk.review import review
from apps.risk.scope import Fees
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import OrderType, TimeInForce
from moondev.domain.values import Bps, Side

D = Decimal
FEES = Fees(maker=Bps(D("1.5")), taker=Bps(D("4.5")))


def bps(value: str) -> Bps:
    return Bps(D(value))


@pytest.fixture
def asked(facts, limits_with):
    """Return a maker of facts where fees may cost a share of the edge that is stated."""

    def make(share: str = "1", fees: Fees | None = FEES):
        return replace(facts, limits=limits_with(fee_share=D(share)), scope=replace(facts.scope, fees=fees))

    return make


@pytest.mark.parametrize(
    ("order", "both"),
    [
        ({"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC}, "9"),
        ({"time_in_force": TimeInForce.IOC, "price": "99000"}, "9"),
        ({"price": "100001"}, "9"),
        ({"price": "99999"}, "6"),
        ({"time_in_force": TimeInForce.POST_ONLY}, "3"),
    ],
)
def test_a_stated_edge_has_to_pay_the_fees_of_its_way_in_and_out(candidate, asked, order, both) -> None:
    enough, little = bps(both), bps(str(D(both) - D("0.1")))
    assert find_edge_below_fees(candidate(facts=asked(), edge=enough, **order)) is None
    breach = find_edge_below_fees(candidate(facts=asked(), edge=little, **order))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (RefusalCode.EDGE_BELOW_FEES, D(both), little.value)


def test_a_resting_sale_is_a_makers_too(candidate, asked) -> None:
    assert find_edge_below_fees(candidate(Side.SELL, facts=asked(), edge=bps("6"), price="100001")) is None


def test_fees_may_be_held_to_a_part_of_the_edge(candidate, asked) -> None:
    market = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC}
    assert find_edge_below_fees(candidate(facts=asked("0.5"), edge=bps("18"), **market)) is None
    assert find_edge_below_fees(candidate(facts=asked("0.5"), edge=bps("17.9"), **market)) is not None


def test_who_states_no_edge_is_not_asked_and_who_expects_a_loss_is_refused(place, market, asked) -> None:
    silent, loser = place(quantity="0.01"), place(quantity="0.01", edge=bps("-3"))
    reviewed = review([silent, loser], market(), asked())
    assert [approved.request for approved in reviewed.approved] == [silent]
    assert [(refused.request, refused.code) for refused in reviewed.refused] == [(loser, RefusalCode.EDGE_BELOW_FEES)]


def test_a_venue_whose_fees_are_not_known_is_not_free(candidate, asked) -> None:
    assert find_edge_below_fees(candidate(facts=asked(fees=None), edge=bps("50"))).value == "not known"
    assert find_edge_below_fees(candidate(facts=asked(fees=None))) is None


def test_without_a_limit_nobody_asks(candidate, facts) -> None:
    assert find_edge_below_fees(candidate(facts=facts, edge=bps("-50"))) is None
