"""The money that all markets share: what it is worth at each tick, what a signal may take of it, and who refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from apps.risk.models import LimitKind
from apps.risk.sizing import size_target
from apps.strategies.backtest.replaying.ticker import ROUNDING
from apps.strategies.backtest.setting import Setting
from apps.strategies.backtest.vectoring.lane import Lane
from moondev.domain.decisions import RefusalCode
from moondev.domain.desired import Target
from moondev.domain.market_data import Column
from moondev.domain.values import BPS_IN_ONE

_FINAL = frozenset({RefusalCode.STRATEGY_DRAWDOWN.value, RefusalCode.PORTFOLIO_DRAWDOWN.value})


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a trade or its waiting order counts for against the limits, until a moment."""

    instrument: str
    asset: str
    worth: float
    until_ms: int


class Purse:
    """Equity over the steps of a backtest, told forward only; `limits` are those of the review."""

    def __init__(self, setting: Setting, steps: int, limits: Mapping[LimitKind, Decimal], leverage: float) -> None:
        """Begin with the setting's capital; `leverage` is what its sizing rule allows."""
        self.equity = self.peak = float(setting.capital)
        self.leverage = leverage
        self._limits = {kind: float(value) for kind, value in limits.items()}
        self._changes = np.zeros(steps + 1)
        self._told = -1
        self.sizes = self.cut_sizes = 0
        self._exposures: list[Exposure] = []

    @property
    def allocation(self) -> float:
        """Return what a weight of 1 stands for now."""
        return self.equity * self.leverage

    def change(self, steps: int | NDArray[np.int64], amounts: float | Column) -> None:
        """Note by how much equity changes with the bars of `steps`, none of which has been told yet."""
        self._changes[steps] += amounts

    def ended(self, refused: str, now_ms: int) -> bool:
        """Return whether nothing can ever be opened again: refused for the drawdown, and nothing held to recover it."""
        return refused in _FINAL and all(one.until_ms <= now_ms for one in self._exposures)

    def stand(self, step: int) -> None:
        """Go on to the close of bar `step`, which must not lie before the last."""
        if step > self._told:
            path = self.equity + np.cumsum(self._changes[self._told + 1 : step + 1])
            self.equity, self.peak = float(path[-1]), max(self.peak, float(path.max()))
            self._told = step

    def expose(self, exposure: Exposure) -> None:
        """Count a trade or a waiting order."""
        self._exposures.append(exposure)

    def quantity(self, lane: Lane, weight: float, price: float) -> float:
        """Return what a signal of `weight` gets at `price`, in whole lots: no more than the asset's share allows."""
        cap = self._limits[LimitKind.ASSET_SHARE] * self.equity
        target = Target(lane.key, weight, "signal", "")
        sized = size_target(target, self.equity, self.leverage, price, lane.instrument, asset_cap=cap)
        quantity = float(sized.value)
        if quantity:
            self.sizes += 1
            self.cut_sizes += quantity + lane.lot < abs(weight) * self.allocation / price * ROUNDING
        return quantity

    def refusal(
        self, lane: Lane, quantity: float, price: float, mid: float, now_ms: int, leaving: float
    ) -> RefusalCode | None:
        """Return why the review would refuse to open `quantity` at `price`, at worst; None when it would not.

        `leaving` is the worth of an own order that is only just being withdrawn: it may fill yet.
        """
        worth, limits = quantity * price, self._limits
        share = limits[LimitKind.ASSET_SHARE]
        if abs(price - mid) / mid * float(BPS_IN_ONE) > limits[LimitKind.PRICE_BAND_BPS]:
            return RefusalCode.PRICE_OUTSIDE_BAND
        if worth > limits[LimitKind.MAX_ORDER_NOTIONAL]:
            return RefusalCode.NOTIONAL_EXCEEDS_MAXIMUM
        drawdown = max(1 - self.equity / self.peak, 0.0)
        if drawdown >= limits[LimitKind.STRATEGY_DRAWDOWN]:
            return RefusalCode.STRATEGY_DRAWDOWN
        if drawdown >= limits[LimitKind.PORTFOLIO_DRAWDOWN]:
            return RefusalCode.PORTFOLIO_DRAWDOWN
        self._exposures = [one for one in self._exposures if one.until_ms > now_ms]
        # What the market itself still holds is on its way out: this trade turns it round.
        others = [one for one in self._exposures if one.instrument != lane.key]
        same_asset = leaving + sum(one.worth for one in others if one.asset == lane.instrument.asset)
        if worth + same_asset > share * self.equity:
            return RefusalCode.ASSET_EXPOSURE_EXCEEDED
        gross = worth + leaving + sum(one.worth for one in others)
        return RefusalCode.LEVERAGE_EXCEEDED if gross > limits[LimitKind.MAX_LEVERAGE] * self.equity else None
