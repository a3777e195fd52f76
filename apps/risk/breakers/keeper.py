"""Carries breakers from mode to mode and does what they say. Safe to run twice, at once, and to die in.

A trip is written first and acted on afterwards; one whose action was never written down is acted on again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import Error as SqlError
from django.db import connection, transaction

from apps.exchanges.execution.gate import strictest
from apps.exchanges.execution.nudges import EVERYTHING
from apps.exchanges.locks import only_one
from apps.exchanges.models import TradingMode, TradingState, TradingStateChange, Veto
from apps.risk import vetoes
from apps.risk.breakers.machine import Condition, Mode, Rule, advance, reset
from apps.risk.breakers.readings import Readings
from apps.risk.models import CUMULATIVE, OF_OWN_ORDERS, Breaker, BreakerChange, BreakerState, Metric, Recovery
from apps.risk.releases import require_one_person_is_enough
from apps.risk.scope import ScopeId
from apps.risk.stopped import is_stopped
from moondev.domain.errors import InvalidValue, TradingError

logger = logging.getLogger(__name__)

# What a breaker shows is at most so old; a change is written at once.
SHOWN_EVERY = timedelta(seconds=10)
# Epochs of a state's row: nothing has been done yet; what was done there is somebody else's to undo.
NOT_YET, NOT_OURS = 0, -1


@dataclass(frozen=True, slots=True)
class Turned:
    """A breaker that went into another mode in one scope."""

    breaker: str
    scope: ScopeId
    mode: Mode
    reading: Decimal | None


def breakers_look(read: Callable[[Breaker], Readings], actor: str, now: datetime) -> list[Turned]:
    """Take one look with every enabled breaker in each scope that `read` tells of; return those that turned.

    A reading that cannot be taken, or a deed that cannot be done, is logged and keeps no other breaker from looking.
    """
    breakers = list(Breaker.objects.filter(enabled=True).order_by("pk"))
    states = {(row.breaker_id, row.scope_kind, row.scope_key): row for row in BreakerState.objects.all()}
    turned = []
    for breaker in breakers:
        for scope, reading in _read(read, breaker, states).items():
            row = states.get((breaker.pk, *scope))
            found = _looked(breaker, row or _begin(breaker, scope, now), reading, actor, now)
            turned += [found] if found is not None else []
    return turned


def _read(
    read: Callable[[Breaker], Readings], breaker: Breaker, states: Mapping[tuple[int, str, str], BreakerState]
) -> Readings:
    """Return the readings; what is read off our own orders is "not known" where a breaker has ended them."""
    try:
        found = read(breaker)
    except Exception as error:  # whatever it was, the other breakers must still look
        if _is_blind(error):
            raise
        logger.exception("breaker %s cannot be read", breaker.code)
        return {}
    if Metric(breaker.metric) not in OF_OWN_ORDERS:
        return found
    tripped = (row for row in states.values() if row.breaker_id == breaker.pk and row.mode != Mode.CLOSED)
    return {**{(row.scope_kind, row.scope_key): None for row in tripped}, **found}


def _looked(breaker: Breaker, row: BreakerState, reading: Decimal | None, actor: str, now: datetime) -> Turned | None:
    """Look; what goes wrong in one scope is logged there, unless the database is away."""
    try:
        return _look(breaker, row, reading, actor, now)
    except Exception as error:  # one scope in trouble must not keep the guard from all others
        if _is_blind(error):
            raise
        logger.exception("breaker %s, %s:%s", breaker.code, row.scope_kind, row.scope_key)
        return None


def _is_blind(error: Exception) -> bool:
    """Return whether the database is away; a query that failed, or took too long, concerns its breaker alone."""
    return isinstance(error, SqlError) and not connection.is_usable()


def breaker_reset(*, code: str, scope: ScopeId, actor: str, reason: str, now: datetime) -> BreakerState:
    """Let an open breaker go on at a part of the size, for a person who has looked.

    Raises InvalidValue for one that is not open there, no reason, and a halt that is still being carried out.
    """
    if not reason.strip():
        raise InvalidValue("reason", reason, "a sentence that says why")
    row = (
        BreakerState.objects.select_related("breaker")
        .filter(breaker__code=code, scope_kind=scope[0], scope_key=scope[1])
        .first()
    )
    if row is None or row.mode != Mode.OPEN:
        raise InvalidValue("breaker", f"{code} in {scope[0]}:{scope[1]}", "one that is open")
    if row.epoch > 0:
        # It would release what it has halted: one person may not do by a reset what takes two by its name.
        require_one_person_is_enough(_acts_in(row.breaker, row))
    _undo(row, actor, f"{code} reset: {reason}", now)
    if not _write(row, reset(_condition(row), now), row.reading, actor, reason, now):
        raise InvalidValue("breaker", code, "one that nobody else changes at the same moment")
    row.refresh_from_db()
    return row


def _look(breaker: Breaker, row: BreakerState, reading: Decimal | None, actor: str, now: datetime) -> Turned | None:
    before = _condition(row)
    if before.mode is Mode.OPEN and row.epoch == NOT_YET:
        # Whoever tripped it died before it acted.
        _act(breaker, row, before, actor, now)
    elif before.mode is Mode.OPEN and _mode_of(_acts_in(breaker, row)) is TradingMode.ACTIVE:
        return _let_go(breaker, row, actor, now)
    after = advance(before, reading, _rule(breaker), now)
    if after == before and (row.reading == reading or now - row.looked_at < SHOWN_EVERY):
        return None
    if before.mode is Mode.OPEN and after.mode is Mode.HALF_OPEN and not _released(breaker, row, actor, now):
        return None
    reason = _words(breaker, reading, after.mode)
    if not _write(row, after, reading, actor, reason, now) or after.mode is before.mode:
        return None
    logger.warning("breaker %s, %s:%s: %s", breaker.code, row.scope_kind, row.scope_key, reason)
    if after.mode is Mode.OPEN:
        row.refresh_from_db()
        _act(breaker, row, after, actor, now)
    return Turned(breaker.code, (row.scope_kind, row.scope_key), after.mode, reading)


def _let_go(breaker: Breaker, row: BreakerState, actor: str, now: datetime) -> Turned | None:
    """Take it for a reset that somebody has released what the breaker stopped: open, it would watch nothing more."""
    if not _write(row, reset(_condition(row), now), row.reading, actor, "its scope was released by hand", now):
        return None
    return Turned(breaker.code, (row.scope_kind, row.scope_key), Mode.HALF_OPEN, row.reading)


def _act(breaker: Breaker, row: BreakerState, condition: Condition, actor: str, now: datetime) -> None:
    """Stop what the breaker says, once: whoever finds its veto there already leaves it at that.

    Done twice, half of every position would be halved again.
    """
    with only_one(f"breaker/{row.pk}") as ours:
        undone = BreakerState.objects.filter(pk=row.pk, mode=Mode.OPEN, since=row.since, epoch=NOT_YET)
        if not ours or not undone.exists():
            return
        scope = _acts_in(breaker, row)
        done = _done_before(scope, _name(actor, breaker), row.since)
        row.epoch = _stop(breaker, scope, condition, actor, now) if done is None else done
        undone.update(epoch=row.epoch)


def _done_before(scope: ScopeId, name: str, since: datetime) -> int | None:
    """Return the epoch of what the breaker stopped before it died, NOT_OURS if others had; None: it stopped nothing."""
    vetoes_of = Veto.objects.filter(scope_kind=scope[0], scope_key=scope[1], actor=name, engaged_at__gte=since)
    epoch = vetoes_of.order_by("pk").values_list("epoch", flat=True).first()
    if epoch is None:
        return None
    changes = TradingStateChange.objects.filter(scope_kind=scope[0], scope_key=scope[1], actor=name, at__gte=since)
    was = changes.order_by("pk").values_list("mode_from", flat=True).first()
    return epoch if was in {"", TradingMode.ACTIVE.value} else NOT_OURS


def _stop(breaker: Breaker, scope: ScopeId, condition: Condition, actor: str, now: datetime) -> int:
    """Engage; return the epoch that may be released later. A mode that somebody else has set is never softened."""
    before = _mode_of(scope)
    wanted = TradingMode.HALTED if breaker.halts else TradingMode.REDUCING
    mode = strictest([before, wanted])
    closes = bool(breaker.close_share) and not is_stopped(scope)
    if not closes and mode is before:
        return NOT_OURS
    engaged = vetoes.engage(
        scope=scope, mode=mode, flatten=closes, closing=_closing(breaker) if closes else vetoes.AT_ONCE,
        reason=_words(breaker, condition.worst, Mode.OPEN), actor=_name(actor, breaker), now=now,
    )  # fmt: skip
    return engaged.epoch if before is TradingMode.ACTIVE else NOT_OURS


def _closing(breaker: Breaker) -> vetoes.Closing:
    return vetoes.Closing(Veto.Urgency(breaker.urgency), keep_share=1 - breaker.close_share)


def _released(breaker: Breaker, row: BreakerState, actor: str, now: datetime) -> bool:
    try:
        _undo(row, actor, f"{breaker.code} has cooled down", now)
    except TradingError as error:
        logger.info("breaker %s stays open: %s", breaker.code, error)
        return False
    return True


def _undo(row: BreakerState, actor: str, reason: str, now: datetime) -> None:
    """Release what this breaker stopped, unless somebody has set the scope's mode since.

    While another breaker is open that stops the same, it stays stopped, and is the other's to release.
    """
    scope = _acts_in(row.breaker, row)
    state = TradingState.objects.filter(scope_kind=scope[0], scope_key=scope[1]).first()
    if row.epoch <= 0 or state is None or state.epoch != row.epoch:
        return
    open_ = BreakerState.objects.filter(mode=Mode.OPEN, breaker__enabled=True).exclude(pk=row.pk)
    others = [other.pk for other in open_.select_related("breaker") if _acts_in(other.breaker, other) == scope]
    if others:
        BreakerState.objects.filter(pk__in=others, epoch=NOT_OURS).update(epoch=row.epoch)
        return
    vetoes.release(scope=scope, reason=reason, actor=_name(actor, row.breaker), now=now, seen_epoch=row.epoch)


def _write(
    row: BreakerState, after: Condition, reading: Decimal | None, actor: str, reason: str, now: datetime
) -> bool:
    """Write the condition unless somebody else has moved the row since it was read; return whether it was written."""
    with transaction.atomic():
        values = {
            "mode": after.mode.value, "since": after.since, "seen": after.seen, "reading": reading,
            "worst": after.worst, "accepted": after.accepted, "acknowledged": after.acknowledged, "looked_at": now,
        }  # fmt: skip
        if after.mode is Mode.OPEN and row.mode != Mode.OPEN:
            values["epoch"] = NOT_YET
        ours = BreakerState.objects.filter(pk=row.pk, mode=row.mode, since=row.since, seen=row.seen)
        if not ours.update(**values):
            return False
        if after.mode.value != row.mode:
            BreakerChange.objects.create(
                breaker_id=row.breaker_id, scope_kind=row.scope_kind, scope_key=row.scope_key, mode_from=row.mode,
                mode_to=after.mode.value, reading=reading, actor=actor[:100], reason=reason[:300], at=now,
            )  # fmt: skip
    return True


def _begin(breaker: Breaker, scope: ScopeId, now: datetime) -> BreakerState:
    row, _ = BreakerState.objects.get_or_create(
        breaker=breaker, scope_kind=scope[0], scope_key=scope[1],
        defaults={"mode": Mode.CLOSED.value, "since": now, "looked_at": now},
    )  # fmt: skip
    return row


def _condition(row: BreakerState) -> Condition:
    return Condition(Mode(row.mode), row.since, row.seen, row.worst, row.accepted, row.acknowledged)


def _rule(breaker: Breaker) -> Rule:
    return Rule(
        breaker.threshold,
        timedelta(seconds=breaker.cool_down_seconds),
        automatic=breaker.recovery == Recovery.AUTOMATIC,
        cumulative=Metric(breaker.metric) in CUMULATIVE,
        of_own_orders=Metric(breaker.metric) in OF_OWN_ORDERS,
    )


def _acts_in(breaker: Breaker, row: BreakerState) -> ScopeId:
    return EVERYTHING if breaker.everywhere else (row.scope_kind, row.scope_key)


def _name(actor: str, breaker: Breaker) -> str:
    return f"{actor}/{breaker.code}"


def _mode_of(scope: ScopeId) -> TradingMode:
    state = TradingState.objects.filter(scope_kind=scope[0], scope_key=scope[1]).first()
    return TradingMode.ACTIVE if state is None else TradingMode(state.mode)


def _words(breaker: Breaker, reading: Decimal | None, mode: Mode) -> str:
    amount = "not known" if reading is None else f"{reading.normalize():f}"
    return f"{mode.value}: {breaker.metric} is {amount}, threshold {breaker.threshold.normalize():f}"
