from __future__ import annotations

from dataclasses import replace

import pytest

from apps.exchanges.models import TradingMode
from apps.risk.checks.trading_state import find_closed_scope
from moondev.domain.decisions import RefusalCode
from moondev.domain.orders import Purpose

ACTIVE = {("portfolio", "paper"): TradingMode.ACTIVE, ("account", "paper-1"): TradingMode.ACTIVE}
SCOPES = [
    ("everything", "*"),
    ("portfolio", "paper"),
    ("venue", "hyperliquid"),
    ("account", "paper-1"),
    ("strategy", "turtle"),
    ("instrument", "hyperliquid:BTC"),
]


@pytest.mark.parametrize("where", SCOPES, ids=lambda scope: scope[0])
@pytest.mark.parametrize("purpose", Purpose)
def test_refuses_everything_while_any_scope_is_halted(candidate, facts, where, purpose) -> None:
    halted = replace(facts, modes={**ACTIVE, where: TradingMode.HALTED})
    breach = find_closed_scope(candidate(facts=halted, purpose=purpose))
    assert breach is not None
    assert breach.code is RefusalCode.TRADING_HALTED


@pytest.mark.parametrize("where", SCOPES, ids=lambda scope: scope[0])
def test_reducing_scope_refuses_openings_only(candidate, facts, where) -> None:
    reducing = replace(facts, modes={**ACTIVE, where: TradingMode.REDUCING})
    breach = find_closed_scope(candidate(facts=reducing))
    assert breach is not None
    assert breach.code is RefusalCode.TRADING_REDUCING
    assert find_closed_scope(candidate(facts=reducing, purpose=Purpose.REDUCING)) is None
    assert find_closed_scope(candidate(facts=reducing, purpose=Purpose.PROTECTIVE)) is None


@pytest.mark.parametrize("missing", list(ACTIVE), ids=lambda scope: scope[0])
def test_a_portfolio_or_account_without_a_row_counts_as_halted(candidate, facts, missing) -> None:
    modes = {scope: mode for scope, mode in ACTIVE.items() if scope != missing}
    breach = find_closed_scope(candidate(facts=replace(facts, modes=modes)))
    assert breach is not None
    assert breach.code is RefusalCode.TRADING_HALTED


def test_a_halt_of_another_strategy_does_not_bind(candidate, facts) -> None:
    modes = {**ACTIVE, ("strategy", "other"): TradingMode.HALTED}
    assert find_closed_scope(candidate(facts=replace(facts, modes=modes))) is None
