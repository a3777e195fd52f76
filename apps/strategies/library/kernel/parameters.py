"""What an operator may set of the Nadaraya-Watson strategy."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from apps.strategies.base import Parameters
from apps.strategies.library.intervals import INTERVALS, Interval
from moondev.domain.errors import InvalidValue

# After 15 lengths less than e^-15 of a Wilder average is still its seed.
WARM_UP_LENGTHS = 15
# Two slopes need three estimates; the spare ones find the slope before a flat stretch.
SPARE_BARS = 20


class KernelParameters(Parameters):
    """The rules of one Nadaraya-Watson strategy: lengths in bars, distances in average true ranges."""

    interval: Interval = Field("1h", description="Length of a bar.")
    kernel: Literal["gaussian", "rational_quadratic"] = Field(
        "gaussian", description="How the weight of a bar falls with its age."
    )
    bandwidth_bars: float = Field(8.0, gt=0, le=200, description="h: age at which weight has clearly fallen, bars.")
    relative_weight: float = Field(
        8.0, gt=0, le=1_000, description="rational_quadratic: a; smaller gives old bars more weight."
    )
    window_bars: int = Field(200, ge=10, le=1_000, description="Bars that the estimate looks back on.")
    entry: Literal["turn", "touch", "either"] = Field(
        "either", description="Open on a turn of the estimate, on a touch of the envelope, or on either."
    )
    envelope: Literal["mean_error", "atr"] = Field(
        "mean_error", description="Width of the envelope: mean absolute error over the window, or average true range."
    )
    envelope_multiple: float = Field(3.0, gt=0, le=20, description="Half width of the envelope, in units of envelope.")
    stochastic: Literal["ignore", "confirm", "open"] = Field(
        "confirm",
        description="StochRSI: not used; a signal counts only after an extreme; or an extreme opens by itself.",
    )
    rsi_bars: int = Field(14, ge=2, le=100, description="Bars of the RSI.")
    stochastic_bars: int = Field(14, ge=2, le=100, description="Bars of the range of the RSI.")
    extreme_level: float = Field(
        10.0, gt=0, lt=50, description="StochRSI below this is oversold, above 100 less this overbought."
    )
    extreme_bars: int = Field(14, ge=1, le=100, description="Bars within which crossings into an extreme count.")
    exit_crossings: int = Field(
        2, ge=0, le=20, description="Crossings into the opposite extreme, since entry, that close a trade; 0 is none."
    )
    atr_bars: int = Field(14, ge=2, le=100, description="Bars of the average true range.")
    stop_atr: float = Field(2.0, ge=0, le=20, description="Distance of the stop, in average true ranges; 0 is none.")
    risk_percent: float = Field(1.0, gt=0, le=5, description="Per cent of equity that a trade loses at its stop.")
    max_weight: float = Field(0.5, gt=0, le=1, description="Largest share of the allocation that a trade may take.")

    @model_validator(mode="after")
    def _window_holds_the_kernel(self) -> Self:
        if self.window_bars < 2 * self.bandwidth_bars:
            allowed = f"at least twice bandwidth_bars ({self.bandwidth_bars:g})"
            raise InvalidValue("window_bars", self.window_bars, allowed)
        return self

    @property
    def bar(self) -> timedelta:
        """Return the length of a bar."""
        return INTERVALS[self.interval]

    @property
    def watches_momentum(self) -> bool:
        """Return whether StochRSI has a say in anything."""
        return self.stochastic != "ignore" or self.exit_crossings > 0

    @property
    def minimum_bars(self) -> int:
        """Return the bars without which nothing can be decided."""
        band = self.window_bars if self.envelope == "mean_error" and self.entry != "turn" else 2
        momentum = self.rsi_bars + self.stochastic_bars + self.extreme_bars if self.watches_momentum else 0
        return max(self.window_bars + band + 1, momentum + 1, self.atr_bars + 2)

    @property
    def history_bars(self) -> int:
        """Return the bars to ask for: enough for the Wilder averages to forget their start."""
        warm_up = WARM_UP_LENGTHS * max(self.rsi_bars, self.atr_bars) + self.stochastic_bars + self.extreme_bars
        return max(self.minimum_bars + SPARE_BARS, warm_up)


CANONICAL = KernelParameters()
# The bot this began as, by intent: in at a turn or an extreme, out at the opposite one, no stop. Its 1,000 contracts
# have no meaning across venues.
ORIGINAL = KernelParameters(entry="turn", stochastic="open", stop_atr=0.0, max_weight=0.25)
# A short kernel on minute bars: turns every few minutes in any market. For demonstrations; after fees it loses.
FAST = KernelParameters(
    interval="1m",
    bandwidth_bars=1.0,
    window_bars=10,
    envelope_multiple=1.0,
    stochastic="ignore",
    exit_crossings=0,
    atr_bars=7,
    stop_atr=3.0,
    risk_percent=0.05,
    max_weight=0.2,
)
