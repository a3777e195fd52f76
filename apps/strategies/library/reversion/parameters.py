"""What an operator may set of mean reversion."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from apps.strategies.library.bracketed.parameters import WARM_UP_LENGTHS, BracketedParameters
from apps.strategies.library.bracketed.trading import Window
from apps.strategies.library.intervals import INTERVALS, OptionalInterval
from moondev.domain.errors import InvalidValue

DAY = timedelta(days=1)


class ReversionParameters(BracketedParameters):
    """How far is too far, what else has to agree, and where the trade ends."""

    signal: Literal["z_score", "bollinger", "vwap", "pullback"] = Field(
        "z_score",
        description="Too far from the mean; back inside the bands; too far from the day's VWAP; or a dip in a trend.",
    )
    length: int = Field(20, ge=2, le=500, description="Bars of the mean and deviation; of the day at least for VWAP.")
    entry_z: float = Field(2.0, gt=0, le=10, description="Distance from the mean that is too far, in deviations.")
    leave_at_mean: bool = Field(True, description="Close once the price is back within exit_z of the mean.")
    exit_z: float = Field(0.5, ge=0, le=10, description="Distance from the mean that counts as back, in deviations.")
    stop_z: float = Field(3.0, ge=0, le=20, description="Distance of the stop from the mean, in deviations; 0 is none.")
    stop_percent: float = Field(
        0.0, ge=0, le=50, description="Distance of the stop from the entry, per cent; 0 is none."
    )
    take_profit_percent: float = Field(0.0, ge=0, le=50, description="Profit that is taken, per cent; 0 is none.")
    entry_offset_percent: float = Field(
        0.0, ge=0, le=20, description="Rest a limit this far beyond the mean, per cent; 0 enters at the market."
    )
    entry_valid_bars: int = Field(1, ge=1, le=100, description="Bars that an entry may wait for its fill.")
    rsi_bars: int = Field(14, ge=2, le=100, description="Length of the relative strength index, bars.")
    rsi_oversold: float = Field(
        30.0, ge=0, lt=50, description="Buy only at or below, sell only at or above 100 less this; 0 is no filter."
    )
    trend_interval: OptionalInterval = Field("4h", description="Trade only with the trend on bars of this length.")
    trend_bars: int = Field(20, ge=2, le=200, description="Bars of the mean that tells the trend.")
    confirm_interval: OptionalInterval = Field(
        "none", description="Enter only when the last bar of this length closed in the trade's direction."
    )
    hold_half_lives: float = Field(
        0.0, ge=0, le=10, description="Half-lives after which a trade is closed; 0 does not estimate them."
    )
    half_life_bars: int = Field(100, ge=20, le=1_000, description="Bars on which the half-life is estimated.")

    @model_validator(mode="after")
    def _can_end(self) -> Self:
        if not self.stop_z and not self.stop_percent:
            raise InvalidValue("stop_percent", self.stop_percent, "above 0 while stop_z is 0: a trade needs a stop")
        if self.stop_z and self.signal != "pullback" and self.stop_z <= self.entry_z:
            raise InvalidValue("stop_z", self.stop_z, f"above entry_z ({self.entry_z:g}), or 0 for none")
        if self.exit_z >= self.entry_z:
            raise InvalidValue("exit_z", self.exit_z, f"below entry_z ({self.entry_z:g})")
        return self

    @model_validator(mode="after")
    def _intervals_fit(self) -> Self:
        if self.trend_bar is not None and self.trend_bar <= self.bar:
            raise InvalidValue("trend_interval", self.trend_interval, f"longer than interval ({self.interval})")
        if self.confirm_bar is not None and self.confirm_bar > self.bar:
            raise InvalidValue("confirm_interval", self.confirm_interval, f"at most interval ({self.interval})")
        if self.signal == "pullback" and self.trend_bar is None:
            raise InvalidValue("trend_interval", self.trend_interval, "a length of bar: a dip is one in a trend")
        if self.signal == "vwap" and self.bar * self.length >= DAY:
            raise InvalidValue("length", self.length, f"less than the bars of {self.interval} in a day")
        return self

    @property
    def trend_bar(self) -> timedelta | None:
        """Return the length of the bars that tell the trend; None without that filter."""
        return INTERVALS.get(self.trend_interval)

    @property
    def confirm_bar(self) -> timedelta | None:
        """Return the length of the bars that confirm an entry; None without that filter."""
        return INTERVALS.get(self.confirm_interval)

    @property
    def window(self) -> Window:
        """Return the bars without which nothing can be decided, and those to look at."""
        fewest = self.length + 1
        if self.rsi_oversold:
            fewest = max(fewest, self.rsi_bars + 1)
        if self.hold_half_lives:
            fewest = max(fewest, self.half_life_bars)
        most = fewest + WARM_UP_LENGTHS * self.rsi_bars if self.rsi_oversold else fewest
        return Window(fewest, max(most, DAY // self.bar) if self.signal == "vwap" else most)

    @property
    def needed(self) -> dict[timedelta, int]:
        """Return how many closed bars of each length the rules look at."""
        counts = {self.bar: self.window.most}
        for length, count in ((self.trend_bar, self.trend_bars), (self.confirm_bar, 2)):
            if length is not None:
                counts[length] = max(counts.get(length, 0), count)
        # What is asked for ends now, what is used ended with the newest bar: shorter bars come more often.
        return {length: count + max(0, self.bar // length - 1) for length, count in counts.items()}


CANONICAL = ReversionParameters(hold_half_lives=2.0)
BOLLINGER = CANONICAL.model_copy(update={"signal": "bollinger"})
VWAP = CANONICAL.model_copy(update={"signal": "vwap"})
# The bot this began as: dips to 0.8 % below the mean, bought in the direction of the 4-hour trend. Its
# orders were cancelled every half hour: two bars. Its exits at 9 and 8 % were of a tenfold margin.
ORIGINAL = ReversionParameters(
    signal="pullback",
    leave_at_mean=False,
    stop_z=0.0,
    stop_percent=0.8,
    take_profit_percent=0.9,
    entry_offset_percent=0.8,
    entry_valid_bars=2,
    rsi_oversold=0.0,
    confirm_interval="5m",
)
# Small distances on minute bars: trades within a few minutes. For demonstrations; after fees it loses.
FAST = ReversionParameters(
    interval="1m",
    length=5,
    entry_z=1.0,
    exit_z=0.2,
    stop_z=0.0,
    stop_percent=0.3,
    take_profit_percent=0.3,
    rsi_oversold=0.0,
    trend_interval="none",
    max_hold_bars=5,
)
