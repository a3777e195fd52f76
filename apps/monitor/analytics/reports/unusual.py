"""What is not as it was lately: the few sentences a reader should not overlook. Pure; its rules have numbers here."""

from __future__ import annotations

from collections.abc import Iterator

from apps.monitor.analytics.figures import Figures
from apps.monitor.analytics.reports.content import Content
from apps.strategies.backtest.metrics import DAYS_A_YEAR
from apps.strategies.backtest.numbers import basis_points, percent, signed_percent

# A return so many of the last month's standard deviations away from nothing is worth a word.
DEVIATIONS = 2.5
# So many times what was usual, or less than so much of it.
TIMES, FEWER = 3.0, 1 / 3
# Of less than this nothing unusual can be said.
FEWEST_ORDERS, FEWEST_FILLS = 20, 20
# Equity of which so much of the period is not known was not watched.
UNSEEN_SHARE = 0.1


def unusual(content: Content) -> list[str]:
    """Return sentences, the gravest first."""
    found = [*_whole(content)]
    usual = {figures.subject.key: figures for figures in content.strategies_lately}
    for now in content.strategies:
        found += _strategy(now, usual[now.subject.key])
    for drift in content.drifts:
        if drift.lags and drift.deviations is not None:
            lag = f"{drift.strategy} lags {-drift.deviations:.1f} deviations behind its backtest"
            found.append(f"{lag}; {drift.allowed:.1f} are allowed.")
    return found


def _whole(content: Content) -> Iterator[str]:
    now, lately = content.whole, content.lately
    spread = lately.returns.volatility
    if spread and now.returns.twr is not None:
        usual = spread * (now.period.days / DAYS_A_YEAR) ** 0.5
        if abs(now.returns.twr) > DEVIATIONS * usual:
            yield (
                f"The return of {signed_percent(now.returns.twr, 2)} is {abs(now.returns.twr) / usual:.1f} times"
                " what a period of this length usually varies by."
            )
    unseen = sum(value is None for value in content.equity) / max(len(content.equity), 1)
    if unseen > UNSEEN_SHARE and now.returns.first is not None:
        yield f"Nobody saw the equity for {percent(unseen, 0)} of the period: the guard or a venue was out of sight."
    realised, fees = now.totals.realised, now.totals.fees
    if realised is not None and fees is not None and realised > 0 and fees > realised:
        yield "Fees were higher than the profit of prices."


def _strategy(now: Figures, lately: Figures) -> Iterator[str]:
    slug, days = now.subject.key, now.period.days
    usual = lately.totals.fills / lately.period.days * days
    if now.totals.fills >= FEWEST_FILLS and usual and now.totals.fills > TIMES * usual:
        yield f"{slug} traded {now.totals.fills / usual:.1f} times as often as in the month before."
    if not now.totals.fills and usual >= FEWEST_FILLS / 10:
        yield f"{slug} did not trade at all; usually it trades {usual:.0f} times in this time."
    if _many(now) and _many(lately):
        if now.fill_ratio is not None and lately.fill_ratio and now.fill_ratio < FEWER * lately.fill_ratio:
            shares = percent(now.fill_ratio, 0), percent(lately.fill_ratio, 0)
            yield f"{slug} filled {shares[0]} of what it ordered, usually {shares[1]}."
        slipped, before = now.slippage_bps, lately.slippage_bps
        if slipped is not None and before is not None and slipped > max(TIMES * before, before + 1):
            yield f"{slug} slipped {basis_points(slipped)}, usually {basis_points(before)}."


def _many(figures: Figures) -> bool:
    return figures.totals.orders >= FEWEST_ORDERS and figures.totals.fills >= FEWEST_FILLS
