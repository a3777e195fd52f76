"""The exchange floor as an operator sees it: settings can be edited, history can only be read."""

from apps.exchanges.admin import accounts, history, market_data, orders, transfers, venues

__all__ = ["accounts", "history", "market_data", "orders", "transfers", "venues"]
