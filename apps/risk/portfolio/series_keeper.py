"""Keeps equity over time: a point per scope every few seconds, fewer of them the older they are.

Money that moved is no return. `growth` goes on from the newest point by (equity - moved) / equity before, and the
newest point is a row, so a guard that died is replaced by the next one, and of two at once only one writes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from apps.exchanges.bulk import fetch, run, values_fetch, values_run
from apps.exchanges.execution.timing import lasting
from apps.risk.portfolio.parts import Parts, parts_read, parts_text
from apps.risk.scope import ScopeId
from moondev.domain.clock import process_clock
from moondev.domain.values import ZERO

EVERY_SECONDS = 5.0
# From this age on, one point stays of each so many seconds.
TIERS = ((7_200, 60), (3 * 86_400, 600), (90 * 86_400, 3_600))
THIN_EVERY_SECONDS = 600.0
_LOCK = 7_303


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """What a scope is worth now. `parts` is the money put into each account it adds up, net, by the account's id.

    `rates` convert parts into the scope's currency; those of the same currency need none.
    """

    scope: ScopeId
    equity: Decimal
    parts: Parts
    rates: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest point of a scope, from which the next one is reckoned."""

    at: datetime
    equity: Decimal
    funded: Decimal
    growth: float
    run: int
    parts: Parts


def grown(before: Latest | None, seen: EquityPoint, at: datetime) -> Latest:
    """Return the point that follows. A new run begins where nothing can be compared.

    That is when other accounts are added up than before, or nothing was there before or is left without what came in.
    """
    if before is None:
        funded = sum((amount * seen.rates.get(part, Decimal(1)) for part, amount in seen.parts.items()), ZERO)
        return Latest(at, seen.equity, funded, 1.0, 0, seen.parts)
    if before.parts.keys() != seen.parts.keys():
        return Latest(at, seen.equity, before.funded, before.growth, before.run + 1, seen.parts)
    moved = sum(
        ((amount - before.parts[part]) * seen.rates.get(part, Decimal(1)) for part, amount in seen.parts.items()), ZERO
    )
    funded, left = before.funded + moved, seen.equity - moved
    if before.equity <= 0 or left <= 0:
        return Latest(at, seen.equity, funded, 1.0, before.run + 1, seen.parts)
    return Latest(at, seen.equity, funded, before.growth * float(left / before.equity), before.run, seen.parts)


def points_keep(points: Sequence[EquityPoint], now: datetime) -> int:
    """Write a point of each scope whose newest is EVERY_SECONDS old; return how many. Does nothing beside another."""
    due = now - lasting(process_clock(), EVERY_SECONDS)
    with transaction.atomic():
        if not fetch("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))[0][0]:
            return 0
        before = _read_latest([point.scope for point in points])
        after = {
            point.scope: grown(before.get(point.scope), point, now)
            for point in points
            if point.scope not in before or before[point.scope].at <= due
        }
        ids = _write_latest(after)
        values_run(
            "INSERT INTO risk_equitypoint (scope_id, at, equity, funded, growth, run) VALUES %s ON CONFLICT DO NOTHING",
            [(ids[scope], now, p.equity, p.funded, p.growth, p.run) for scope, p in after.items()],
        )
    return len(after)


def points_thin(now: datetime, since: datetime | None) -> int:
    """Leave one point, the last, of each stretch that is old enough; return how many went.

    `since` None looks at everything there is, else only at what has come of age since then.
    """
    gone = 0
    for age, width in TIERS:
        end = now - timedelta(seconds=age)
        begin = None if since is None else since - timedelta(seconds=age + width)
        gone += run(
            "DELETE FROM risk_equitypoint p USING ("
            " SELECT scope_id, at, row_number() OVER (PARTITION BY scope_id, floor(extract(epoch FROM at) / %s)"
            " ORDER BY at DESC) AS place FROM risk_equitypoint"
            " WHERE at < to_timestamp(floor(extract(epoch FROM %s::timestamptz) / %s) * %s)"
            " AND at >= to_timestamp(floor(extract(epoch FROM COALESCE(%s::timestamptz, 'epoch')) / %s) * %s)"
            ") old WHERE old.place > 1 AND p.scope_id = old.scope_id AND p.at = old.at",
            (width, end, width, width, begin, width, width),
        )
    return gone


class SeriesKeeper:
    """The guard's hand on the series: keeps points, and thins them now and then."""

    def __init__(self) -> None:
        self._thinned: datetime | None = None

    def keep(self, points: Sequence[EquityPoint], now: datetime) -> None:
        """Write what is due; thin everything once at the start and what has come of age every ten minutes."""
        points_keep(points, now)
        if self._thinned is None or now - self._thinned >= lasting(process_clock(), THIN_EVERY_SECONDS):
            points_thin(now, self._thinned)
            self._thinned = now


def _read_latest(scopes: Collection[ScopeId]) -> dict[ScopeId, Latest]:
    rows = values_fetch(
        "SELECT s.kind, s.key, s.at, s.equity, s.funded, s.growth, s.run, s.parts FROM risk_equityscope s"
        " JOIN (VALUES %s) AS v(kind, key) ON s.kind = v.kind AND s.key = v.key",
        [tuple(map(str, scope)) for scope in scopes],
    )
    return {
        (kind, key): Latest(at, equity, funded, growth, number, parts_read(json.loads(parts)))
        for kind, key, at, equity, funded, growth, number, parts in rows
    }


def _write_latest(points: Mapping[ScopeId, Latest]) -> dict[ScopeId, int]:
    rows = values_fetch(
        "INSERT INTO risk_equityscope (kind, key, at, equity, funded, growth, run, parts) VALUES %s"
        " ON CONFLICT (kind, key) DO UPDATE SET at = excluded.at, equity = excluded.equity, funded = excluded.funded,"
        " growth = excluded.growth, run = excluded.run, parts = excluded.parts RETURNING kind, key, id",
        [
            (*map(str, scope), p.at, p.equity, p.funded, p.growth, p.run, parts_text(p.parts))
            for scope, p in points.items()
        ],
    )
    return {(kind, key): pk for kind, key, pk in rows}
