"""From a wish in weights to a quantity in lots, inside the money the strategy was given."""

from __future__ import annotations

import math
from decimal import Decimal

from moondev.domain.desired import Target
from moondev.domain.errors import InvalidValue
from moondev.domain.instruments import Instrument
from moondev.domain.values import Quantity

# A market order reserves at its worst price, so a position sized to the last cent of a limit would be
# refused for the slippage it allows itself.
ASSET_CAP_USED = 0.98


def size_target(
    target: Target,
    equity: float,
    leverage: float,
    price: float,
    instrument: Instrument,
    *,
    asset_cap: float | None = None,
) -> Quantity:
    """Return the quantity (without direction) that `target` stands for, floored to whole lots.

    |weight| x equity x leverage / price, and never worth more than `asset_cap` (quote currency; the asset's share of
    portfolio equity; None: no cap here). `leverage` is what the sizing rule allows at this tick, see `multiples`.
    Equity of zero or less buys nothing. Raises InvalidValue for numbers that are not finite.
    """
    _require_finite("equity", equity)
    _require_above_zero("leverage", leverage)
    _require_above_zero("price", price)
    if equity <= 0 or target.weight == 0:
        return Quantity(Decimal(0))
    units = abs(target.weight) * equity * leverage / price
    if asset_cap is not None:
        _require_finite("asset_cap", asset_cap)
        units = min(units, max(asset_cap, 0.0) * ASSET_CAP_USED / price)
    # Twelve places: 0.3 of 10 is three lots of one, not two because floats end in ...9996.
    return Quantity(Decimal(repr(round(float(units), 12)))).floored(instrument.lot)


def _require_finite(field: str, value: float) -> None:
    if not math.isfinite(value):
        raise InvalidValue(field, value, "a finite number")


def _require_above_zero(field: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise InvalidValue(field, value, "a finite number above 0")
