"""Ratios of daily returns in empyrical-reloaded and quantstats, 365 days a year."""

import math
import warnings

import empyrical
import pandas as pd
import quantstats.stats as quantstats
from answering import answer

DAYS = 365


def of_empyrical(returns):
    """Return what empyrical says."""
    return {
        "sharpe": empyrical.sharpe_ratio(returns, annualization=DAYS),
        "sortino": empyrical.sortino_ratio(returns, annualization=DAYS),
        "volatility": empyrical.annual_volatility(returns, annualization=DAYS),
        "max_drawdown": empyrical.max_drawdown(returns),
        "cagr": empyrical.cagr(returns, annualization=DAYS),
        "calmar": empyrical.calmar_ratio(returns, annualization=DAYS),
        "total": empyrical.cum_returns_final(returns),
    }


def of_quantstats(returns):
    """Return what quantstats says."""
    return {
        "sharpe": quantstats.sharpe(returns, periods=DAYS),
        "sortino": quantstats.sortino(returns, periods=DAYS),
        "volatility": quantstats.volatility(returns, periods=DAYS, prepare_returns=False),
        "max_drawdown": quantstats.max_drawdown(returns),
        "cagr": quantstats.cagr(returns, periods=DAYS),
        "total": quantstats.comp(returns),
    }


def reply(columns, _):
    """Ask both about every series; what is no finite number is null."""
    warnings.simplefilter("ignore")
    found = {}
    for name, column in columns.items():
        returns = pd.Series(column, index=pd.date_range("2023-01-02", periods=len(column), freq="D"))
        for library, ask in (("empyrical", of_empyrical), ("quantstats", of_quantstats)):
            found[f"{name}.{library}"] = {key: _finite(value) for key, value in ask(returns).items()}
    return found


def _finite(value):
    return float(value) if math.isfinite(value) else None


if __name__ == "__main__":
    answer(reply, "empyrical-reloaded", "quantstats", "pandas")
