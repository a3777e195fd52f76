"""The monitor floor as an operator sees it: tokens to make and end, the audit trail to read."""

from apps.monitor.admin import audit, tokens

__all__ = ["audit", "tokens"]
