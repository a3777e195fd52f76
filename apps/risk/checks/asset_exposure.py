"""Asset exposure: what one strategy alone may hold of one asset.

This is the part that needs no lock: it refuses what could not fit even if nobody else traded.
What all strategies hold together is bounded by the exposure counters.
"""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check, limit_missing
from apps.risk.models import LimitKind
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import ZERO


def find_asset_exposure(candidate: Candidate) -> Breach | None:
    """Return a breach when own exposure in the asset would exceed its share of portfolio equity."""
    share = candidate.limit(LimitKind.ASSET_SHARE)
    if share is None:
        return limit_missing(LimitKind.ASSET_SHARE)
    equity = candidate.facts.counted.portfolio
    if equity is None:
        return Breach(RefusalCode.EQUITY_UNKNOWN, "the portfolio's equity", "not known now")
    exposure = candidate.tally.by_asset.get(candidate.instrument.asset, ZERO) + candidate.added_exposure
    if exposure > share * equity:
        return Breach(RefusalCode.ASSET_EXPOSURE_EXCEEDED, share * equity, exposure)
    return None


ASSET_EXPOSURE = Check(
    name="asset exposure",
    codes={
        RefusalCode.ASSET_EXPOSURE_EXCEEDED: "Exposure in the asset would exceed its share of portfolio equity.",
        RefusalCode.EQUITY_UNKNOWN: "An equity or rate that the rule needs is missing or stale; never taken for zero.",
    },
    find=find_asset_exposure,
    binds_reducing=False,
)
