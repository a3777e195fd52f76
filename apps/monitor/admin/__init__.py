"""The monitor floor as an operator sees it: tokens to make and end, the audit trail to read, who is told and how."""

from apps.monitor.admin import alerts, analytics, audit, channels, reports, slos, tokens

__all__ = ["alerts", "analytics", "audit", "channels", "reports", "slos", "tokens"]
