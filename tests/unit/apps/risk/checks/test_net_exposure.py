from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.risk.checks.net_exposure import find_net_exposure
from apps.risk.loads import Load
from apps.risk.review import review
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import Side

D = Decimal
PAPER = ("portfolio", "paper")


def leaning(facts, limits_with, load: Load):
    return replace(facts, limits=limits_with(max_net_exposure=D(20_000), asset_share=D(1)), loads={PAPER: load})


def test_counts_the_orders_of_its_side_as_filled_and_those_of_the_other_as_not(candidate, facts, limits_with) -> None:
    load = leaning(facts, limits_with, Load(net=D(5_000), buys=D(5_000), sells=D(100_000)))
    assert find_net_exposure(candidate(quantity="0.1", facts=load)) is None
    breach = find_net_exposure(candidate(quantity="0.11", facts=load))
    assert breach is not None
    assert (breach.code, breach.value) == (RefusalCode.NET_EXPOSURE_EXCEEDED, D(21_000))


def test_a_short_side_counts_as_a_long_one(candidate, facts, limits_with) -> None:
    load = leaning(facts, limits_with, Load(net=D(-10_000)))
    assert find_net_exposure(candidate(Side.SELL, quantity="0.1", facts=load)) is None
    assert find_net_exposure(candidate(Side.SELL, quantity="0.101", facts=load)).value == D(20_100)


def test_what_leans_too_far_may_be_brought_back(candidate, facts, limits_with) -> None:
    over = leaning(facts, limits_with, Load(net=D(90_000)))
    assert find_net_exposure(candidate(Side.SELL, facts=over)) is None
    assert find_net_exposure(candidate(Side.BUY, facts=over)) is not None


def test_a_batch_adds_up_by_side(place, market, facts, limits_with) -> None:
    load = leaning(facts, limits_with, Load())
    orders = [place(quantity="0.15", price="99999"), place(Side.SELL, quantity="0.15", price="100001"),
              place(quantity="0.06", price="99999")]  # fmt: skip
    reviewed = review(orders, market(), load)
    assert [approved.request for approved in reviewed.approved] == orders[:2]
    assert [refused.code for refused in reviewed.refused] == [RefusalCode.NET_EXPOSURE_EXCEEDED]
