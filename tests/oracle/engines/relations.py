"""Regression, cointegration and half-life in arch, scipy and statsmodels."""

import numpy as np
import statsmodels.api as sm
from answering import answer
from arch.unitroot import ADF, engle_granger
from scipy import stats
from statsmodels.tsa.stattools import coint


def reply(columns, parameters):
    """Answer about the log prices of two instruments; `lags` is the number of lagged changes, None for the AIC's."""
    y, x = np.log(columns["y"]), np.log(columns["x"])
    line = stats.linregress(x, y)
    squares = sm.OLS(y, sm.add_constant(x)).fit()
    rest = np.asarray(squares.resid)
    pull = sm.OLS(np.diff(rest), sm.add_constant(rest[:-1])).fit().params[1]
    lags = parameters["lags"]
    by_arch = engle_granger(y, x[:, None], trend="c", lags=lags)
    by_statsmodels = coint(y, x, maxlag=lags, autolag=None)
    freely = coint(y, x)
    return {
        "scipy": {"alpha": line.intercept, "beta": line.slope, "correlation": line.rvalue},
        "ols": {"alpha": float(squares.params[0]), "beta": float(squares.params[1])},
        "spearman": float(stats.spearmanr(y, x).statistic),
        "half_life": float(-np.log(2) / pull) if pull < 0 else None,
        "arch": {"statistic": float(by_arch.stat), "p_value": float(by_arch.pvalue)},
        "statsmodels": {"statistic": float(by_statsmodels[0]), "p_value": float(by_statsmodels[1])},
        "lags_by_aic": {"statistic": float(freely[0]), "p_value": float(freely[1])},
        "adf_of_rest": float(ADF(rest, lags=lags, trend="n").stat),
    }


if __name__ == "__main__":
    answer(reply, "arch", "scipy", "statsmodels")
