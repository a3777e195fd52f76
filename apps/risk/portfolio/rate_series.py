"""Rates of conversion over time: kept as points like equity, for a loss since midnight needs the rate of midnight."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from apps.exchanges.bulk import fetch
from apps.risk.portfolio.conversion import Conversion, Rate
from apps.risk.portfolio.series_keeper import EquityPoint

KIND = "rate"


def rate_points(conversion: Conversion) -> Iterator[EquityPoint]:
    """Yield a point for each fresh rate, named ``BASE/QUOTE``."""
    for rate in conversion.rates.values():
        if rate.fresh:
            yield EquityPoint((KIND, f"{rate.base}/{rate.quote}"), rate.rate, {})


def read_first_rates(since: datetime, until: datetime) -> Conversion:
    """Return the first rate of each pair in [since, until], in one query; who has none is not known."""
    rows = fetch(
        "SELECT s.key, p.at, p.equity FROM risk_equityscope s CROSS JOIN LATERAL ("
        " SELECT at, equity FROM risk_equitypoint WHERE scope_id = s.id AND at >= %s AND at <= %s ORDER BY at LIMIT 1"
        ") p WHERE s.kind = %s",
        (since, until, KIND),
    )
    # The shortest text of a float64 is its value; sixteen digits are more than any venue quotes.
    pairs = ((*key.split("/"), at, Decimal(repr(rate))) for key, at, rate in rows)
    return Conversion.of(Rate(base, quote, rate, at, fresh=True) for base, quote, at, rate in pairs)
