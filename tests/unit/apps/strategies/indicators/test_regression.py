import math

import numpy as np
import pytest
from statsmodels.tsa.stattools import coint

from apps.strategies.indicators.half_life import half_life
from apps.strategies.indicators.regression import fitted
from apps.strategies.library.relation.cointegration import related
from moondev.domain.errors import InvalidValue
from moondev.domain.market_data import Column
from tests.unit.apps.strategies.recorded import columns


def eth_and_btc() -> tuple[Column, Column]:
    (eth,) = columns("okx-swap_ETH-USDT-SWAP_1h_202301-202506", "close")
    (btc,) = columns("okx-swap_BTC-USDT-SWAP_1h_202301-202506", "close")
    return np.log(eth), np.log(btc)


def test_is_ordinary_least_squares() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    y = 0.3 + 1.7 * x + rng.normal(size=300)
    line = fitted(y, x)
    beta, alpha = np.polyfit(x, y, 1)
    assert (line.alpha, line.beta) == (pytest.approx(alpha, abs=1e-12), pytest.approx(beta, abs=1e-12))
    assert line.beta == pytest.approx(np.cov(x, y)[0, 1] / x.var(ddof=1), abs=1e-13)
    assert line.correlation == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-13)
    assert line.rest(y, x).mean() == pytest.approx(0, abs=1e-12)


def test_a_series_that_does_not_move_explains_nothing() -> None:
    assert math.isnan(fitted(np.arange(5.0), np.ones(5)).beta)
    assert math.isnan(fitted(np.ones(5), np.arange(5.0)).correlation)


@pytest.mark.parametrize(("y", "x"), [(np.ones(2), np.ones(2)), (np.ones(5), np.ones(4))])
def test_refuses_columns_that_make_no_line(y: Column, x: Column) -> None:
    with pytest.raises(InvalidValue, match="allowed: two columns of one length, 3 or more"):
        fitted(y, x)


def test_ether_on_bitcoin_gives_the_known_line_test_and_half_life() -> None:
    """OKX hours, the first 2,000: to the digits of an independent calculation."""
    eth, btc = eth_and_btc()
    y, x = eth[:2000], btc[:2000]
    line = fitted(y, x)
    assert line.beta == pytest.approx(0.7194570376, abs=1e-10)
    assert line.alpha == pytest.approx(0.1530061177, abs=1e-10)
    assert half_life(line.rest(y, x)) == pytest.approx(71.2, abs=0.05)
    # Automatic lags take tens of seconds to find what is given here: none, and below 26.
    t, p, _ = coint(y, x, maxlag=0, autolag=None)
    assert t == pytest.approx(-3.249739, abs=1e-6)
    assert p == pytest.approx(0.061996, abs=1e-6)
    # With the fixed number of lags that the strategy uses the verdict is the same.
    assert related(y, x, 2).p_value == pytest.approx(p, abs=0.03)


def test_ether_and_bitcoin_are_no_pair_over_the_whole_recording() -> None:
    """All 21,888 hours: a strategy must be able to stand aside."""
    eth, btc = eth_and_btc()
    t, p, _ = coint(eth, btc, maxlag=26, autolag=None)
    assert t == pytest.approx(-1.7791, abs=5e-5)
    assert p == pytest.approx(0.6398, abs=5e-5)
    assert related(eth, btc, 2).p_value == pytest.approx(p, abs=0.05)


def test_finds_a_pair_where_there_is_one_and_none_where_there_is_not() -> None:
    rng = np.random.default_rng(3)
    x = np.cumsum(rng.normal(0, 0.01, 500))
    rest = np.zeros(500)
    for step in range(1, 500):
        rest[step] = 0.9 * rest[step - 1] + rng.normal(0, 0.005)
    assert related(0.1 + 0.8 * x + rest, x, 2).p_value < 0.01
    assert related(np.cumsum(rng.normal(0, 0.01, 500)), x, 2).p_value > 0.1
