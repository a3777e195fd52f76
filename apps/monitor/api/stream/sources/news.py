"""Topic ``news``: what people and the platform did lately, from every floor, so that nobody has to ask why."""

from __future__ import annotations

from collections.abc import Iterator

from apps.exchanges.models import AccountEvent, TradingStateChange
from apps.monitor.api.stream.sources.words import moment
from apps.monitor.api.stream.table import Row, Rows
from apps.risk.models import BreakerChange, LimitChange, RiskEvent
from apps.strategies.models import StrategyEvent
from moondev.domain.clock import Clock

SHOWN = 60


def read_news(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return the latest of each kind of event; the page puts them in the order of their times."""
    return {key: row for read in (_modes, _breakers, _limits, _risk, _strategies, _accounts) for key, row in read()}


def _modes() -> Iterator[tuple[str, Row]]:
    for change in TradingStateChange.objects.all()[:SHOWN]:
        before = change.mode_from or "nothing"
        message = f"{before} → {change.mode_to}: {change.reason}"
        scope = f"{change.scope_kind}:{change.scope_key}"
        yield f"mode-{change.pk}", _row("gate", scope, message, moment(change.at), change.actor)


def _breakers() -> Iterator[tuple[str, Row]]:
    for change in BreakerChange.objects.select_related("breaker")[:SHOWN]:
        message = f"{change.breaker.code} {change.mode_from} → {change.mode_to}: {change.reason}"
        scope = f"{change.scope_kind}:{change.scope_key}"
        yield f"breaker-{change.pk}", _row("breaker", scope, message, moment(change.at), change.actor)


def _limits() -> Iterator[tuple[str, Row]]:
    for change in LimitChange.objects.select_related("limit").order_by("-pk")[:SHOWN]:
        limit = change.limit
        message = f"{limit.kind} is {change.value.normalize():f}" + ("" if change.active else ", switched off")
        yield f"limit-{change.pk}", _row("limit", f"{limit.scope_kind}:{limit.scope_key}", message, moment(change.at),
                                         change.actor)  # fmt: skip


def _risk() -> Iterator[tuple[str, Row]]:
    for event in RiskEvent.objects.all()[:SHOWN]:
        scope = f"{event.scope_kind}:{event.scope_key}"
        yield f"risk-{event.pk}", _row(f"risk {event.kind}", scope, event.message, moment(event.at), event.actor)


def _strategies() -> Iterator[tuple[str, Row]]:
    for event in StrategyEvent.objects.all()[:SHOWN]:
        scope = f"strategy:{event.strategy}"
        yield f"strategy-{event.pk}", _row(event.kind, scope, event.message[:300], moment(event.at), "")


def _accounts() -> Iterator[tuple[str, Row]]:
    for event in AccountEvent.objects.select_related("account")[:SHOWN]:
        scope = f"account:{event.account.code}"
        yield f"account-{event.pk}", _row(event.get_kind_display(), scope, event.message, moment(event.at), "")


def _row(kind: str, scope: str, message: str, at: str | None, actor: str) -> Row:
    return {"kind": kind, "scope": scope, "message": message, "at": at, "actor": actor}
