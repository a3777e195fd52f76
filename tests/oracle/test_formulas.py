"""Our indicators against their definitions in pandas, our statistics against arch, scipy and statsmodels."""

import math

import numpy as np
import pytest
import talib

from apps.strategies.indicators.channels import prior_highest, prior_lowest
from apps.strategies.indicators.half_life import half_life
from apps.strategies.indicators.nadaraya_watson import gaussian_weights, one_sided
from apps.strategies.indicators.regression import fitted, rank_correlation
from apps.strategies.indicators.session_vwap import session_vwap
from apps.strategies.indicators.stochastic_rsi import stochastic_rsi
from apps.strategies.indicators.true_range import average_true_range
from apps.strategies.indicators.z_score import mean_and_deviation, z_scores
from apps.strategies.library.relation.cointegration import related
from tests.oracle.engines.answering import EVERY
from tests.oracle.formulas import INDICATOR_QUESTIONS, LAGS, RELATION_QUESTIONS, STATISTIC, STRETCH, closes
from tests.oracle.witness import witnessed

# What is told apart: prices near 70,000 in float64 sums. TA-Lib takes a variance as a difference of squares, which
# leaves some 1e-7 of a deviation; everything else is a hundred times nearer.
NEAR = 1e-9
ROUGH = {"deviation20": 2e-7, "upper_band": 4e-7, "vwap_deviation": 2e-8}


def ours(bars):
    close, high, low = bars.close, bars.high, bars.low
    mean, deviation = mean_and_deviation(close, 20)
    vwap, around = session_vwap(bars, 1)
    return {
        "atr14": average_true_range(high, low, close, 14),
        "atr20": average_true_range(high, low, close, 20),
        "rsi14": talib.RSI(close, 14),
        "stochastic_rsi": stochastic_rsi(close, 14, 14),
        "sma20": mean,
        "deviation20": deviation,
        "z20": z_scores(close, 20),
        "upper_band": talib.BBANDS(close, 20, 2.0, 2.0)[0],
        "highest55": prior_highest(high, 55),
        "lowest55": prior_lowest(low, 55),
        "vwap": vwap,
        "vwap_deviation": around,
        "kernel": one_sided(close, gaussian_weights(50, 8.0)),
    }


@pytest.mark.parametrize("data", INDICATOR_QUESTIONS)
def test_indicators_are_their_definitions_written_out_from_the_same_bar_on(data):
    theirs = witnessed(INDICATOR_QUESTIONS[data])
    for name, column in ours(STRETCH[data]()).items():
        assert int(np.flatnonzero(np.isfinite(column))[0]) == theirs["first"][name], name
        expected = [math.nan if value is None else value for value in theirs[name]]
        near = ROUGH.get(name, NEAR)
        assert column[::EVERY].tolist() == pytest.approx(expected, abs=near, nan_ok=True), name


@pytest.mark.parametrize("data", INDICATOR_QUESTIONS)
def test_bands_are_those_of_the_whole_window_and_not_of_a_sample_of_it(data):
    theirs = witnessed(INDICATOR_QUESTIONS[data])
    sample, population = (np.array(theirs[name][1:]) for name in ("sample_deviation20", "deviation20"))
    assert sample / population == pytest.approx(math.sqrt(20 / 19), rel=1e-9)
    deviation = ours(STRETCH[data]())["deviation20"][::EVERY][1:]
    assert np.all(np.abs(deviation - population) < np.abs(deviation - sample) / 100)


@pytest.mark.parametrize("name", RELATION_QUESTIONS)
def test_how_two_prices_hang_together_is_what_three_libraries_say(name):
    theirs = witnessed(RELATION_QUESTIONS[name])
    y, x = (np.log(column) for column in closes(name))
    line = fitted(y, x)
    assert [line.alpha, line.beta, line.correlation] == pytest.approx(list(theirs["scipy"].values()), abs=STATISTIC)
    assert [line.alpha, line.beta] == pytest.approx(list(theirs["ols"].values()), abs=STATISTIC)
    assert rank_correlation(y, x) == pytest.approx(theirs["spearman"], abs=STATISTIC)
    assert half_life(line.rest(y, x)) == pytest.approx(theirs["half_life"], rel=STATISTIC)
    assert related(y, x, LAGS).p_value == pytest.approx(theirs["statsmodels"]["p_value"], abs=STATISTIC)


@pytest.mark.parametrize("name", RELATION_QUESTIONS)
def test_the_two_libraries_that_test_for_cointegration_agree_on_the_statistic_and_nearly_on_its_chance(name):
    theirs = witnessed(RELATION_QUESTIONS[name])
    assert theirs["arch"]["statistic"] == pytest.approx(theirs["statsmodels"]["statistic"], abs=STATISTIC)
    # Two tables of critical values, simulated apart.
    assert theirs["arch"]["p_value"] == pytest.approx(theirs["statsmodels"]["p_value"], abs=1e-3)
    assert theirs["adf_of_rest"] == pytest.approx(theirs["arch"]["statistic"], abs=1e-8)
