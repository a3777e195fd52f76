from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.risk.checks.open_orders import find_too_many_open
from apps.risk.loads import Load
from apps.risk.review import review
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import Purpose
from moondev.domain.values import Side

D = Decimal
PAPER = ("portfolio", "paper")


def with_open(facts, limits_with, orders: int):
    return replace(
        facts, limits=limits_with(max_open_orders=D(3), asset_share=D(1)), loads={PAPER: Load(orders=orders)}
    )


def test_counts_what_is_open_and_the_order_itself(candidate, facts, limits_with) -> None:
    assert find_too_many_open(candidate(facts=with_open(facts, limits_with, 2))) is None
    breach = find_too_many_open(candidate(facts=with_open(facts, limits_with, 3)))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (
        RefusalCode.OPEN_ORDERS_EXCEEDED, "3 for portfolio:paper", 4,
    )  # fmt: skip


def test_a_batch_counts_its_exits_and_refuses_none_of_them(place, market, facts, limits_with) -> None:
    exits = [place(Side.SELL, "0.01", purpose=Purpose.REDUCING) for _ in range(3)]
    opening = place(quantity="0.01", price="99000")
    reviewed = review([*exits, opening], market(held="1"), with_open(facts, limits_with, 1))
    assert [approved.request for approved in reviewed.approved] == exits
    assert [(refused.request, refused.code) for refused in reviewed.refused] == [
        (opening, RefusalCode.OPEN_ORDERS_EXCEEDED)
    ]


def test_an_amendment_opens_none(candidate, facts, limits_with, working) -> None:
    assert find_too_many_open(candidate(facts=with_open(facts, limits_with, 9), amended=working())) is None
