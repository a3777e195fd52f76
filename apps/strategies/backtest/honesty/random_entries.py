"""Is it the entries? Against trades of the same number, length, direction and cost that begin at random bars."""

from __future__ import annotations

import numpy as np

from apps.strategies.backtest.bars import step_ms
from apps.strategies.backtest.honesty.case import Case
from apps.strategies.backtest.honesty.chance_entries import by_market, observed, random_sums
from apps.strategies.backtest.honesty.check import Check, CheckCode

DRAWS = 5_000
FEWEST_TRADES = 20


def random_entries(case: Case) -> Check:
    """Return how often chance does as well: the p-value of the mean net return per trade; runs no backtest of its own.

    A market that rose all the time rewards whoever was long in it; trades at random bars are rewarded as well, so what
    is left is what the entries add. Random trades may overlap.
    """
    code, trades = CheckCode.RANDOM_ENTRIES, len(case.result.trades)
    if trades < FEWEST_TRADES:
        return case.unanswered(code, f"{trades} trades, {FEWEST_TRADES} are needed")
    chance, sums, total = case.generator(), np.zeros(DRAWS), 0.0
    markets = {market.key: market for market in case.setting.markets}
    for key, own in by_market(case.result).items():
        seen = observed(own, step_ms(case.setting.interval))
        drawn = random_sums(markets[key], case.setting, seen, DRAWS, chance)
        if drawn is None:
            longest = int(seen.held.max())
            return case.unanswered(code, f"{key}: a trade of {longest} bars leaves no other place to put it")
        sums, total = sums + drawn, total + float(seen.returns.sum())
    means = sums / trades
    # One more on both sides: the trades themselves are one of the draws, and a p-value is never 0.
    p_value = (1 + int(np.sum(sums >= total))) / (1 + DRAWS)
    figures = {
        "trades": float(trades),
        "p_value": p_value,
        "mean_bps": total / trades * 1e4,
        "random_mean_bps": float(means.mean()) * 1e4,
        "random_95_bps": float(np.quantile(means, 0.95)) * 1e4,
    }
    words = (
        f"{trades} trades made {figures['mean_bps']:.2f} bp each, at random bars {figures['random_mean_bps']:.2f} bp; "
        f"chance does as well in {p_value:.1%} of {DRAWS} draws"
    )
    return case.answer(code, figures, words)
