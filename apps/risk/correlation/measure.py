"""Measures how alike strategies and assets move, and writes it down with its time and number of samples.

Strategies by the equity that the guard keeps (apps/risk/portfolio/series.py), assets by the bars that strategies trade
on. Rows that are not measured any more go stale and are forgotten; two measurements at once write the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from apps.exchanges.bulk import run, values_run
from apps.exchanges.market_data.cache import MarketCache, Wanted
from apps.exchanges.market_data.wishes import wishes_set
from apps.exchanges.models import DataWish
from apps.risk.correlation.book import FORGOTTEN
from apps.risk.correlation.estimate import Pair, correlations
from apps.risk.models import Allocation
from apps.risk.models.correlations import Correlated
from apps.risk.portfolio.series import returns_matrix
from moondev.domain.clock import milliseconds
from moondev.domain.market_data import BarSeries, Needs

logger = logging.getLogger(__name__)

# Of strategies: three days in steps of ten minutes, which the series keeps that long.
WINDOW, STEP = timedelta(days=3), timedelta(minutes=10)
# Of assets: a day in bars of five minutes.
BAR, BARS = timedelta(minutes=5), 288
OWNER = "risk-correlation"
# Pairs grow with the square: of so many names there are 19,900, measured and written within a second or two.
MOST = 200

Row = tuple[str, str, str, str, float | None, int, datetime]


def correlations_measure(cache: MarketCache, now: datetime) -> int:
    """Measure every pair anew; return how many pairs were written.

    Raises Connectivity when the market data do not answer: strategies have been written by then.
    """
    written = sum(_write(list(_of_strategies(code, names, now))) for code, names in _strategies().items())
    run("DELETE FROM risk_correlation WHERE at < %s", (now - FORGOTTEN,))
    return written + _write(list(_rows(Correlated.ASSET, "", asset_correlations(cache, now), now)))


def _strategies() -> dict[str, list[str]]:
    """Return the strategies with capital, by portfolio: of more than MOST those with the most."""
    found: dict[str, list[str]] = {}
    rows = Allocation.objects.filter(capital__gt=0).order_by("-capital", "strategy")
    for strategy, portfolio in rows.values_list("strategy", "account__portfolio_id"):
        found.setdefault(portfolio, []).append(strategy)
    for portfolio, names in found.items():
        if len(names) > MOST:
            logger.warning("%s strategies of %s are not compared: at most %s are", len(names) - MOST, portfolio, MOST)
    return {portfolio: sorted(names[:MOST]) for portfolio, names in found.items()}


def _of_strategies(portfolio: str, names: Sequence[str], now: datetime) -> Iterator[Row]:
    if len(names) < 2:
        return
    # A grid on whole steps: the same moments are compared whenever it is measured.
    end = now - timedelta(milliseconds=milliseconds(now) % milliseconds_of(STEP))
    returns = returns_matrix(names, end - WINDOW, end, STEP)
    yield from _rows(Correlated.STRATEGY, portfolio, correlations(names, returns), now)


def asset_correlations(cache: MarketCache, now: datetime) -> Iterator[Pair]:
    """Yield the correlation of every pair of assets that strategies trade; their bars are asked for here."""
    markets = _markets()
    wishes_set(OWNER, Needs(tuple(markets.values()), {BAR: BARS + 1}))
    views = cache.views({key: Wanted({BAR: BARS + 1}, book=False) for key in markets.values()}, now)
    oldest = milliseconds(now - BAR * (BARS + 1))
    bars = {asset: views[key].bars.get(BAR) for asset, key in markets.items()}
    recent = {asset: one for asset, one in bars.items() if one is not None and len(one) > 1}
    yield from correlations(sorted(recent), aligned_returns([recent[asset] for asset in sorted(recent)], oldest))


def aligned_returns(series: Sequence[BarSeries], oldest_ms: int) -> NDArray[np.float64]:
    """Return log returns with one column per series and one row per bar since `oldest_ms`; NaN where one has none.

    A return over a missing bar is of another length than the others', and left out.
    """
    if not series:
        return np.empty((0, 0))
    stamps = np.unique(np.concatenate([one.opened_ms for one in series]))
    stamps = stamps[stamps >= oldest_ms]
    matrix = np.full((len(stamps), len(series)), np.nan)
    for column, one in enumerate(series):
        step = milliseconds_of(one.interval)
        whole = (np.diff(one.opened_ms) == step) & (one.opened_ms[1:] >= oldest_ms)
        rows = np.searchsorted(stamps, one.opened_ms[1:][whole])
        matrix[rows, column] = np.diff(np.log(one.close))[whole]
    return matrix


def milliseconds_of(length: timedelta) -> int:
    """Return a length of time in whole milliseconds."""
    return length // timedelta(milliseconds=1)


def _markets() -> Mapping[str, str]:
    """Return one instrument (a key) for each asset that strategies look at; the first by name, always the same."""
    wishes = DataWish.objects.exclude(owner=OWNER).filter(instrument__active=True)
    rows = wishes.values_list("instrument__asset", "instrument__venue_id", "instrument__symbol").distinct()
    found: dict[str, str] = {}
    for asset, venue, symbol in sorted(rows):
        found.setdefault(asset, f"{venue}:{symbol}")
    return dict(list(found.items())[:MOST])


def _rows(kind: Correlated, portfolio: str, pairs: Iterable[Pair], now: datetime) -> Iterator[Row]:
    for pair in pairs:
        yield kind.value, portfolio, pair.one, pair.other, pair.value, pair.samples, now


def _write(rows: Sequence[Row]) -> int:
    values_run(
        "INSERT INTO risk_correlation AS c (kind, portfolio, one, other, value, samples, at) VALUES %s"
        " ON CONFLICT (kind, one, other) DO UPDATE SET portfolio = excluded.portfolio, value = excluded.value,"
        " samples = excluded.samples, at = excluded.at WHERE c.at <= excluded.at",
        rows,
        "(%s, %s, %s, %s, %s::float8, %s, %s::timestamptz)",
    )
    return len(rows)
