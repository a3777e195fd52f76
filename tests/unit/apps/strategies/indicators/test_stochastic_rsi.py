import numpy as np
import talib

from apps.strategies.indicators.stochastic_rsi import crossings, stochastic_rsi


def test_equals_the_rolling_formula_on_wilders_rsi() -> None:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.01, 400)))
    ours = stochastic_rsi(close, 14, 14)
    rsi = talib.RSI(close, 14)
    assert np.isnan(ours[:27]).all()
    for index in range(27, 400):
        recent = rsi[index - 13 : index + 1]
        expected = 100 * (rsi[index] - recent.min()) / (recent.max() - recent.min())
        assert abs(ours[index] - expected) < 1e-10


def test_runs_from_0_to_100_and_not_to_1() -> None:
    close = 100 + np.sin(np.arange(200.0) / 5)
    known = stochastic_rsi(close, 14, 14)[27:]
    assert known.min() < 1e-9
    assert known.max() > 100 - 1e-9


def test_a_market_that_does_not_move_has_no_extremes() -> None:
    flat = stochastic_rsi(np.full(60, 100.0), 14, 14)
    assert not crossings(flat, 10, -1)[28:].any()
    assert not crossings(flat, 90, 1).any()


def test_counts_a_crossing_once_and_none_next_to_what_is_not_known() -> None:
    values = np.array([np.nan, 5.0, 50.0, 9.0, 8.0, 10.0, 9.9, np.nan, 3.0])
    assert crossings(values, 10, -1).tolist() == [0, 0, 0, 1, 0, 0, 1, 0, 0]
    assert crossings(100 - values, 90, 1).tolist() == [0, 0, 0, 1, 0, 0, 1, 0, 0]
