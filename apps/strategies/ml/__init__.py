"""Training filters: which of a strategy's trades win, learnt from its backtest and judged where it was not learnt."""
