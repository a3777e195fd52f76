"""Copies share one limit: what the review says with what the others held when the tick began."""

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.risk.checks.asset_correlation import find_asset_correlation
from apps.risk.checks.strategy_correlation import find_strategy_correlation
from apps.risk.correlation.book import Shared
from apps.risk.review import review
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import Side

D = Decimal
COPIES = Shared(("copy", "other", "turtle"), "copy", 0.934, D(15_000), D(6_000))


def test_a_copy_is_refused_above_what_is_shared_and_the_refusal_names_it(candidate, facts):
    assert find_strategy_correlation(candidate(facts=facts)) is None
    shared = replace(facts, copies=COPIES)
    assert find_strategy_correlation(candidate(quantity="0.09", facts=shared)) is None
    breach = find_strategy_correlation(candidate(quantity="0.0901", facts=shared))
    assert breach.code is RefusalCode.STRATEGIES_CORRELATED
    assert (breach.limit, breach.value) == ("15000 shared with copy and 1 more (correlation 0.93)", D("15010"))
    tallied = candidate(quantity="0.05", facts=shared)
    tallied.tally.expose("ETH", D(5_000))
    assert find_strategy_correlation(tallied).value == D(16_000)


def test_what_the_group_may_hold_is_not_known_refuses_and_is_never_taken_for_zero(candidate, facts):
    unknown = replace(COPIES, most=None)
    assert find_strategy_correlation(candidate(facts=replace(facts, copies=unknown))).code is RefusalCode.EQUITY_UNKNOWN
    alike = candidate(facts=replace(facts, alike={"BTC": unknown}))
    assert find_asset_correlation(alike).code is RefusalCode.EQUITY_UNKNOWN


def test_assets_that_move_as_one_share_what_one_may_be(candidate, facts):
    shared = Shared(("BTC", "ETH"), "ETH", 0.95, D(20_000), D(15_000))
    one = replace(facts, alike={"BTC": shared})
    assert find_asset_correlation(candidate(quantity="0.05", facts=one)) is None
    breach = find_asset_correlation(candidate(quantity="0.051", facts=one))
    assert breach.code is RefusalCode.ASSETS_CORRELATED
    assert (breach.limit, breach.value) == ("20000 shared with ETH (correlation 0.95)", D("20100"))
    assert find_asset_correlation(candidate(facts=replace(facts, alike={"ETH": shared}))) is None


@pytest.mark.parametrize("held", ["0.1", "-0.1"])
def test_reducing_is_never_asked(market, facts, place, held):
    full = Shared(("copy", "turtle"), "copy", 0.99, D(0), D(1_000_000))
    shared = replace(facts, copies=full, alike={"BTC": full})
    exit_side = Side.SELL if held == "0.1" else Side.BUY
    assert not review([place(exit_side, quantity="0.1")], market(held), shared).refused
    (refused,) = review([place(exit_side.opposite, quantity="0.05")], market(held), shared).refused
    assert refused.code is RefusalCode.STRATEGIES_CORRELATED
