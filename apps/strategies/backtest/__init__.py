"""Backtests: what a strategy would have done on recorded data, with what it would have cost."""
