"""What a report has to say, before anybody has put it into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.monitor.analytics.drift import Drift
from apps.monitor.analytics.figures import Figures
from apps.monitor.analytics.reports.days import Stretch
from apps.monitor.analytics.returns import Returns
from apps.monitor.analytics.trips import Trip


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened: an event of risk, a breaker's trip, an alert, a change. `grave` wants attention."""

    at: datetime
    what: str
    where: str
    words: str
    who: str = ""
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """One report of one environment's money, in one currency.

    `before` are the returns of the period before; `lately` figures of the thirty days before this one, for comparison,
    without round trips; `trips`
    those that ended in it, in order of what they made; `equity` even steps over the period. `more_changes`,
    `more_risk` and `more_alerts` are how many are not listed; what is grave is listed before all else.
    """

    stretch: Stretch
    environment: str
    currency: str
    whole: Figures
    before: Returns
    lately: Figures
    strategies: Sequence[Figures]
    strategies_lately: Sequence[Figures]
    trips: Sequence[Trip]
    drifts: Sequence[Drift]
    risk: Sequence[Happened]
    alerts: Sequence[Happened]
    changes: Sequence[Happened]
    more_changes: int
    equity: Sequence[float | None]
    more_risk: int = 0
    more_alerts: int = 0


def profit(returns: Returns) -> float | None:
    """Return by how much equity has grown but for money that was moved; None where equity is not known."""
    if returns.first is None or returns.last is None or returns.net_flow is None:
        return None
    return returns.last - returns.first - returns.net_flow
