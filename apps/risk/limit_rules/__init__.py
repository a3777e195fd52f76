"""What a limit must fit before it is saved: a scope that exists, its currency, and the other limits around it."""

from apps.risk.limit_rules.require import require_limit

__all__ = ["require_limit"]
