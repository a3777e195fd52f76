from datetime import timedelta

import numpy as np
import pytest

from apps.strategies.indicators.session_vwap import session_vwap
from moondev.domain.market_data import BarSeries
from tests.unit.apps.strategies.library.scenery import cut, random_bars

HOUR = timedelta(hours=1)


def day_and_more(volume: object = None) -> BarSeries:
    """Sixty hours from midnight, with volumes that differ."""
    bars = random_bars(5, 60, HOUR)
    volumes = np.random.default_rng(5).uniform(1, 9, 60) if volume is None else np.asarray(volume, dtype=np.float64)
    return BarSeries(HOUR, bars.opened_ms, bars.open, bars.high, bars.low, bars.close, volumes)


def test_weighs_the_typical_price_by_volume_since_midnight() -> None:
    bars = day_and_more()
    mean, deviation = session_vwap(bars, 3)
    price = (bars.high + bars.low + bars.close) / 3
    for start, end in ((0, 24), (24, 30), (48, 60)):
        part, weights = price[start:end], bars.volume[start:end]
        expected = np.average(part, weights=weights)
        assert mean[end - 1] == pytest.approx(expected, rel=1e-12)
        assert deviation[end - 1] == pytest.approx(np.sqrt(np.average((part - expected) ** 2, weights=weights)))


def test_begins_anew_at_midnight_and_says_nothing_before_enough_bars_have_closed() -> None:
    mean, _ = session_vwap(day_and_more(), 3)
    assert np.flatnonzero(np.isnan(mean)).tolist() == [0, 1, 24, 25, 48, 49]


def test_says_nothing_of_a_day_whose_start_is_not_shown() -> None:
    mean, _ = session_vwap(cut(day_and_more(), 60, 5), 1)
    assert np.isnan(mean[:19]).all()
    assert np.isfinite(mean[19:]).all()


def test_says_nothing_while_nothing_has_traded() -> None:
    mean, _ = session_vwap(day_and_more(np.zeros(60)), 1)
    assert np.isnan(mean).all()


def test_knows_nothing_of_the_bars_after() -> None:
    bars = day_and_more()
    whole = session_vwap(bars, 2)
    for end in (10, 25, 59):
        np.testing.assert_array_equal(session_vwap(cut(bars, end), 2), [column[:end] for column in whole])
