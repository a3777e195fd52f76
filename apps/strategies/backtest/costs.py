"""What trading costs: fees, half the spread, slippage, funding and borrowing.

A cost is always a number: whoever wants a backtest without costs says so with `FREE`, and the report shows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column

BPS = 1e-4
YEAR_MS = 365 * 86_400_000
# Venues book funding some milliseconds after the hour it is for; Hyperliquid's records show up to seconds.
MINUTE_MS = 60_000
# A maker may be paid, never more than this.
LARGEST_REBATE_BPS = -5.0


class Slippage(Protocol):
    """How far beyond the touch a market order fills."""

    def bps(self, quantity: Column, volume: Column) -> Column:
        """Return the basis points lost by orders of `quantity` (0 or more) in bars of `volume`, both in base."""
        ...


@dataclass(frozen=True, slots=True)
class FixedSlippage:
    """The same basis points for every order, whatever its size."""

    amount_bps: float = 0.0

    def __post_init__(self) -> None:
        """Refuse slippage that pays."""
        _require("amount_bps", self.amount_bps, 0.0)

    def bps(self, quantity: Column, volume: Column) -> Column:
        """Return the amount for each order."""
        return np.full(np.broadcast_shapes(quantity.shape, volume.shape), self.amount_bps)


@dataclass(frozen=True, slots=True)
class SquareRootImpact:
    """`coefficient_bps` x sqrt(quantity / volume of the bar): small orders slip little, large ones a lot.

    A bar without volume has nobody to trade with; its orders slip `worst_bps`, as does what would slip more.
    Source: Almgren, Thum, Hauptmann and Li, "Direct Estimation of Equity Market Impact", 2005.
    """

    coefficient_bps: float
    worst_bps: float = 500.0

    def __post_init__(self) -> None:
        """Refuse slippage that pays."""
        _require("coefficient_bps", self.coefficient_bps, 0.0)
        _require("worst_bps", self.worst_bps, 0.0)

    def bps(self, quantity: Column, volume: Column) -> Column:
        """Return the impact of each order."""
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(volume > 0, quantity / volume, np.inf)
        impact = np.where(quantity > 0, self.coefficient_bps * np.sqrt(share), 0.0)
        return np.minimum(impact, self.worst_bps)


@dataclass(frozen=True, slots=True)
class FundingRates:
    """Recorded payments: `times` in ms UTC, `rates` as fractions of the notional, above zero when longs pay."""

    times: NDArray[np.int64]
    rates: Column

    def __post_init__(self) -> None:
        """Refuse columns of different length, stamps out of order and rates that are no numbers."""
        if len(self.times) != len(self.rates):
            raise InvalidValue("funding", (len(self.times), len(self.rates)), "as many rates as times")
        if not bool(np.all(np.diff(self.times) > 0)):
            raise InvalidValue("funding times", "out of order", "strictly rising stamps")
        if not bool(np.isfinite(self.rates).all()):
            row = int(np.flatnonzero(~np.isfinite(self.rates))[0])
            raise InvalidValue("funding rate", f"{self.rates[row]} in row {row}", "a finite number in every row")

    def per_bar(self, opened_ms: NDArray[np.int64], step_ms: int) -> Column:
        """Return the sum of the rates that fall on each bar: those stamped after its open, up to its close.

        A payment on the seam of two bars meets the position held until then, so it belongs to the bar that ends.
        One that falls into a gap of the bars is due all the same: the bar before the gap bears it.
        """
        paid = self.times // MINUTE_MS * MINUTE_MS
        rows = np.searchsorted(opened_ms, paid, side="left") - 1
        counts = (rows >= 0) & (paid <= opened_ms[-1] + step_ms)
        sums = np.zeros(len(opened_ms))
        np.add.at(sums, rows[counts], self.rates[counts])
        return sums


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of one instrument at one venue.

    Fees in basis points of the notional (a maker's may be a rebate, below zero), the whole spread in basis points
    of the price, `borrow_per_year` as a fraction of a short's notional (spot margin; 0 for perpetuals).
    """

    maker_bps: float
    taker_bps: float
    spread_bps: float = 0.0
    slippage: Slippage = field(default_factory=FixedSlippage)
    funding: FundingRates | None = None
    borrow_per_year: float = 0.0

    def __post_init__(self) -> None:
        """Refuse costs that are no numbers or pay for trading."""
        _require("maker_bps", self.maker_bps, LARGEST_REBATE_BPS)
        _require("taker_bps", self.taker_bps, 0.0)
        _require("spread_bps", self.spread_bps, 0.0)
        _require("borrow_per_year", self.borrow_per_year, 0.0)

    @property
    def carries(self) -> bool:
        """Return whether holding costs or earns anything."""
        return self.funding is not None or self.borrow_per_year > 0

    def taken_price(self, price: Column, change: Column, volume: Column) -> Column:
        """Return what a market order for `change` (above zero buys) pays: half the spread and the slippage worse."""
        worse = self.spread_bps / 2 + self.slippage.bps(np.abs(change), volume)
        return price * (1 + np.sign(change) * worse * BPS)

    def borrowed(self, held: Column, price: Column, step_ms: int) -> Column:
        """Return what lenders take for shorts held over one bar of `step_ms`."""
        return np.maximum(-held, 0.0) * price * (self.borrow_per_year * step_ms / YEAR_MS)


def _require(name: str, value: float, lowest: float) -> None:
    if not (math.isfinite(value) and lowest <= value):
        raise InvalidValue(name, value, f"a finite number, {lowest:g} or more")


FREE = Costs(maker_bps=0.0, taker_bps=0.0)
