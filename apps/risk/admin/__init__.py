"""The risk floor as an operator sees it: limits to edit, the kill switch, marks and history to read."""

from apps.risk.admin import accounts, history, limits, marks, trading_state

__all__ = ["accounts", "history", "limits", "marks", "trading_state"]
