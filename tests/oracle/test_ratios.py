"""Our ratios against those of empyrical-reloaded and quantstats, on real runs and on series that ratios break on."""

import numpy as np
import pytest

from apps.strategies.backtest.metrics import cagr, max_drawdown, sharpe, sortino, volatility
from tests.oracle.ratios import RATIO_QUESTIONS, TOLERANCE, hard_series
from tests.oracle.witness import witnessed

LIBRARIES = ("empyrical", "quantstats")


def ours(returns):
    closes = np.concatenate(([1.0], np.cumprod(1 + returns)))
    deepest, yearly = max_drawdown(closes), cagr(closes)
    return {
        "sharpe": sharpe(returns),
        "sortino": sortino(returns),
        "volatility": volatility(returns),
        "max_drawdown": deepest,
        "cagr": yearly,
        "calmar": yearly / -deepest if yearly is not None and deepest else None,
        "total": closes[-1] - 1,
    }


def compared(data):
    """Each series with what either library says and what we say."""
    theirs = witnessed(RATIO_QUESTIONS[data])
    for name, returns in RATIO_QUESTIONS[data].given().columns.items():
        for library in LIBRARIES:
            yield name, theirs[f"{name}.{library}"], ours(returns)


@pytest.mark.parametrize("data", RATIO_QUESTIONS)
def test_ratios_are_those_of_two_libraries_and_undefined_where_theirs_are(data):
    for name, theirs, mine in compared(data):
        if name == "the same every day":
            continue
        for ratio, value in theirs.items():
            # A drawdown of some 1e-9 is known to 1e-16: a quotient of it to seven digits, whoever computes it.
            near = {"rel": 1e-6} if (name, ratio) == ("tiny", "calmar") else {"rel": TOLERANCE, "abs": TOLERANCE}
            assert mine[ratio] == (None if value is None else pytest.approx(value, **near)), (name, ratio)


def test_a_series_that_does_not_vary_has_no_sharpe_here_and_a_senseless_one_in_quantstats():
    theirs = witnessed(RATIO_QUESTIONS["walk"])
    mine = ours(hard_series()["the same every day"])
    assert mine["sharpe"] is None
    assert theirs["the same every day.empyrical"]["sharpe"] is None
    assert theirs["the same every day.quantstats"]["sharpe"] > 1e16


def test_no_ratio_is_ever_infinite_or_not_a_number():
    for returns in hard_series().values():
        assert all(value is None or np.isfinite(value) for value in ours(returns).values())
