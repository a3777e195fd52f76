"""How strategies are doing, gathered for a page of them in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from apps.exchanges.admin.amounts import plain
from apps.exchanges.bulk import fetch
from apps.exchanges.models import Position, ScopeKind, TradingMode, TradingState
from apps.strategies.authoring.selectors import CodeState, code_states
from apps.strategies.models import StrategyRow, Tick, TickStatus, Trigger

CENT = Decimal("0.01")
COUNTS = ("placed", "amended", "cancelled", "refused")


@dataclass(frozen=True, slots=True)
class Overview:
    """One strategy now.

    `realised` is what it has earned after fees and funding, `mode` its own trading state, `code` how its code is doing
    when it is the user's own.
    """

    last_tick: Tick | None = None
    holdings: tuple[str, ...] = ()
    realised: Decimal = Decimal(0)
    mode: TradingMode = TradingMode.ACTIVE
    code: CodeState | None = None


def overviews(rows: Sequence[StrategyRow]) -> Mapping[int, Overview]:
    """Return the overview of each strategy by its primary key."""
    slugs = [row.slug for row in rows]
    ticks = _last_ticks([row.pk for row in rows])
    positions: dict[str, list[Position]] = {slug: [] for slug in slugs}
    for position in Position.objects.filter(strategy__in=slugs).select_related("instrument").order_by("pk"):
        positions[position.strategy].append(position)
    states = TradingState.objects.filter(scope_kind=ScopeKind.STRATEGY, scope_key__in=slugs)
    codes = code_states({row.kind for row in rows})
    modes = {slug: TradingMode(mode) for slug, mode in states.values_list("scope_key", "mode")}
    return {
        row.pk: Overview(
            ticks.get(row.pk),
            tuple(f"{plain(p.quantity)} {p.instrument.symbol}" for p in positions[row.slug] if p.quantity),
            sum((p.realised - p.fees + p.funding for p in positions[row.slug]), Decimal(0)).quantize(CENT),
            modes.get(row.slug, TradingMode.ACTIVE),
            codes.get(row.kind),
        )
        for row in rows
    }


def next_due(row: StrategyRow, now: datetime) -> datetime | None:
    """Return when a running strategy is due next; None while it does not run or waits for the book."""
    if not row.enabled or row.paused_reason or row.trigger == Trigger.BOOK:
        return None
    seconds = row.cadence_seconds
    return datetime.fromtimestamp((int(now.timestamp()) // seconds + 1) * seconds, tz=UTC)


def state_of(row: StrategyRow) -> str:
    """Return the word for whether a strategy runs: enabled, paused or disabled."""
    if not row.enabled:
        return "disabled"
    return "paused" if row.paused_reason else "enabled"


def outcome(tick: Tick) -> str:
    """Return what a tick led to, in a few words; nothing while it has not ended."""
    counts = {name: getattr(tick, name) for name in COUNTS}
    return outcome_of(tick.status, counts, tick.report, tick.error)


def outcome_of(status: str, counts: Mapping[str, int], report: Mapping[str, Any], error: str) -> str:
    """Return what a tick of such a status led to; `counts` say of each of COUNTS how many orders."""
    if status in {TickStatus.DUE, TickStatus.RUNNING}:
        return ""
    words = [f"{counts[name]} {name}" for name in COUNTS if counts[name]]
    codes = sorted({str(refusal.get("code", "")) for refusal in report.get("refusals", [])})
    return ", ".join(words) + (f" ({', '.join(codes)})" if codes else "") if words else error or "no change"


def _last_ticks(strategy_ids: Sequence[int]) -> Mapping[int, Tick]:
    """Return the newest tick of each strategy, found from the end of each one's own rows."""
    newest = fetch(
        "SELECT t.id FROM unnest(%s::bigint[]) AS s(id), LATERAL"
        " (SELECT id FROM strategies_tick WHERE strategy_id = s.id ORDER BY id DESC LIMIT 1) AS t",
        (list(strategy_ids),),
    )
    found = Tick.objects.filter(pk__in=[tick_id for (tick_id,) in newest])
    return {tick.strategy_id: tick for tick in found}
