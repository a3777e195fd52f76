from datetime import timedelta

import numpy as np
import pytest

from apps.strategies.library.making.volatility import liveliness
from moondev.domain.market_data import BarSeries
from tests.unit.apps.strategies.library.scenery import bars_of

MINUTE = timedelta(minutes=1)


def closes(values: list[float]) -> BarSeries:
    return bars_of([[value, value, value, value] for value in values], MINUTE)


def calm(count: int = 40) -> list[float]:
    return [100 * (1 + 1e-4 * (-1) ** index) for index in range(count)]


def test_a_calm_market_has_not_spiked() -> None:
    lively = liveliness(closes(calm()), 100.0, 3, 0.1)
    assert lively.usual == pytest.approx(2 / np.sqrt(60), rel=1e-3)
    assert not lively.spiked(3.0)


def test_newest_bars_three_times_as_lively_are_a_spike() -> None:
    assert liveliness(closes([*calm(), 100.2, 99.8, 100.2]), 100.2, 3, 0.1).spiked(3.0)


def test_a_jump_since_the_last_close_is_a_spike() -> None:
    bars = closes(calm())
    last = float(bars.close[-1])
    assert not liveliness(bars, last * 1.0005, 3, 0.1).spiked(3.0)
    assert liveliness(bars, last * 1.0007, 3, 0.1).spiked(3.0)
    assert liveliness(bars, last * 0.9993, 3, 0.1).spiked(3.0)


def test_a_market_at_rest_has_the_least_volatility() -> None:
    assert liveliness(closes([100.0] * 30), 100.0, 3, 0.25).usual == 0.25
