from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.risk.checks.asset_exposure import find_asset_exposure
from apps.risk.checks.candidate import Tally
from moondev.domain.decisions import RefusalCode


def holding(amount: int) -> Tally:
    tally = Tally()
    tally.expose("BTC", Decimal(amount))
    return tally


def test_passes_exposure_at_the_share_of_portfolio_equity(candidate) -> None:
    assert find_asset_exposure(candidate(quantity="0.1", tally=holding(10_000))) is None


def test_refuses_exposure_above_the_share_of_portfolio_equity(candidate) -> None:
    breach = find_asset_exposure(candidate(quantity="0.1", tally=holding(10_001)))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (RefusalCode.ASSET_EXPOSURE_EXCEEDED, 20_000, 20_001)


def test_exposure_in_another_asset_does_not_count(candidate) -> None:
    tally = Tally()
    tally.expose("ETH", Decimal(20_000))
    assert find_asset_exposure(candidate(quantity="0.2", tally=tally)) is None


def test_unknown_equity_refuses_to_open(candidate, facts) -> None:
    breach = find_asset_exposure(candidate(facts=replace(facts, portfolio_equity=None)))
    assert breach is not None
    assert breach.code is RefusalCode.EQUITY_UNKNOWN


def test_an_amendment_counts_only_what_it_adds(candidate, working) -> None:
    resting = working(quantity="0.1", price="100000")
    assert find_asset_exposure(candidate(quantity="0.1", amended=resting, tally=holding(20_000))) is None
    dearer = candidate(quantity="0.1", price="100010", amended=resting, tally=holding(20_000))
    breach = find_asset_exposure(dearer)
    assert breach is not None
    assert breach.value == 20_001
