"""Halt a scope, everywhere at once, and lift the halt again.

Engaging writes to every voice the gate listens to, the fastest first, and then leaves the cleaning up
(cancel, flatten, ask until nothing is left) to each venue's veto worker, as rows that survive anybody's
death. What cannot be reached is logged and reported, never waited for: one voice is enough to halt.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import Error as SqlError
from django.db import transaction
from kombu.exceptions import OperationalError

from apps.exchanges.execution.nudges import (
    EVERYTHING,
    halt_file_mode,
    halt_file_remove,
    halt_file_write,
    redis_nudges,
)
from apps.exchanges.execution.states import trading_epoch, trading_state_set
from apps.exchanges.models import TradingMode, TradingState, Veto
from apps.exchanges.models.vetoes import DEADLINE_SECONDS, SLIPPAGE_BPS
from apps.risk.guard_limits import restart_breached_peak
from apps.risk.models import RiskEvent
from apps.risk.scope import ScopeId
from apps.risk.scope_venues import venues_of
from moondev.celery import send
from moondev.domain.errors import Connectivity, InvalidValue
from moondev.domain.values import ZERO
from moondev.logs import said

logger = logging.getLogger(__name__)
VETO_TASK = "exchanges.orders_veto"
MOST_URGENT = 9


# A bound so wide holds nothing back, and whoever waits longer than an hour to be flat does not want to be.
WIDEST_BPS, LONGEST_SECONDS = 5_000, 3_600


@dataclass(frozen=True, slots=True)
class Closing:
    """How positions are closed: how hastily, by when, and how far beyond the venue's mark at most.

    `keep_share` is the part of each that stays. Raises InvalidValue naming what is out of bounds.
    """

    urgency: Veto.Urgency = Veto.Urgency.BRISK
    deadline_seconds: int = DEADLINE_SECONDS
    slippage_bps: int = SLIPPAGE_BPS
    keep_share: Decimal = ZERO

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        if self.urgency not in tuple(Veto.Urgency):
            raise InvalidValue("urgency", self.urgency, ", ".join(Veto.Urgency.values))
        if not 1 <= self.deadline_seconds <= LONGEST_SECONDS:
            raise InvalidValue("deadline_seconds", self.deadline_seconds, f"1 to {LONGEST_SECONDS}")
        if not 1 <= self.slippage_bps <= WIDEST_BPS:
            raise InvalidValue("slippage_bps", self.slippage_bps, f"1 to {WIDEST_BPS}")
        if not 0 <= self.keep_share < 1:
            raise InvalidValue("keep_share", self.keep_share, "a share of at least 0 and below 1")


# What endangers the capital: out at once.
AT_ONCE = Closing(Veto.Urgency.IMMEDIATE)


@dataclass(frozen=True, slots=True)
class Engaged:
    """A halt that is committed: its rows, and which voices could not be reached."""

    scope: ScopeId
    epoch: int
    veto_ids: tuple[int, ...]
    unreached: tuple[str, ...]


def engage(
    *,
    scope: ScopeId,
    mode: TradingMode,
    flatten: bool,
    reason: str,
    actor: str,
    now: datetime,
    closing: Closing = AT_ONCE,
) -> Engaged:
    """Stop a scope: HALTED lets cancels through only, REDUCING exits too. Engaging again repeats the work.

    With `flatten` its positions are closed as well, as `closing` says. Raises InvalidValue for an unknown scope and for
    ACTIVE, before anything is written, and django.db.Error when SQL cannot be reached: the file and Redis hold then.
    """
    if mode is TradingMode.ACTIVE:
        raise InvalidValue("mode", mode.value, "halted, reducing; release makes a scope active")
    if scope == EVERYTHING:
        _write_halt_file(mode, reason)
    try:
        venues = venues_of(scope)
    except SqlError:
        redis_nudges().engage(scope, mode)
        raise
    redis_nudges().engage(scope, mode)
    with transaction.atomic(durable=True):
        state = trading_state_set(
            scope_kind=scope[0], scope_key=scope[1], mode=mode.value, reason=reason, actor=actor, now=now
        )
        vetoes = Veto.objects.bulk_create(_veto(venue, state, closing if flatten else None, now) for venue in venues)
        _record(RiskEvent.Kind.VETO, scope, actor, f"{mode.value}{' and flatten' if flatten else ''}: {reason}", now)
        # Said again with the row locked: a release that was under way may have taken back what was said above.
        unreached = _speak(scope, mode, reason)
    unreached += [f"queue of {venue}" for venue in venues if not publish_veto(venue)]
    logger.warning("veto: %s:%s %s by %s: %s", *scope, mode.value, actor, reason)
    for veto in vetoes:
        logger.warning("veto %s: to be carried out", veto.pk, extra=said(veto=str(veto.pk), venue=veto.venue_id))
    return Engaged(scope, state.epoch, tuple(veto.pk for veto in vetoes), tuple(unreached))


def publish_veto(venue: str) -> bool:
    """Wake the venue's veto worker; return whether the broker took the message."""
    try:
        send(VETO_TASK, urgency=MOST_URGENT, venue=venue)
    except (OperationalError, OSError, ValueError) as error:
        # ValueError: this installation runs no worker for the venue.
        logger.warning("veto worker of %s not woken: %s", venue, error)
        return False
    return True


