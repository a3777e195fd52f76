"""Rows of the risk floor: limits with their history, and high-water marks."""

from apps.risk.models.limits import Limit, LimitChange, LimitKind
from apps.risk.models.marks import HighWaterMark

__all__ = ["HighWaterMark", "Limit", "LimitChange", "LimitKind"]
