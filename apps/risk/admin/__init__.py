"""The risk floor as an operator sees it: limits, breakers and rates to edit, the kill switch, the truth to read."""

from apps.risk.admin import (
    accounts,
    breakers,
    correlations,
    history,
    limits,
    marks,
    rates,
    rules,
    sizing,
    trading_state,
    truth,
)

__all__ = [
    "accounts",
    "breakers",
    "correlations",
    "history",
    "limits",
    "marks",
    "rates",
    "rules",
    "sizing",
    "trading_state",
    "truth",
]
