"""What an operator may set of the consolidation pop."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from apps.strategies.library.bracketed.parameters import WARM_UP_LENGTHS, BracketedParameters
from apps.strategies.library.bracketed.trading import Window
from apps.strategies.library.intervals import Interval
from moondev.domain.errors import InvalidValue


class PopParameters(BracketedParameters):
    """What counts as quiet, whether to fade the range or follow its break, and where the trade ends."""

    interval: Interval = Field("5m", description="Length of a bar.")
    max_positions: int = Field(1, ge=1, le=100, description="Trades open or being entered at once, at most.")
    mode: Literal["fade", "breakout"] = Field(
        "fade", description="Buy low and sell high inside the range, or follow a close beyond it."
    )
    range_bars: int = Field(10, ge=3, le=500, description="Bars of the range.")
    quiet_by: Literal["range_percent", "band_width", "true_ranges"] = Field(
        "range_percent",
        description="What has to be small: range / close, Bollinger width among its past, or range / true range.",
    )
    quiet_percent: float = Field(0.7, gt=0, le=50, description="Largest quiet range, per cent of the close.")
    band_bars: int = Field(20, ge=2, le=500, description="Bars of the Bollinger bands.")
    band_past_bars: int = Field(120, ge=20, le=2_000, description="Widths among which the newest is ranked, bars.")
    band_quantile_percent: float = Field(
        20.0, gt=0, lt=100, description="Per cent of its past widths that may be narrower."
    )
    quiet_true_ranges: float = Field(4.0, gt=0, le=50, description="Largest quiet range, average true ranges.")
    atr_bars: int = Field(14, ge=2, le=200, description="Bars over which the true range is averaged.")
    zone_fraction: float = Field(
        1 / 3, gt=0, lt=0.5, description="Share of the range at either end in which the fade trades."
    )
    take_profit_percent: float = Field(0.3, gt=0, le=50, description="Profit that the fade takes, per cent.")
    stop_percent: float = Field(0.25, gt=0, le=50, description="Distance of the fade's stop, per cent.")
    stop_from: Literal["entry", "range"] = Field(
        "range", description="Whether the fade's stop counts from the entry or from the end of the range."
    )
    entry_valid_bars: int = Field(
        0, ge=0, le=100, description="Bars that the fade's limit at the close may wait; 0 enters at the market."
    )
    break_true_ranges: float = Field(
        0.1, ge=0, le=10, description="How far beyond the range a break has to close, average true ranges."
    )
    volume_ratio: float = Field(
        1.5, ge=0, le=100, description="Least volume of a break, times the mean of the range's bars; 0 is no filter."
    )
    target_ranges: float = Field(1.0, gt=0, le=20, description="Profit that the break takes, heights of the range.")

    @model_validator(mode="after")
    def _quiet_can_be_told(self) -> Self:
        if self.quiet_by == "true_ranges" and self.quiet_true_ranges <= 1:
            raise InvalidValue("quiet_true_ranges", self.quiet_true_ranges, "above 1: a range holds its own bars")
        return self

    @property
    def window(self) -> Window:
        """Return the bars without which nothing can be decided, and those to look at."""
        fewest = max(self.range_bars, self.atr_bars) + 2
        if self.quiet_by == "band_width":
            fewest = max(fewest, self.band_bars + self.band_past_bars)
        return Window(fewest, fewest + WARM_UP_LENGTHS * self.atr_bars)


CANONICAL = PopParameters()
BREAKOUT = PopParameters(mode="breakout", quiet_by="band_width", max_hold_bars=100)
# The bot this began as, with the range that its comments mean and both distances from the entry.
ORIGINAL = PopParameters(range_bars=20, stop_from="entry", entry_valid_bars=1)
# A range of five minutes, nearly always quiet: trades at once. For demonstrations; after fees it loses.
FAST = PopParameters(
    interval="1m",
    range_bars=5,
    quiet_percent=2.0,
    atr_bars=5,
    take_profit_percent=0.1,
    stop_percent=0.1,
    stop_from="entry",
    max_hold_bars=5,
)
