from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.risk.checks.order_rate import find_too_many_lately
from apps.risk.limits import LimitBook
from apps.risk.loads import Load
from apps.risk.review import review
from moondev.domain.decisions import RefusalCode

D = Decimal
TURTLE = ("strategy", "turtle")


def lately(facts, placed: int):
    limits = LimitBook({**facts.limits.values, ("orders_per_minute", *TURTLE): D(60)})
    return replace(facts, limits=limits, loads={TURTLE: Load(recent=placed)})


def test_counts_the_last_minute_and_the_order_itself(candidate, facts) -> None:
    assert find_too_many_lately(candidate(facts=lately(facts, 59))) is None
    breach = find_too_many_lately(candidate(facts=lately(facts, 60)))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (
        RefusalCode.ORDER_RATE_EXCEEDED, "60 for strategy:turtle", 61,
    )  # fmt: skip


def test_a_batch_is_let_through_as_far_as_the_minute_has_room(place, market, facts) -> None:
    orders = [place(quantity="0.01") for _ in range(5)]
    reviewed = review(orders, market(), lately(facts, 58))
    assert [approved.request for approved in reviewed.approved] == orders[:2]
    assert {refused.code for refused in reviewed.refused} == {RefusalCode.ORDER_RATE_EXCEEDED}


def test_an_amendment_places_nothing(candidate, facts, working) -> None:
    assert find_too_many_lately(candidate(facts=lately(facts, 999), amended=working())) is None
