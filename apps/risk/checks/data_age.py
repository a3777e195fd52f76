"""Data age: no position is opened on prices nobody has heard lately."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from apps.risk.checks.candidate import Breach, Candidate, Check, limit_missing
from apps.risk.models import LimitKind
from moondev.domain.decisions import RefusalCode


def find_stale_data(candidate: Candidate) -> Breach | None:
    """Return a breach when the market data is missing or older than the limit, in milliseconds."""
    limit_ms = candidate.limit(LimitKind.MAX_DATA_AGE_MS)
    if limit_ms is None:
        return limit_missing(LimitKind.MAX_DATA_AGE_MS)
    if candidate.age is None or candidate.age == timedelta.max or candidate.mid is None:
        return Breach(RefusalCode.DATA_MISSING, f"{limit_ms:f} ms", "no data")
    age_ms = Decimal(candidate.age // timedelta(milliseconds=1))
    if age_ms > limit_ms:
        return Breach(RefusalCode.DATA_TOO_OLD, limit_ms, age_ms)
    return None


DATA_AGE = Check(
    name="data age",
    codes={
        RefusalCode.DATA_MISSING: "There is no market data of the instrument.",
        RefusalCode.DATA_TOO_OLD: "The newest market data is older than the limit (ms).",
    },
    find=find_stale_data,
    binds_reducing=False,
)
