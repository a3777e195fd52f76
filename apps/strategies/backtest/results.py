"""What a backtest leaves behind: frozen, and complete enough to be run again.

Prices, money and quantities are float64 as market data is: a backtest settles no account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from apps.strategies.backtest.costs import Costs
from apps.strategies.backtest.fills import FillRule
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column
from moondev.domain.values import Side

# A reason no strategy gave: the data ended while the position was open, so it is valued at the last close.
END_OF_DATA = "end of data"


@dataclass(frozen=True, slots=True)
class Trade:
    """One round trip, from flat to flat (or to the other side).

    `side` is that of the entry. Prices are the averages paid, spread and slippage included; `quantity` is in base.
    `gross` is the money the prices made, `fees` (0 or more) what venues and lenders took and `funding` what was
    received; paid funding is below zero.
    """

    instrument: str
    side: Side
    quantity: float
    entered_ms: int
    entry_price: float
    exited_ms: int
    exit_price: float
    gross: float
    fees: float
    funding: float
    reason: str

    @property
    def net(self) -> float:
        """Return what the trade added to equity."""
        return self.gross - self.fees + self.funding


@dataclass(frozen=True, slots=True)
class EquityCurve:
    """Equity struck at each `times` (ms UTC, the close of a bar) and the exposure then: signed notional / equity.

    Exposure is NaN where equity is not above zero.
    """

    times: NDArray[np.int64]
    equity: Column
    exposure: Column

    def __post_init__(self) -> None:
        """Refuse columns of different length, no rows, stamps out of order and equity that is no number."""
        if not len(self.times) or not len(self.times) == len(self.equity) == len(self.exposure):
            lengths = (len(self.times), len(self.equity), len(self.exposure))
            raise InvalidValue("curve", lengths, "columns of one length, at least one row")
        if not bool(np.all(np.diff(self.times) > 0)):
            raise InvalidValue("times", "out of order", "strictly rising stamps")
        if not bool(np.isfinite(self.equity).all()):
            row = int(np.flatnonzero(~np.isfinite(self.equity))[0])
            raise InvalidValue("equity", f"{self.equity[row]} in row {row}", "a finite number in every row")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.times)


@dataclass(frozen=True, slots=True)
class DataSource:
    """What the backtest ran on: words for a reader, and a hash of the very numbers."""

    description: str
    content_hash: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """One run. `initial` is the money it began with; `refused` are orders that were not filled, and why.

    `engine` names who computed it; `data` and `costs` are by instrument key. `figures` are what only this engine can
    tell, by name with its unit: fill ratio and adverse selection of a quote backtest.
    """

    strategy: str
    parameters: Mapping[str, object]
    code_hash: str
    engine: str
    rule: FillRule
    data: Mapping[str, DataSource]
    costs: Mapping[str, Costs]
    initial: float
    trades: tuple[Trade, ...]
    curve: EquityCurve
    refused: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def final(self) -> float:
        """Return the equity at the end."""
        return float(self.curve.equity[-1])
