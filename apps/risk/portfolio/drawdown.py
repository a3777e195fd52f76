"""How far a strategy or portfolio has fallen from its peak, with moved money taken out.

Drawdown = (peak - equity) / peak. When money is paid in or out, the peak is scaled by the ratio of
equity after to equity before, as in time-weighted returns (CFA Institute, GIPS standards): the share
lost stays what it was.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from django.db.models import F

from apps.exchanges.bulk import values_fetch, values_run
from apps.risk.models import HighWaterMark
from apps.risk.portfolio.equity import is_fresh
from apps.risk.portfolio.parts import Parts, parts_read, parts_text
from apps.risk.scope import ScopeId
from moondev.domain.values import ZERO

# Amount columns hold twelve places; what the database would cut off is cut here.
PLACES = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Mark:
    """Peak and latest equity of one scope; `fresh` tells whether the latest is recent.

    `members` names the accounts whose equity it is the sum of; empty for a strategy. `parts` is the money that had
    come into each of them, net.
    """

    peak: Decimal
    equity: Decimal
    funded: Decimal
    marked_at: datetime
    fresh: bool = True
    members: str = ""
    parts: Parts = field(default_factory=dict)

    @property
    def drawdown(self) -> Decimal | None:
        """Return the share lost since the peak; None while there is no peak above zero."""
        return drawdown_share(self.peak, self.equity)

    @property
    def fresh_drawdown(self) -> Decimal | None:
        """Return the drawdown if the mark is recent; None otherwise."""
        return self.drawdown if self.fresh else None

    @property
    def fresh_equity(self) -> Decimal | None:
        """Return the equity if the mark is recent; None otherwise."""
        return self.equity if self.fresh else None


def drawdown_share(peak: Decimal, equity: Decimal) -> Decimal | None:
    """Return (peak - equity) / peak, at least zero; None for a peak of zero or less."""
    if peak <= 0:
        return None
    return max((peak - equity) / peak, ZERO)


def advance(
    mark: Mark | None,
    equity: Decimal,
    funded: Decimal,
    explained: Decimal | None,
    now: datetime,
    ledger: Decimal | None = None,
) -> Mark:
    """Return the mark after `equity` was seen with `funded` paid in by then.

    `explained` bounds what may become a new peak (None: anything): a deposit that is not booked yet
    raises equity like a profit, and as a peak it would turn into a false loss once it is booked.
    `ledger`, what our books say, is preferred in scaling the peak: money may be booked before the venue moves it.
    """
    credible = equity if explained is None else min(equity, explained)
    if mark is None:
        return Mark(credible, equity, funded, now)
    peak = scaled_peak(mark.peak, equity if ledger is None else ledger, funded - mark.funded)
    return Mark(max(peak, credible), equity, funded, now)


def regrouped(mark: Mark, before: Before, equity: Decimal, funded: Decimal) -> Mark:
    """Return the mark as if the accounts that are added up now had been added up always, with `equity` in all.

    The share lost stays what the former accounts have lost by this moment: the peak is scaled by the ratio of what
    both groups are worth at the same time.
    """
    moved = before.funded - mark.funded
    worth = mark.equity if before.equity is None else before.equity
    peak = scaled_peak(mark.peak, worth, moved)
    peak = (peak * equity / worth).quantize(PLACES, ROUND_HALF_EVEN) if worth > 0 else ZERO
    return replace(mark, peak=max(peak, ZERO), funded=funded)


def scaled_peak(peak: Decimal, equity: Decimal, moved: Decimal) -> Decimal:
    """Return the peak after `moved` money came in (positive) or went out, `equity` being left.

    With nothing before the move there is nothing to compare with: the peak starts anew.
    """
    if moved == 0:
        return peak
    before = equity - moved
    if before <= 0:
        return max(equity, ZERO)
    return (peak * equity / before).quantize(PLACES, ROUND_HALF_EVEN)


def read_marks(scopes: Collection[ScopeId], now: datetime) -> dict[ScopeId, Mark]:
    """Read the marks of `scopes` that have one, in one query."""
    rows = values_fetch(
        "SELECT h.scope_kind, h.scope_key, h.peak, h.equity, h.funded, h.marked_at, h.members, h.parts"
        " FROM risk_highwatermark h JOIN (VALUES %s) AS v(kind, key) ON h.scope_kind = v.kind AND h.scope_key = v.key",
        sorted({(str(kind), key) for kind, key in scopes}),
    )
    return {
        (kind, key): Mark(peak, equity, funded, at, is_fresh(at, now), members, parts_read(json.loads(parts)))
        for kind, key, peak, equity, funded, at, members, parts in rows
    }


@dataclass(frozen=True, slots=True)
class Before:
    """The accounts that a mark added up, as they are now; `equity` None: one of them was never marked."""

    members: str
    equity: Decimal | None
    funded: Decimal


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one scope now; see `advance` for the meaning of the numbers.

    `before` is there when other accounts are added up now than the mark did, see `regrouped`.
    """

    scope: ScopeId
    equity: Decimal
    funded: Decimal
    explained: Decimal | None = None
    ledger: Decimal | None = None
    members: str = ""
    before: Before | None = None
    parts: Parts = field(default_factory=dict)


