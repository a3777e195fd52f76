"""Trading state: a halted scope takes nothing, a reducing scope takes exits only."""

from __future__ import annotations

from apps.exchanges.models import TradingMode
from apps.risk.checks.candidate import Breach, Candidate, Check
from moondev.domain.decisions import RefusalCode


def find_closed_scope(candidate: Candidate) -> Breach | None:
    """Return a breach when the strictest mode around the order does not let it through."""
    mode = candidate.facts.mode(candidate.instrument.key)
    if mode is TradingMode.HALTED:
        return Breach(RefusalCode.TRADING_HALTED, TradingMode.ACTIVE.value, mode.value)
    if mode is TradingMode.REDUCING and not candidate.reduces:
        return Breach(RefusalCode.TRADING_REDUCING, TradingMode.ACTIVE.value, mode.value)
    return None


TRADING_STATE = Check(
    name="trading state",
    codes={
        RefusalCode.TRADING_HALTED: "A scope around the order is halted: only cancels pass.",
        RefusalCode.TRADING_REDUCING: "A scope around the order takes exits only, and this order opens.",
    },
    find=find_closed_scope,
    binds_reducing=True,
)
