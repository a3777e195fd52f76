"""The list of checks as a whole, and the rules that every one of them keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.risk.checks import CHECKS
from apps.risk.checks.candidate import Check
from moondev.domain.decisions import RefusalCode


def test_every_check_has_a_name_of_its_own() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_an_ordinary_order_passes(check: Check, candidate) -> None:
    assert check.find(candidate()) is None


def test_exits_meet_only_instrument_rules_trading_state_and_the_wide_band() -> None:
    asked = {check.name for check in CHECKS if check.binds_reducing}
    assert asked == {"trading state", "order size", "price grid", "reducing", "price band"}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_rule_without_a_limit_refuses_to_open(check: Check, candidate, facts, limits_with) -> None:
    needs_limit = {
        "data age",
        "order notional",
        "price band",
        "asset exposure",
        "leverage",
        "strategy drawdown",
        "portfolio drawdown",
    }
    nothing = replace(facts, limits=type(facts.limits)({}))
    breach = check.find(candidate(facts=nothing))
    if check.name in needs_limit:
        assert breach is not None
        assert breach.code is RefusalCode.LIMIT_MISSING
    else:
        assert breach is None
