"""The cross as a strategy of ours, ticked as it is live and told in columns: the trades and money of other engines."""

import pytest

from apps.strategies.backtest.engines import EngineName, backtest
from apps.strategies.backtest.fills import BAR_RULES
from moondev.domain.market_data import BarSeries
from tests.oracle.crosses import CROSSES, SERIES
from tests.oracle.ours import closed, entry_row, exit_row, sampled
from tests.oracle.toy_cross import loaded, setting
from tests.oracle.witness import witnessed

# The beginning of the recording: a tick a bar, and some 70 trades.
BEGINNING = 6_000
ENGINES = (EngineName.REPLAY, EngineName.VECTORISED)


def beginning(bars: BarSeries) -> BarSeries:
    return bars.part(0, min(BEGINNING, len(bars)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", BAR_RULES)
@pytest.mark.parametrize("data", SERIES)
def test_our_strategy_makes_the_trades_of_another_engine_by_the_live_tick_and_by_columns(data, rule, engine):
    # vectorbt answers for all: test_crosses holds the engines to each other.
    theirs = witnessed(CROSSES[data, rule, "vectorbt"])
    bars = beginning(SERIES[data]())
    found = backtest(loaded(bars), setting(bars, rule), engine)
    trades = closed(found.trades)
    count = len(trades)
    assert count >= 30
    assert found.refused == ()
    assert [entry_row(bars, trade, rule) for trade in trades] == theirs["entered"][:count]
    assert [exit_row(bars, trade, rule) for trade in trades] == theirs["exited"][:count]
    assert not [row for row in theirs["exited"][count:] if row < len(bars)]
    assert [trade.entry_price for trade in trades] == pytest.approx(theirs["entry_prices"][:count], abs=1e-9)
    assert [trade.exit_price for trade in trades] == pytest.approx(theirs["exit_prices"][:count], abs=1e-9)
    assert [trade.net for trade in trades] == pytest.approx(theirs["net"][:count], abs=1e-6)
    equity = sampled(found.curve.equity)[:-1]
    assert equity == pytest.approx(theirs["equity"][: len(equity)], abs=1e-6)
