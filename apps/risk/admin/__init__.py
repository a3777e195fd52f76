"""The risk floor as an operator sees it: limits and breakers to edit, the kill switch, marks and history to read."""

from apps.risk.admin import accounts, breakers, correlations, history, limits, marks, rules, sizing, trading_state

__all__ = ["accounts", "breakers", "correlations", "history", "limits", "marks", "rules", "sizing", "trading_state"]
