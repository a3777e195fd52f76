"""Was it the order of the trades? The same trades, drawn again and again: how deep might it have fallen?"""

from __future__ import annotations

import numpy as np

from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.check import Check, CheckCode
from apps.strategies.backtest.honesty.limits import PORTFOLIO_DRAWDOWN, STRATEGY_DRAWDOWN
from apps.strategies.backtest.honesty.reshuffled import Draw, paths, trade_returns

PATHS = 5_000
FEWEST_TRADES = 20


def trade_order(case: Case) -> Check:
    """Return how often trades drawn with replacement fall beyond the drawdown limits; runs no backtest of its own.

    Each trade's result counts as a fraction of the equity then, and trades follow one another; where they overlapped,
    the paths are calmer or rougher than the account was.
    """
    code = CheckCode.TRADE_ORDER
    returns = trade_returns(case.result)
    if len(returns) < FEWEST_TRADES:
        return case.unanswered(code, f"{len(returns)} trades, {FEWEST_TRADES} are needed")
    chance = case.generator()
    drawn = paths(returns, PATHS, Draw.BOOTSTRAPPED, chance)
    ordered = paths(returns, PATHS, Draw.PERMUTED, chance)
    low, middle, high = np.quantile(drawn.final - 1, [0.05, 0.5, 0.95])
    figures = {
        "trades": float(len(returns)),
        "beyond_strategy_limit": float(np.mean(drawn.drawdown > STRATEGY_DRAWDOWN)),
        "beyond_portfolio_limit": float(np.mean(drawn.drawdown > PORTFOLIO_DRAWDOWN)),
        "loss": float(np.mean(drawn.final < 1)),
        "return_5": float(low),
        "return_50": float(middle),
        "return_95": float(high),
        "drawdown_95": float(np.quantile(drawn.drawdown, 0.95)),
        "drawdown_95_reordered": float(np.quantile(ordered.drawdown, 0.95)),
    }
    words = (
        f"of {PATHS} histories with these trades, {figures['beyond_strategy_limit']:.1%} fall more than "
        f"{STRATEGY_DRAWDOWN:.0%}, {figures['beyond_portfolio_limit']:.1%} more than {PORTFOLIO_DRAWDOWN:.0%}; "
        f"in 5 of 100 the return is below {low:.1%}"
    )
    return case.answer(code, figures, words)
