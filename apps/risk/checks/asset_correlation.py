"""Asset correlation: assets that move as one share the limit of one, where such a limit is set.

This is the part that needs no lock, by what was held when the tick began; see `correlation.sharing` for the rest.
"""

from __future__ import annotations

from apps.risk.checks.candidate import Breach, Candidate, Check
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import ZERO


def find_asset_correlation(candidate: Candidate) -> Breach | None:
    """Return a breach when assets that move as one would exceed what one of them may be."""
    asset = candidate.instrument.asset
    shared = candidate.facts.alike.get(asset)
    if shared is None:
        return None
    if shared.most is None:
        return Breach(RefusalCode.EQUITY_UNKNOWN, shared.words[:100], "not known now")
    # Of the others what everybody held, of this one what the strategy itself has: the rest is the counters' to say.
    total = shared.others + candidate.tally.by_asset.get(asset, ZERO) + candidate.added_exposure
    return Breach(RefusalCode.ASSETS_CORRELATED, shared.words[:100], total) if total > shared.most else None


ASSET_CORRELATION = Check(
    name="asset correlation",
    codes={
        RefusalCode.ASSETS_CORRELATED: "Its asset moves like another: together they would exceed one's limit.",
        RefusalCode.EQUITY_UNKNOWN: "An equity that the rule needs is missing or stale; it is never taken for zero.",
    },
    find=find_asset_correlation,
    binds_reducing=False,
)
