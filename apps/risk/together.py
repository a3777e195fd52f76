"""Legs that only make sense together: when one may not be opened, the others are not opened either."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from apps.risk.review import Reviewed
from moondev.domain.decisions import RefusalCode, RiskRefused
from moondev.domain.orders import PlaceOrder, Purpose


def held_together(reviewed: Reviewed, groups: Sequence[Collection[str]]) -> Reviewed:
    """Return the review with every opening refused whose group (of instrument keys) has a refused opening.

    Exits, amendments and cancels stay as they are: what reduces never waits for anything.
    """
    refused = {one.request.instrument for one in reviewed.refused if _opens(one.request)}
    missing = {key: refused.intersection(group) for group in groups for key in group if refused.intersection(group)}
    kept, dropped = [], []
    for approved in reviewed.approved:
        request = approved.request
        if _opens(request) and request.instrument in missing:
            other = ", ".join(sorted(missing[request.instrument]))
            dropped.append(RiskRefused(request, RefusalCode.LEG_REFUSED, "all legs or none", other))
        else:
            kept.append(approved)
    return Reviewed(kept, reviewed.cancels, [*reviewed.refused, *dropped])


def _opens(request: object) -> bool:
    return isinstance(request, PlaceOrder) and request.purpose is Purpose.OPENING
