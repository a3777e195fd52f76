"""What promotion reads of others: the honesty checks that were kept, and the backtests that were stored."""

from __future__ import annotations

from datetime import UTC, date
from itertools import pairwise

import numpy as np

from apps.strategies.backtest.archive import curve_from_bytes
from apps.strategies.backtest.honesty.store import lacking
from apps.strategies.backtest.metrics import DAY_MS
from apps.strategies.backtest.results import EquityCurve
from apps.strategies.models import BacktestArchive, BacktestStatus, StrategyRow
from apps.strategies.promotion.track_record import DailyReturns
from moondev.domain.clock import from_milliseconds


def checks_missing(row: StrategyRow, code_hash: str) -> tuple[str, ...] | None:
    """Return which honesty checks this code with these parameters lacks, each with why; None: none was ever run."""
    lacks = lacking(row.kind, code_hash, row.parameters)
    return None if lacks is None else tuple(str(lack) for lack in lacks)


def reference_returns(row: StrategyRow, code_hash: str) -> DailyReturns | None:
    """Return the daily returns of the latest backtest of this strategy's version; None when there is none.

    A backtest of the row itself, for only such a one ran with its parameters, on its instruments, with its money.
    """
    archive = (
        BacktestArchive.objects.filter(
            run__strategy=row,
            run__parameters_version=row.parameters_version,
            run__code_hash=code_hash,
            run__status=BacktestStatus.DONE,
        )
        .order_by("-run__finished_at")
        .first()
    )
    return None if archive is None else returns_by_day(curve_from_bytes(bytes(archive.curve)))


def returns_by_day(curve: EquityCurve) -> dict[date, float]:
    """Return the return of each UTC day that follows one with equity above zero; midnight closes the day before."""
    days = (curve.times - 1) // DAY_MS
    last = np.append(np.flatnonzero(np.diff(days)), len(days) - 1)
    closes = [
        (from_milliseconds(int(days[at]) * DAY_MS).astimezone(UTC).date(), float(curve.equity[at])) for at in last
    ]
    return {
        day: worth / before - 1
        for (earlier, before), (day, worth) in pairwise(closes)
        if (day - earlier).days == 1 and before > 0
    }


def _day(number: int) -> date:
    return from_milliseconds(number * DAY_MS).astimezone(UTC).date()
