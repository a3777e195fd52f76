"""What is sought: figures of a backtest, and which way each is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from apps.strategies.backtest.metrics import DAY_MS, DAYS_A_YEAR, Metrics, metrics_of
from apps.strategies.backtest.results import BacktestResult
from moondev.domain.errors import InvalidValue

Figures = Mapping[str, float | None]

# Each as (how it is read off the figures, 1 where more is better and -1 where less is).
_METRICS: Mapping[str, Callable[[Metrics], float | None]] = MappingProxyType(
    {
        "sharpe": lambda m: m.sharpe,
        "sortino": lambda m: m.sortino,
        "calmar": lambda m: m.calmar,
        "total_return": lambda m: m.total_return,
        "drawdown": lambda m: None if m.max_drawdown is None else -m.max_drawdown,
        "volatility": lambda m: m.volatility,
        "net": lambda m: m.net,
        "profit_factor": lambda m: m.profit_factor,
        "win_rate": lambda m: m.win_rate,
        "mean_trade": lambda m: m.mean_trade,
        "fees": lambda m: m.fees,
        "trades": lambda m: float(m.trades),
        "time_in_market": lambda m: m.time_in_market,
    }
)
LESS_IS_BETTER = frozenset({"drawdown", "volatility", "fees", "turnover", "time_in_market"})
OBJECTIVES = (*_METRICS, "turnover")


def figures_of(result: BacktestResult) -> dict[str, float | None]:
    """Return every figure that may be an objective; drawdown as a fraction of 0 or more, turnover a year."""
    metrics = metrics_of(result)
    return {**{name: _finite(read(metrics)) for name, read in _METRICS.items()}, "turnover": turnover(result)}


def turnover(result: BacktestResult) -> float | None:
    """Return the notional traded in a year per unit of mean equity; None without equity above zero."""
    mean = float(result.curve.equity.mean())
    years = (int(result.curve.times[-1]) - int(result.curve.times[0])) / (DAYS_A_YEAR * DAY_MS)
    traded = math.fsum(trade.quantity * (trade.entry_price + trade.exit_price) for trade in result.trades)
    return _finite(traded / mean / years) if mean > 0 and years > 0 else None


def require_objectives(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names. Raises InvalidValue for one there is not, one twice, and none."""
    for name in names:
        if name not in OBJECTIVES:
            raise InvalidValue("objective", name, ", ".join(OBJECTIVES))
    if not names or len(set(names)) != len(names):
        raise InvalidValue("objective", ", ".join(names), "one or more, each once")
    return tuple(names)


def scores_of(figures: Figures, names: Sequence[str]) -> tuple[float, ...] | None:
    """Return the objectives, larger where better; None when one of them is undefined."""
    values = [figures.get(name) for name in names]
    if any(value is None for value in values):
        return None
    return tuple(oriented(name, value) for name, value in zip(names, values, strict=True) if value is not None)


def oriented(name: str, value: float) -> float:
    """Return `value` so that larger is better; the same again returns it as it was."""
    return -value if name in LESS_IS_BETTER else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
