from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.risk.checks.gross_exposure import find_gross_exposure
from apps.risk.limits import LimitBook
from apps.risk.loads import Load
from apps.risk.review import review
from moondev.domain.decisions import RefusalCode

D = Decimal
HELD = Load(net=D(-30_000), held=D(50_000), buys=D(10_000), sells=D(5_000))


@pytest.mark.parametrize(
    "where",
    [
        ("everything", "*"), ("portfolio", "paper"), ("venue", "hyperliquid"), ("account", "paper-1"),
        ("strategy", "turtle"), ("asset", "BTC"), ("instrument", "hyperliquid:BTC"),
    ],
)  # fmt: skip
def test_binds_what_every_kind_of_scope_carries_and_names_the_scope(candidate, facts, where) -> None:
    full = replace(facts, limits=LimitBook({("max_gross_exposure", *where): D(75_000)}), loads={where: HELD})
    assert find_gross_exposure(candidate(quantity="0.1", facts=full)) is None
    breach = find_gross_exposure(candidate(quantity="0.101", facts=full))
    assert breach is not None
    assert (breach.code, breach.value) == (RefusalCode.GROSS_EXPOSURE_EXCEEDED, D(75_100))
    assert breach.limit == f"75000 for {where[0]}:{where[1]}"


def test_of_several_scopes_the_tightest_wins(candidate, facts) -> None:
    limits = LimitBook({
        ("max_gross_exposure", "portfolio", "paper"): D(1_000_000), ("max_gross_exposure", "asset", "BTC"): D(9_999),
    })  # fmt: skip
    breach = find_gross_exposure(candidate(facts=replace(facts, limits=limits, loads={})))
    assert breach is not None
    assert breach.limit == "9999 for asset:BTC"


def test_a_batch_adds_up_and_what_it_refuses_is_not_approved(place, market, facts, limits_with) -> None:
    limited = replace(facts, limits=limits_with(max_gross_exposure=D(15_000), asset_share=D(1)), loads={})
    orders = [place(quantity="0.1"), place(quantity="0.06"), place(quantity="0.05")]
    reviewed = review(orders, market(), limited)
    assert [approved.request for approved in reviewed.approved] == [orders[0], orders[2]]
    assert [(refused.request, refused.code) for refused in reviewed.refused] == [
        (orders[1], RefusalCode.GROSS_EXPOSURE_EXCEEDED)
    ]


def test_loads_that_were_not_read_are_not_zero(candidate, facts, limits_with) -> None:
    unread = replace(facts, limits=limits_with(max_gross_exposure=D(15_000)))
    breach = find_gross_exposure(candidate(facts=unread))
    assert breach is not None
    assert breach.code is RefusalCode.LOAD_UNKNOWN
    assert find_gross_exposure(candidate(facts=facts)) is None


def test_accounts_in_other_currencies_count_with_the_dearest(candidate, facts, limits_with) -> None:
    class Equities:
        dearest = {"paper": D("1.5")}

    mixed = replace(facts, limits=limits_with(max_gross_exposure=D(15_000)), loads={}, equities=Equities())
    assert find_gross_exposure(candidate(quantity="0.1", facts=mixed)) is None
    assert find_gross_exposure(candidate(quantity="0.101", facts=mixed)).value == D(15_150)
    Equities.dearest = {"paper": None}
    assert find_gross_exposure(candidate(facts=mixed)).code is RefusalCode.EQUITY_UNKNOWN
