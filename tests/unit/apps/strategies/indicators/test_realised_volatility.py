import numpy as np
import pytest

from apps.strategies.indicators.realised_volatility import realised_volatility_bps
from moondev.domain.errors import InvalidValue

MINUTES = np.arange(5_000, dtype=np.int64) * 60_000


def test_recovers_the_volatility_of_a_random_walk() -> None:
    per_minute = 0.9e-4 * np.sqrt(60)
    close = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, per_minute, len(MINUTES))))
    assert realised_volatility_bps(MINUTES, close) == pytest.approx(0.9, rel=0.03)


def test_a_missing_bar_does_not_distort_the_rate() -> None:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 1e-3, len(MINUTES))))
    kept = np.random.default_rng(3).random(len(MINUTES)) > 0.3
    whole = realised_volatility_bps(MINUTES, close)
    assert realised_volatility_bps(MINUTES[kept], close[kept]) == pytest.approx(whole, rel=0.05)


def test_refuses_a_single_bar() -> None:
    with pytest.raises(InvalidValue, match="2 or more closed bars"):
        realised_volatility_bps(MINUTES[:1], np.ones(1))


def test_does_not_depend_on_the_unit_of_price() -> None:
    close = np.array([100.0, 101.0, 99.0, 100.0])
    assert realised_volatility_bps(MINUTES[:4], close * 16) == pytest.approx(
        realised_volatility_bps(MINUTES[:4], close), rel=1e-12
    )
