from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.risk.checks.drawdown import find_portfolio_drawdown, find_strategy_drawdown
from moondev.domain.decisions import RefusalCode

CASES = [
    (find_strategy_drawdown, "strategy_drawdown", "0.15", RefusalCode.STRATEGY_DRAWDOWN),
    (find_portfolio_drawdown, "portfolio_drawdown", "0.25", RefusalCode.PORTFOLIO_DRAWDOWN),
]


@pytest.mark.parametrize(("find", "field", "limit", "code"), CASES)
def test_refuses_from_the_limit_on(candidate, facts, find, field, limit, code) -> None:
    at_limit = replace(facts, **{field: Decimal(limit)})
    breach = find(candidate(facts=at_limit))
    assert breach is not None
    assert (breach.code, breach.limit) == (code, Decimal(limit))
    just_below = replace(facts, **{field: Decimal(limit) - Decimal("0.0001")})
    assert find(candidate(facts=just_below)) is None


@pytest.mark.parametrize(("find", "field", "limit", "code"), CASES)
def test_an_unknown_drawdown_is_not_zero(candidate, facts, find, field, limit, code) -> None:
    breach = find(candidate(facts=replace(facts, **{field: None})))
    assert breach is not None
    assert breach.code is RefusalCode.EQUITY_UNKNOWN
