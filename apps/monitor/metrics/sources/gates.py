"""What may trade: trading states, breakers, halts under way, strategies that run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from django.db.models import Count, Min
from prometheus_client.metrics_core import Metric

from apps.exchanges.models import ScopeKind, TradingMode, TradingState, Veto
from apps.monitor.metrics.told import Told
from apps.risk.breakers.machine import Mode
from apps.risk.models import BreakerState
from apps.strategies.models import StrategyRow
from moondev.domain.clock import process_clock

_SCOPE = ("scope_kind", "scope_key")
TRADING = Told("moondev_trading_mode", "0 active, 1 reducing (exits only), 2 halted (cancels only).", _SCOPE)
BREAKER = Told("moondev_breaker_mode", "0 closed, 1 half open, 2 open.", ("breaker", *_SCOPE))
LOAD = Told("moondev_breaker_load_ratio", "What it read last, as a share of what trips it.", ("breaker", *_SCOPE))
VETOES = Told("moondev_vetoes_open", "Halts that are not done.", ("venue",))
VETO_AGE = Told("moondev_vetoes_oldest_seconds", "Since the oldest of them was engaged, real seconds.", ("venue",))
STRATEGY = Told("moondev_strategy_running", "1 runs, 0 is paused or disabled.", ("strategy", "venue", "stage"))

GATES = (TRADING, BREAKER, LOAD, VETOES, VETO_AGE, STRATEGY)
MODES: Mapping[str, int] = MappingProxyType({TradingMode.ACTIVE: 0, TradingMode.REDUCING: 1, TradingMode.HALTED: 2})
BREAKER_MODES: Mapping[str, int] = MappingProxyType({Mode.CLOSED: 0, Mode.HALF_OPEN: 1, Mode.OPEN: 2})


def read_gates(now: datetime, strategies: Collection[str]) -> Iterator[Metric]:
    """Yield the state of everything that lets trade or does not. Four questions."""
    states = TradingState.objects.values_list("scope_kind", "scope_key", "mode")
    yield TRADING.family(
        ((kind, key), MODES[mode]) for kind, key, mode in states if kind != ScopeKind.STRATEGY or key in strategies
    )
    breakers = [
        ((code, kind, key), mode, reading, threshold)
        for code, kind, key, mode, reading, threshold in BreakerState.objects.filter(breaker__enabled=True).values_list(
            "breaker__code", "scope_kind", "scope_key", "mode", "reading", "breaker__threshold"
        )
        if kind != ScopeKind.STRATEGY or key in strategies
    ]
    yield BREAKER.family((whose, BREAKER_MODES.get(mode)) for whose, mode, _, _ in breakers)
    yield LOAD.family(
        (whose, None if reading is None else reading / threshold) for whose, _, reading, threshold in breakers
    )
    vetoes = list(
        Veto.objects.filter(done_at=None).values("venue_id").annotate(count=Count("id"), oldest=Min("engaged_at"))
    )
    yield VETOES.family(((row["venue_id"],), row["count"]) for row in vetoes)
    pace = process_clock().wall_seconds
    yield VETO_AGE.family(((row["venue_id"],), pace((now - row["oldest"]).total_seconds())) for row in vetoes)
    rows = StrategyRow.objects.values_list("slug", "account__venue_id", "stage", "enabled", "paused_reason")
    yield STRATEGY.family(
        ((slug, venue, stage), float(enabled and not paused)) for slug, venue, stage, enabled, paused in rows
    )
