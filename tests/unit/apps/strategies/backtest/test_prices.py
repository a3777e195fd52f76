"""Prices are thinned into fewer candles without losing a high or a low."""

import numpy as np
import pytest

from apps.strategies.backtest.prices import path_of
from moondev.domain.errors import InvalidValue
from tests.unit.apps.strategies.backtest.runs import HOUR, walk


def test_few_bars_stay_as_they_are():
    bars = walk(100)
    path = path_of(bars)
    assert (len(path), path.step_ms) == (100, HOUR)
    assert path.held == pytest.approx(bars.close[-1] / 100 - 1)


def test_many_bars_become_candles_of_whole_bars_with_every_extreme():
    bars = walk(1_000)
    path = path_of(bars, most=100)
    assert path.step_ms == 10 * HOUR
    assert len(path) <= 101
    assert (path.high.max(), path.low.min()) == (bars.high.max(), bars.low.min())
    assert (path.open[0], path.close[-1]) == (bars.open[0], bars.close[-1])
    assert bool(np.all(path.opened_ms % path.step_ms == 0))
    first = bars.opened_ms < path.opened_ms[1]
    assert path.high[0] == bars.high[first].max()
    assert path.close[0] == bars.close[first][-1]


def test_no_bars_are_refused():
    with pytest.raises(InvalidValue, match="at least one bar"):
        path_of(walk(1).tail(0))
