import math

import numpy as np
import pytest

from apps.strategies.indicators.half_life import half_life
from moondev.domain.errors import InvalidValue


def test_finds_the_half_life_of_a_value_that_comes_back() -> None:
    rng, values = np.random.default_rng(11), [0.0]
    for shock in rng.normal(0, 1, 20_000):
        values.append(0.95 * values[-1] + shock)
    assert half_life(np.array(values)) == pytest.approx(math.log(2) / 0.05, rel=0.05)


def test_is_infinite_where_nothing_pulls_back() -> None:
    assert half_life(np.exp(np.arange(50) / 10)) == math.inf
    assert half_life(np.full(10, 3.0)) == math.inf


def test_two_values_tell_nothing() -> None:
    with pytest.raises(InvalidValue, match="values is 2; allowed: 3 or more"):
        half_life(np.array([1.0, 2.0]))


def test_half_of_an_autoregression_is_gone_after_its_half_life() -> None:
    decaying = 0.9 ** np.arange(50)
    assert half_life(decaying) == pytest.approx(-math.log(2) / (0.9 - 1))
    assert half_life(np.exp(np.arange(20) / 10)) == math.inf
