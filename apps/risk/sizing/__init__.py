"""How much: from wishes in weights to quantities in lots, and what a weight of 1 stands for at each tick."""

from apps.risk.sizing.target import size_target

__all__ = ["size_target"]
