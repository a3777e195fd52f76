"""The risk floor as an operator sees it: limits to edit, marks and history to read."""

from apps.risk.admin import limits, marks

__all__ = ["limits", "marks"]
