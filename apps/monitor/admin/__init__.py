"""The monitor floor as an operator sees it: tokens to make and end, the audit trail to read, who is told and how."""

from apps.monitor.admin import alerts, audit, channels, slos, tokens

__all__ = ["alerts", "audit", "channels", "slos", "tokens"]
