"""Topic ``strategies``: each strategy with its state, and what it last decided and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db.models import F, OuterRef, Subquery

from apps.monitor.api.stream.sources.words import amount, milliseconds_between, moment
from apps.monitor.api.stream.table import Row, Rows
from apps.strategies.models import StrategyInstrument, StrategyRow, Tick, TickStatus
from moondev.domain.clock import Clock

_TICK = ("status", "trigger", "due_at", "started_at", "finished_at", "decide_ms", "placed", "amended", "cancelled",
         "refused", "report", "error")  # fmt: skip
_STRATEGY = ("slug", "kind", "stage", "enabled", "paused_reason", "capital", "leverage", "trigger", "cadence_seconds",
             "priority", "parameters_version")  # fmt: skip


def read_strategies(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return strategies by slug, with their last finished tick."""
    over = [TickStatus.DONE, TickStatus.FAILED, TickStatus.EXPIRED]
    # The newest row of a strategy may still be running; the one before it is what it last did.
    last = Tick.objects.filter(strategy=OuterRef("pk"), status__in=over).order_by("-pk").values("pk")[:1]
    strategies = list(
        StrategyRow.objects.annotate(
            account_code=F("account__code"), venue=F("account__venue_id"), currency=F("account__currency"),
            last=Subquery(last),
        ).values(*_STRATEGY, "account_code", "venue", "currency", "last")
    )  # fmt: skip
    numbers = [row["last"] for row in strategies if row["last"] is not None]
    ticks = {tick["pk"]: tick for tick in Tick.objects.filter(pk__in=numbers).values("pk", *_TICK)}
    traded = _traded()
    return {
        row["slug"]: {**_row(row), "instruments": traded[row["slug"]], **_last(ticks.get(row["last"]))}
        for row in strategies
    }


def _traded() -> Mapping[str, list[dict[str, str]]]:
    """Return by strategy the instruments it names itself, each with the account it trades it on."""
    links = StrategyInstrument.objects.filter(stands_in_for=None).order_by("pk")
    traded: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for slug, account, venue, symbol in links.values_list(
        "strategy__slug", "account__code", "instrument__venue_id", "instrument__symbol"
    ):
        traded[slug].append({"account": account, "instrument": f"{venue}:{symbol}"})
    return traded


def _row(row: dict[str, Any]) -> Row:
    return {
        "kind": row["kind"],
        "stage": row["stage"],
        "enabled": row["enabled"],
        "paused": row["paused_reason"],
        "account": row["account_code"],
        "venue": row["venue"],
        "currency": row["currency"],
        "capital": amount(row["capital"]),
        "leverage": amount(row["leverage"]),
        "ticks_on": row["trigger"] if row["trigger"] != "interval" else f"every {row['cadence_seconds']} s",
        "priority": row["priority"],
        "version": row["parameters_version"],
    }


def _last(tick: dict[str, Any] | None) -> Row:
    if tick is None:
        return {"tick": None}
    return {
        "tick": tick["pk"],
        "tick_status": tick["status"],
        "tick_at": moment(tick["finished_at"] or tick["due_at"]),
        "tick_ms": milliseconds_between(tick["due_at"], tick["finished_at"]),
        "decide_ms": tick["decide_ms"],
        "did": {name: tick[name] for name in ("placed", "amended", "cancelled", "refused")},
        "report": tick["report"],
        "error": tick["error"][:300],
    }
