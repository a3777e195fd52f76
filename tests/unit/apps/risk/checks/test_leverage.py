from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from apps.risk.checks.candidate import Tally
from apps.risk.checks.leverage import find_leverage
from moondev.domain.decisions import RefusalCode


def gross(amount: int) -> Tally:
    tally = Tally()
    tally.expose("ETH", Decimal(amount))
    return tally


def test_passes_gross_exposure_at_the_multiple_of_equity(candidate) -> None:
    assert find_leverage(candidate(quantity="0.1", tally=gross(490_000))) is None


def test_refuses_gross_exposure_above_the_multiple_of_equity(candidate) -> None:
    breach = find_leverage(candidate(quantity="0.1", tally=gross(490_001)))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (RefusalCode.LEVERAGE_EXCEEDED, 500_000, 500_001)


def test_lost_equity_lowers_what_may_be_held(candidate, facts) -> None:
    poor = replace(facts, strategy_equity=Decimal(1_999))
    assert find_leverage(candidate(quantity="0.1", facts=poor)) is not None


def test_unknown_equity_refuses_to_open(candidate, facts) -> None:
    breach = find_leverage(candidate(facts=replace(facts, strategy_equity=None)))
    assert breach is not None
    assert breach.code is RefusalCode.EQUITY_UNKNOWN