def release(*, scope: ScopeId, reason: str, actor: str, now: datetime, seen_epoch: int | None = None) -> TradingState:
    """Make a scope active again, in all voices or in none: SQL, which binds everyone, comes last.

    For the platform itself: people ask by `releases`, which may want a second of them.

    A drawdown that has reached its limit is measured anew from here on, or it would halt again at once.
    Halts of other scopes stay. Raises Connectivity when Redis cannot be asked, OSError when the halt file cannot
    be removed, InvalidValue for an unknown scope, a halt that is still being carried out and one engaged meanwhile:
    since this was called, or since `seen_epoch` for who releases nothing but what he has engaged himself.
    """
    # Read before the vetoes are: a halt engaged after this moment raises it, and then nothing is released.
    epoch = trading_epoch(*scope) if seen_epoch is None else seen_epoch
    unfinished = open_vetoes(scope)
    if unfinished:
        places = ", ".join(f"{veto.venue_id} ({veto.stage})" for veto in unfinished)
        raise InvalidValue("scope", ":".join(scope), f"a scope whose halt is done; still under way at {places}")
    return _release(scope, epoch, reason, actor, now)


def release_unfinished(
    *, scope: ScopeId, reason: str, actor: str, now: datetime, seen_epoch: int | None = None
) -> TradingState:
    """Release a scope although its halt is still being carried out, which then ends undone.

    For a venue that cannot be reached any more; a pass under way may cancel for half a minute yet.
    Raises as `release` does, but for the unfinished halt.
    """
    return _release(scope, trading_epoch(*scope) if seen_epoch is None else seen_epoch, reason, actor, now)


def _release(scope: ScopeId, epoch: int, reason: str, actor: str, now: datetime) -> TradingState:
    """Release what was seen at `epoch`. The other voices are silenced with the row locked, so a halt comes after."""
    if not reason.strip():
        raise InvalidValue("reason", reason, "a sentence that says why")
    venues_of(scope)
    with transaction.atomic(durable=True):
        state = trading_state_set(
            scope_kind=scope[0],
            scope_key=scope[1],
            mode=TradingMode.ACTIVE.value,
            reason=reason,
            actor=actor,
            now=now,
            seen_epoch=epoch,
        )
        restart_breached_peak(scope, now)
        _record(RiskEvent.Kind.RELEASE, scope, actor, reason, now)
        if not redis_nudges().release(scope):
            raise Connectivity("Redis did not answer, so its halt may stand: nothing was released")
        if scope == EVERYTHING:
            halt_file_remove()
    logger.warning("released: %s:%s by %s: %s", *scope, actor, reason)
    return state


def open_vetoes(scope: ScopeId | None = None) -> Sequence[Veto]:
    """Return the vetoes that are not done, of one scope or of all, oldest first."""
    rows = Veto.objects.filter(done_at__isnull=True).order_by("engaged_at", "pk")
    return list(rows if scope is None else rows.filter(scope_kind=scope[0], scope_key=scope[1]))


@dataclass(frozen=True, slots=True)
class Status:
    """What is halted, by whom and how far the halts have got. `redis` None: it did not answer."""

    states: tuple[TradingState, ...]
    redis: tuple[tuple[ScopeId, TradingMode], ...]
    halt_file: TradingMode
    unfinished: tuple[Veto, ...]


def status() -> Status:
    """Return what every voice says now."""
    return Status(
        states=tuple(TradingState.objects.order_by("scope_kind", "scope_key")),
        redis=tuple(sorted(redis_nudges().modes().items())),
        halt_file=halt_file_mode(),
        unfinished=tuple(open_vetoes()),
    )


def _veto(venue: str, state: TradingState, closing: Closing | None, now: datetime) -> Veto:
    how = closing or AT_ONCE
    return Veto(
        venue_id=venue,
        scope_kind=state.scope_kind,
        scope_key=state.scope_key,
        epoch=state.epoch,
        flatten=closing is not None,
        urgency=how.urgency,
        deadline_seconds=how.deadline_seconds,
        slippage_bps=how.slippage_bps,
        keep_share=how.keep_share,
        reason=state.reason,
        actor=state.actor,
        engaged_at=now,
    )


def _speak(scope: ScopeId, mode: TradingMode, reason: str) -> list[str]:
    """Say a halt in the voices beside SQL; return which could not be reached."""
    unreached = [] if scope != EVERYTHING or _write_halt_file(mode, reason) else ["halt file"]
    return unreached if redis_nudges().engage(scope, mode) else [*unreached, "Redis"]


def _write_halt_file(mode: TradingMode, reason: str) -> bool:
    try:
        halt_file_write(mode, reason)
    except OSError as error:
        logger.warning("halt file not written: %s", error)
        return False
    return True


def _record(kind: RiskEvent.Kind, scope: ScopeId, actor: str, message: str, now: datetime) -> None:
    RiskEvent.objects.create(
        kind=kind, scope_kind=scope[0], scope_key=scope[1], actor=actor[:100], message=message[:300], at=now
    )
