"""Trading states: the rows the gate reads. Risk and operators decide, this writes and keeps the history."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.exchanges.bulk import fetch
from apps.exchanges.locks import lock_trading_state
from apps.exchanges.models import ScopeKind, TradingMode, TradingState, TradingStateChange
from moondev.domain.errors import InvalidValue


def trading_state_set(
    *,
    scope_kind: str,
    scope_key: str,
    mode: str,
    reason: str,
    actor: str,
    now: datetime,
    seen_epoch: int | None = None,
) -> TradingState:
    """Set the mode of a scope and return its row, whose epoch has risen by one.

    Setting the mode it has already is a change too: a halt engaged again is carried out again. With `seen_epoch`
    (0: there was no row) it is set only if nobody has changed it since that epoch. Raises InvalidValue if somebody
    has, for an unknown kind or mode, an empty reason or actor, and a key that does not fit its kind.
    """
    _require(scope_kind, scope_key, mode, reason, actor)
    with transaction.atomic():
        mode_from = lock_trading_state(scope_kind, scope_key)
        # Insert or update in one statement: two who set a new scope at once follow each other, neither is lost.
        rows = fetch(
            "INSERT INTO exchanges_tradingstate AS s (scope_kind, scope_key, mode, reason, actor, changed_at, epoch)"
            " VALUES (%s, %s, %s, %s, %s, %s, 1) ON CONFLICT (scope_kind, scope_key) DO UPDATE SET"
            " mode = EXCLUDED.mode, reason = EXCLUDED.reason, actor = EXCLUDED.actor,"
            " changed_at = EXCLUDED.changed_at, epoch = s.epoch + 1"
            " WHERE %s::bigint IS NULL OR s.epoch = %s RETURNING s.id",
            (scope_kind, scope_key, mode, reason[:300], actor[:100], now, seen_epoch, seen_epoch),
        )
        if not rows:
            raise InvalidValue("scope", f"{scope_kind}:{scope_key}", "a scope that was not halted again meanwhile")
        TradingStateChange.objects.create(
            scope_kind=scope_kind,
            scope_key=scope_key,
            mode_from=mode_from,
            mode_to=mode,
            reason=reason[:300],
            actor=actor[:100],
            at=now,
        )
        return TradingState.objects.get(pk=rows[0][0])


def trading_epoch(scope_kind: str, scope_key: str) -> int:
    """Return the epoch of a scope's row, for `seen_epoch`; 0 when there is no row."""
    rows = TradingState.objects.filter(scope_kind=scope_kind, scope_key=scope_key).values_list("epoch", flat=True)
    return rows.first() or 0


def _require(scope_kind: str, scope_key: str, mode: str, reason: str, actor: str) -> None:
    if scope_kind not in ScopeKind.values:
        raise InvalidValue("scope_kind", scope_kind, ", ".join(ScopeKind.values))
    if mode not in TradingMode.values:
        raise InvalidValue("mode", mode, ", ".join(TradingMode.values))
    if not scope_key or (scope_kind == ScopeKind.EVERYTHING) != (scope_key == "*"):
        raise InvalidValue("scope_key", scope_key, "'*' for everything, else a code, slug or instrument key")
    if not reason:
        raise InvalidValue("reason", reason, "why, in words")
    if not actor:
        raise InvalidValue("actor", actor, "who")
