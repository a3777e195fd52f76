"""Strategies as they are listed."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Response

from apps.monitor.api.lines import JSON, Lines, amount, columns
from apps.monitor.api.strategies.schemas import STATES
from apps.strategies.admin.overview import COUNTS, outcome_of

# As `overview.state_of` says it.
_STATE = "CASE WHEN NOT s.enabled THEN 'disabled' WHEN s.paused_reason <> '' THEN 'paused' ELSE 'enabled' END"
_TICK = ("id", "trigger", "status", "decide_ms", "report", "error", *COUNTS)
_LAST_TICK = (
    f"(SELECT row_to_json(tick) FROM (SELECT {columns('t', _TICK, (), ('due_at', 'started_at', 'finished_at'))}"  # noqa: S608  our own words
    " FROM strategies_tick t WHERE t.strategy_id = s.id ORDER BY t.id DESC LIMIT 1) AS tick)"
)
_HELD = f"""(SELECT p.strategy, round(sum(p.realised - p.fees + p.funding), 2) AS realised,
        json_agg({amount("p.quantity")} || ' ' || i.symbol ORDER BY p.id) FILTER (WHERE p.quantity <> 0) AS holdings
    FROM exchanges_position p JOIN exchanges_instrument i ON i.id = p.instrument_id GROUP BY p.strategy)"""  # noqa: S608  our own words
STRATEGIES = Lines(
    ", ".join(
        (
            f"s.slug, s.kind, a.code AS account, {_STATE} AS state, s.paused_reason, s.stage",
            f"coalesce(g.mode, 'active') AS mode, {amount('s.capital')} AS capital, a.currency",
            "coalesce(held.holdings, '[]') AS holdings",
            f"{amount('coalesce(held.realised, 0)')} AS realised, {_LAST_TICK} AS last_tick",
        )
    ),
    "strategies_strategy s",
    "JOIN exchanges_account a ON a.id = s.account_id"
    " LEFT JOIN exchanges_tradingstate g ON g.scope_kind = 'strategy' AND g.scope_key = s.slug"
    f" LEFT JOIN {_HELD} AS held ON held.strategy = s.slug",
    key="slug",
)


def strategies_page(
    *, state: STATES | None, kind: str | None, account: str | None, after: str | None, limit: int
) -> Response:
    """Return a page of strategies by name, each with its last decision."""
    chosen = STRATEGIES.where_given(kind=kind)
    if account is not None:
        chosen = chosen.where("account_id = (SELECT id FROM exchanges_account WHERE code = %s)", account)
    if state is not None:
        chosen = chosen.where(f"{_STATE} = %s", state)
    chosen = chosen if after is None else chosen.where("slug > %s", after)
    found = chosen.read("s.slug", limit + 1)
    told = {
        "items": [_told(orjson.loads(text)) for _, text in found[:limit]],
        "next_after": found[limit - 1][0] if len(found) > limit else None,
    }
    return Response(orjson.dumps(told), media_type=JSON)


def _told(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line with what its last tick led to, in words."""
    tick = line["last_tick"]
    if tick is not None:
        counts = {name: tick.pop(name) for name in COUNTS}
        tick["outcome"] = outcome_of(tick["status"], counts, tick["report"], tick["error"])
    return line
