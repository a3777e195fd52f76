"""Price band: a price far from the market is a mistake until shown otherwise."""

from __future__ import annotations

from decimal import Decimal

from apps.risk.checks.candidate import Breach, Candidate, Check, limit_missing
from apps.risk.models import LimitKind
from moondev.domain.decisions import RefusalCode
from moondev.domain.values import BPS_IN_ONE


def find_price_outside_band(candidate: Candidate) -> Breach | None:
    """Return a breach when the price lies farther from the market than the band, in basis points.

    An order with a trigger is measured from its trigger: that is where the market will be. Exits have
    a wide band of their own, and none while the mid or the limit is unknown.
    """
    kind = LimitKind.REDUCING_PRICE_BAND_BPS if candidate.reduces else LimitKind.PRICE_BAND_BPS
    limit = candidate.limit(kind)
    if limit is None:
        return None if candidate.reduces else limit_missing(kind)
    reference = _reference(candidate)
    if reference is None:
        return None if candidate.reduces else Breach(RefusalCode.DATA_MISSING, "a mid price", "no data")
    distance = abs(candidate.price.value - reference) / reference * BPS_IN_ONE
    if distance > limit:
        return Breach(RefusalCode.PRICE_OUTSIDE_BAND, limit, round(distance, 2))
    return None


def _reference(candidate: Candidate) -> Decimal | None:
    return candidate.mid if candidate.trigger_price is None else candidate.trigger_price.value


PRICE_BAND = Check(
    name="price band",
    codes={RefusalCode.PRICE_OUTSIDE_BAND: "The price is farther from the mid than the band allows (bps)."},
    find=find_price_outside_band,
    binds_reducing=True,
)
