"""How much one unit is, and on how much equity it is counted after losses."""

from __future__ import annotations

import math

from moondev.domain.errors import InvalidValue

LOSS_STEP = 0.10
CUT_PER_STEP = 0.20


def unit_size(equity: float, risk_fraction: float, n: float, point_value: float = 1.0) -> float:
    """Return the contracts of one unit, unrounded: risk x equity / (N x value of one point).

    `equity` in quote currency, `n` in price points, `point_value` the money one contract gains
    per point (1 for a linear perpetual, whose contract is one coin). A move of one N then costs
    `risk_fraction` of the equity. Raises InvalidValue when `n` or `point_value` is not above 0.
    Source: Faith 2003, chapter 3.
    """
    if not n > 0:
        raise InvalidValue("n", n, "a number above 0")
    if not point_value > 0:
        raise InvalidValue("point_value", point_value, "a number above 0")
    return risk_fraction * equity / (n * point_value)


def whole_lots(size: float, lot: float) -> int:
    """Return how many whole lots fit into `size`; a unit is always rounded down."""
    return math.floor(size / lot)


def notional_equity(reference: float, lost: float) -> float:
    """Return the equity to size by after `lost` of `reference` is gone, in quote currency.

    For each tenth lost, trade as if the account were a fifth smaller; the next tenth is a tenth of
    the smaller account: from 1,000,000, a loss of 100,000 gives 800,000 and one of 180,000 gives
    640,000. The steps add up to half the account, at which nothing is left to trade with.
    Source: Faith 2003, chapter 3, "adjusting trading size".
    """
    if reference <= 0 or lost >= reference * LOSS_STEP / CUT_PER_STEP:
        return 0.0
    notional, threshold = reference, LOSS_STEP * reference
    while lost >= threshold and notional > 0:
        notional *= 1 - CUT_PER_STEP
        threshold += LOSS_STEP * notional
    return notional
