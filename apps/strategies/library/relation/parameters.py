"""What an operator may set of the correlation strategy."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from apps.strategies.library.bracketed.parameters import WARM_UP_LENGTHS, BracketedParameters
from apps.strategies.library.intervals import Interval
from moondev.domain.errors import InvalidValue


class CorrelationParameters(BracketedParameters):
    """The rules of followers or of a pair. Distances are per cent of the price, lengths are bars."""

    mode: Literal["lead_lag", "pairs"] = Field(
        "lead_lag", description="Trade what lags behind the leader, or the spread between the leader and one other."
    )
    interval: Interval = Field("5m", description="Length of a bar.")
    max_positions: int = Field(3, ge=1, le=100, description="lead_lag: trades open or being entered at once, at most.")
    max_hold_bars: int = Field(12, ge=0, le=10_000, description="Bars after which a trade is closed; 0 is never.")
    leader: str = Field(
        "ETH", min_length=1, max_length=20, description="Asset that leads, or that hedges the other one of a pair."
    )
    correlation_bars: int = Field(100, ge=20, le=1_000, description="Bars over which returns are correlated.")
    min_correlation: float = Field(
        0.7, ge=-1, lt=1, description="Correlation of returns below which nothing is opened; -1 asks for none."
    )
    exit_correlation: float = Field(
        0.4, ge=-1, lt=1, description="Correlation of returns below which what is open is closed; -1 is never."
    )
    min_edge_percent: float = Field(
        0.5, ge=0, le=20, description="Nothing is opened for a move that is expected to be smaller than this."
    )
    breakout_bars: int = Field(20, ge=2, le=500, description="lead_lag: bars whose extreme the leader has to break.")
    atr_bars: int = Field(14, ge=2, le=100, description="lead_lag: bars of the average true range.")
    move_atr: float = Field(
        1.0, gt=0, le=20, description="lead_lag: move of the leader within a bar that is a signal, average true ranges."
    )
    lag_by: Literal["beta", "move"] = Field(
        "beta", description="lead_lag: a follower is held to beta times the leader's move, or to the move itself."
    )
    entry: Literal["market", "limit"] = Field(
        "market", description="lead_lag: buy at the market, or rest at the close of the signal for a bar."
    )
    take_profit_percent: float = Field(
        0.0, ge=0, le=50, description="lead_lag: distance of the take-profit; 0 is where the follower has caught up."
    )
    stop_percent: float = Field(
        0.0, ge=0, le=50, description="lead_lag: distance of the stop; 0 is stop_atr of the follower instead."
    )
    stop_atr: float = Field(2.0, gt=0, le=20, description="lead_lag: distance of the stop, average true ranges.")
    formation_bars: int = Field(500, ge=50, le=2_000, description="pairs: bars on which the relation is tested.")
    lags: int = Field(2, ge=0, le=20, description="pairs: lagged changes in the Dickey-Fuller regression.")
    max_p_value: float = Field(0.05, gt=0, lt=1, description="pairs: p of no cointegration above which nothing opens.")
    exit_p_value: float = Field(0.5, gt=0, le=1, description="pairs: p above which the relation counts as broken.")
    spread_bars: int = Field(100, ge=10, le=1_000, description="pairs: bars of the mean and deviation of the spread.")
    entry_z: float = Field(2.0, gt=0, le=10, description="pairs: deviations from the mean at which a trade opens.")
    exit_z: float = Field(0.5, ge=0, le=10, description="pairs: deviations from the mean at which it is over.")
    stop_z: float = Field(4.0, gt=0, le=20, description="pairs: deviations from the mean at which it is given up.")
    cooldown_bars: int = Field(20, ge=0, le=10_000, description="pairs: pause after a trade that was given up.")
    max_leg_gap_ms: int = Field(
        5_000, ge=100, le=600_000, description="pairs: time for both legs to fill, else both are undone, milliseconds."
    )

    @model_validator(mode="after")
    def _thresholds_are_in_order(self) -> Self:
        if not self.exit_z < self.entry_z < self.stop_z:
            allowed = f"between exit_z ({self.exit_z:g}) and stop_z ({self.stop_z:g})"
            raise InvalidValue("entry_z", self.entry_z, allowed)
        if self.exit_p_value < self.max_p_value:
            allowed = f"max_p_value ({self.max_p_value:g}) or more"
            raise InvalidValue("exit_p_value", self.exit_p_value, allowed)
        if self.exit_correlation > self.min_correlation:
            allowed = f"min_correlation ({self.min_correlation:g}) or less"
            raise InvalidValue("exit_correlation", self.exit_correlation, allowed)
        if self.spread_bars > self.formation_bars:
            allowed = f"formation_bars ({self.formation_bars}) or less"
            raise InvalidValue("spread_bars", self.spread_bars, allowed)
        return self

    @property
    def minimum_bars(self) -> int:
        """Return the bars without which nothing can be decided."""
        if self.mode == "pairs":
            return max(self.formation_bars, self.correlation_bars + 1)
        return max(self.correlation_bars + 2, self.breakout_bars + 1, self.atr_bars + 2)

    @property
    def history_bars(self) -> int:
        """Return the bars to ask for: some may be missing at one of the two, and an average forgets its start."""
        if self.mode == "pairs":
            return self.minimum_bars + self.spread_bars
        return self.minimum_bars + WARM_UP_LENGTHS * self.atr_bars


CANONICAL = CorrelationParameters()
# The bot this began as, by intent: the follower that has moved least, in at the close, out at fixed distances.
ORIGINAL = CorrelationParameters(
    interval="15m",
    max_positions=1,
    max_hold_bars=0,
    min_correlation=-1.0,
    exit_correlation=-1.0,
    min_edge_percent=0.0,
    lag_by="move",
    entry="limit",
    take_profit_percent=0.25,
    stop_percent=0.2,
)
PAIRS = CorrelationParameters(
    mode="pairs", leader="BTC", interval="1h", weight=0.5, max_hold_bars=200, min_correlation=0.5, exit_correlation=0.2
)
# Minute bars and no demands on the relation: trades in any market. For demonstrations; after fees they lose.
FAST = CorrelationParameters(
    interval="1m",
    max_hold_bars=3,
    correlation_bars=20,
    min_correlation=-1.0,
    exit_correlation=-1.0,
    min_edge_percent=0.0,
    breakout_bars=3,
    atr_bars=5,
    move_atr=0.5,
    lag_by="move",
)
FAST_PAIRS = CorrelationParameters(
    mode="pairs",
    interval="1m",
    leader="BTC",
    weight=0.2,
    max_hold_bars=10,
    correlation_bars=20,
    min_correlation=-1.0,
    exit_correlation=-1.0,
    min_edge_percent=0.0,
    formation_bars=50,
    lags=1,
    max_p_value=0.999,
    exit_p_value=1.0,
    spread_bars=20,
    entry_z=1.0,
    exit_z=0.2,
    cooldown_bars=1,
    max_leg_gap_ms=30_000,
)
