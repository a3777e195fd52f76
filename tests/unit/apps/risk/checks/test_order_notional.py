from __future__ import annotations

from dataclasses import replace

from apps.risk.checks.order_notional import find_notional_above_limit
from moondev.domain.decisions import RefusalCode


def test_passes_notional_at_the_limit(candidate) -> None:
    assert find_notional_above_limit(candidate(quantity="0.25")) is None


def test_refuses_notional_above_limit(candidate) -> None:
    breach = find_notional_above_limit(candidate(quantity="0.251"))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (RefusalCode.NOTIONAL_EXCEEDS_MAXIMUM, 25_000, 25_100)


def test_refuses_an_instrument_quoted_in_another_currency(candidate, facts) -> None:
    foreign = replace(facts, scope=replace(facts.scope, currency="USDT"))
    breach = find_notional_above_limit(candidate(facts=foreign))
    assert breach is not None
    assert (breach.code, breach.limit, breach.value) == (RefusalCode.CURRENCY_MISMATCH, "USDT", "USDC")
