"""The limits that hold where no others are set; the rows of the admin begin as these."""

from __future__ import annotations

from apps.strategies.backtest.honesty.check import CheckCode, Limit

C = CheckCode
# Of a strategy's and the portfolio's drawdown limit, as the risk floor sets them.
STRATEGY_DRAWDOWN, PORTFOLIO_DRAWDOWN = 0.15, 0.25

LIMITS: tuple[Limit, ...] = (
    # Any difference is one too many.
    Limit(C.LOOK_AHEAD, "differences", at_most=0),
    Limit(C.DRIFT, "decisions_differing", at_most=0),
    Limit(C.DRIFT, "worst_price_bps", at_most=1.0),
    Limit(C.DRIFT, "exposure_differing", at_most=0.001),
    # An edge worth trading is twice what a round trip costs: then costs may double before it is gone.
    Limit(C.FEES, "net_double", at_least=0.0),
    Limit(C.FEES, "edge_over_cost", at_least=2.0),
    Limit(C.STABILITY, "share_profitable", at_least=0.7),
    # A peak that stands three times above its surroundings is luck more often than insight.
    Limit(C.STABILITY, "best_over_median", at_most=3.0),
    Limit(C.WALK_FORWARD, "out_of_sample", at_least=0.0),
    # Half of what was found in training is what R. Pardo asks for.
    Limit(C.WALK_FORWARD, "efficiency", at_least=0.5),
    Limit(C.TRADE_ORDER, "beyond_strategy_limit", at_most=0.05),
    Limit(C.TRADE_ORDER, "beyond_portfolio_limit", at_most=0.01),
    Limit(C.RANDOM_ENTRIES, "p_value", at_most=0.05),
    Limit(C.DEFLATED_SHARPE, "deflated", at_least=0.95),
)
