"""Smaller after losses: what is left to lose decides how much is at stake.

Grossman and Zhou (Optimal Investment Strategies for Controlling Drawdowns, Mathematical Finance 3(3), 1993): to never
fall further than a share D below the peak M, hold a multiple of the surplus W - (1 - D) M. Per unit of wealth W and of
what is held at the peak, that is (D - d) / (D x (1 - d)) at a drawdown of d.
"""

from __future__ import annotations


def drawdown_scale(drawdown: float, stops_at: float) -> float:
    """Return the part of its size that is left: 1 at the peak, 0 from a drawdown of `stops_at` on, never rising."""
    if drawdown <= 0:
        return 1.0
    if not drawdown < min(stops_at, 1.0):
        return 0.0
    return min((stops_at - drawdown) / (stops_at * (1 - drawdown)), 1.0)