def marks_update(observations: Sequence[Observation], now: datetime) -> dict[ScopeId, Mark]:
    """Advance the marks of what was observed and return them, in a constant number of statements.

    A mark that somebody else has moved since it was read is left as it is; the next pass advances it.
    """
    before = read_marks([seen.scope for seen in observations], now)
    after = {seen.scope: _after(before.get(seen.scope), seen, now) for seen in observations}
    values_run(
        "INSERT INTO risk_highwatermark (scope_kind, scope_key, peak, peak_at, equity, funded, marked_at,"
        " members, parts)"
        " VALUES %s ON CONFLICT DO NOTHING",
        [
            (*scope, m.peak, now, m.equity, m.funded, now, m.members, parts_text(m.parts))
            for scope, m in after.items()
            if scope not in before
        ],
    )
    values_run(
        "UPDATE risk_highwatermark h SET peak = v.peak, equity = v.equity, funded = v.funded, marked_at = v.at,"
        " members = v.members, parts = v.parts::jsonb,"
        " peak_at = CASE WHEN v.peak > h.peak THEN v.at ELSE h.peak_at END"
        " FROM (VALUES %s) AS v(kind, key, peak, equity, funded, at, members, parts,"
        " read_peak, read_at)"
        " WHERE h.scope_kind = v.kind AND h.scope_key = v.key"
        " AND h.peak = v.read_peak AND h.marked_at = v.read_at",
        [
            (*scope, m.peak, m.equity, m.funded, now, m.members, parts_text(m.parts), *_as_read(before[scope]))
            for scope, m in after.items()
            if scope in before
        ],
        "(%s, %s, %s::numeric, %s::numeric, %s::numeric, %s::timestamptz, %s, %s, %s::numeric, %s::timestamptz)",
    )
    return after


def _as_read(mark: Mark) -> tuple[Decimal, datetime]:
    return mark.peak, mark.marked_at


def _after(mark: Mark | None, seen: Observation, now: datetime) -> Mark:
    if mark is not None and seen.before is not None and mark.members == seen.before.members:
        mark = regrouped(mark, seen.before, seen.equity, seen.funded)
    elif mark is not None and mark.members != seen.members:
        # Written before accounts were noted, or regrouped by another guard this moment: nothing to compare with.
        mark = replace(mark, funded=seen.funded)
    moved = advance(mark, seen.equity, seen.funded, seen.explained, now, seen.ledger)
    return replace(moved, members=seen.members, parts=seen.parts)


def peak_restart(scope: ScopeId, now: datetime) -> bool:
    """Measure drawdown from the latest equity on; return whether there was a mark.

    For an operator who lifts a drawdown halt: from the old peak it would engage again at once.
    """
    kind, key = scope
    rows = HighWaterMark.objects.filter(scope_kind=kind, scope_key=key)
    return rows.update(peak=F("equity"), peak_at=now) > 0
