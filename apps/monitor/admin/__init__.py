"""The monitor floor as an operator sees it: tokens to make and end, the audit trail to read."""

from apps.monitor.admin import audit, slos, tokens

__all__ = ["audit", "slos", "tokens"]
