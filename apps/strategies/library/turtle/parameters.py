"""What an operator may set of the Turtle system."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from apps.strategies.base import Parameters
from apps.strategies.library.intervals import INTERVALS, Interval
from moondev.domain.errors import InvalidValue

# After 15 lengths less than e^-15 of a Wilder average is still its seed, and the virtual trades
# have met several exits, so that the window's first bar no longer matters.
WARM_UP_LENGTHS = 15


class TurtleParameters(Parameters):
    """The rules of one Turtle: channels in bars, distances in N, risk in per cent of equity."""

    interval: Interval = Field("1d", description="Length of a bar.")
    system: Literal["s1", "s2", "both"] = Field(
        "both", description="Which breakouts to trade: the fast one, the slow one, or both."
    )
    signal_on: Literal["extreme", "close"] = Field(
        "extreme",
        description="Whether a high or low beyond the channel is a breakout, or only a close.",
    )
    s1_entry_bars: int = Field(20, ge=2, le=500, description="Channel of the fast breakout, bars.")
    s1_exit_bars: int = Field(10, ge=0, le=500, description="Opposite channel that ends a fast trade, bars; 0 is none.")
    s2_entry_bars: int = Field(55, ge=2, le=500, description="Channel of the slow breakout, bars.")
    s2_exit_bars: int = Field(20, ge=0, le=500, description="Opposite channel that ends a slow trade, bars; 0 is none.")
    skip_s1_after_winner: bool = Field(
        True,
        description="Skip a fast breakout when the one before would have won, taken or not.",
    )
    n_bars: int = Field(20, ge=2, le=200, description="Bars over which N is averaged.")
    risk_percent: float = Field(1.0, gt=0, le=5, description="Per cent of equity that one unit gains or loses per N.")
    max_units: int = Field(4, ge=1, le=12, description="Units held in one market at most.")
    max_unit_weight: float = Field(
        1.0, gt=0, le=1, description="Largest share of the allocation that one unit may take."
    )
    add_step_n: float = Field(0.5, gt=0, le=5, description="Distance from the last fill to the next unit, in N.")
    stop_n: float = Field(2.0, gt=0, le=20, description="Distance of the stop from a fill, in N.")
    take_profit_percent: float = Field(
        0.0, ge=0, le=50, description="Profit at which the trade is closed, per cent; 0 is none."
    )
    drawdown_rule: bool = Field(True, description="Size as if equity were a fifth smaller for each tenth lost.")
    session_only: bool = Field(False, description="Open only Monday to Friday 09:30 to 16:00 in New York, no holidays.")
    flat_over_weekend: bool = Field(
        False, description="Close on Friday at 16:00 in New York and stay flat until Monday 09:30."
    )

    @model_validator(mode="after")
    def _exits_are_faster(self) -> Self:
        for system in ("s1", "s2"):
            entry, leave = self.entry_bars(system), self.exit_bars(system)
            if leave >= entry:
                allowed = f"less than {system}_entry_bars ({entry})"
                raise InvalidValue(f"{system}_exit_bars", leave, allowed)
        return self

    @property
    def bar(self) -> timedelta:
        """Return the length of a bar."""
        return INTERVALS[self.interval]

    @property
    def minimum_bars(self) -> int:
        """Return the bars without which nothing can be decided."""
        channels = [self.entry_bars(system) for system in self.systems]
        return max(self.n_bars, *channels) + 1

    @property
    def history_bars(self) -> int:
        """Return the bars to ask for: enough for N and the virtual trades to forget their start."""
        return self.minimum_bars + WARM_UP_LENGTHS * max(self.n_bars, self.s1_entry_bars)

    @property
    def systems(self) -> tuple[str, ...]:
        """Return the systems traded, faster first."""
        return ("s1", "s2") if self.system == "both" else (self.system,)

    def entry_bars(self, system: str) -> int:
        """Return the entry channel of `system` ("s1" or "s2"), in bars."""
        return self.s1_entry_bars if system == "s1" else self.s2_entry_bars

    def exit_bars(self, system: str) -> int:
        """Return the exit channel of `system` ("s1" or "s2"), in bars; 0 when it has none."""
        return self.s1_exit_bars if system == "s1" else self.s2_exit_bars


CANONICAL = TurtleParameters()
# The bot this began as: a scalper on a 55-bar break. Its size of one contract has no meaning
# across venues; a tenth of a per cent per N puts the same small sum at risk everywhere.
ORIGINAL = TurtleParameters(
    interval="1m",
    system="s2",
    signal_on="close",
    s2_entry_bars=55,
    s2_exit_bars=0,
    n_bars=14,
    risk_percent=0.1,
    max_units=1,
    max_unit_weight=0.5,
    stop_n=2.0,
    take_profit_percent=0.2,
    drawdown_rule=False,
    session_only=True,
    flat_over_weekend=True,
)
# Short channels on minute bars: trades within a minute or two of any market. For demonstrations;
# after fees it loses.
FAST = TurtleParameters(
    interval="1m",
    system="both",
    s1_entry_bars=3,
    s1_exit_bars=2,
    s2_entry_bars=6,
    s2_exit_bars=3,
    skip_s1_after_winner=False,
    n_bars=5,
    risk_percent=0.01,
    max_unit_weight=0.2,
)
