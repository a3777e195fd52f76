"""Let a halted scope trade again, when a person asks for it and, in production, a second person agrees.

Two names guard against haste and against one stolen login. They are no wall against whoever administers the machine:
who holds the database's password can write the rows himself.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from apps.exchanges.execution.states import trading_epoch
from apps.exchanges.models import TradingMode, TradingState
from apps.risk import vetoes
from apps.risk.models import ReleaseRequest
from apps.risk.scope import ScopeId
from apps.risk.scope_venues import venues_of
from moondev.domain.errors import InvalidValue

logger = logging.getLogger(__name__)

# The permission that both persons need.
PERMISSION = "exchanges.change_tradingstate"
# How long a second person may take: what was right to release then may not be later.
VALID = timedelta(hours=1)
State = ReleaseRequest.State


def needs_second_person() -> bool:
    """Return whether a release takes two; only the settings' own file says no."""
    return bool(settings.MOONDEV_RELEASE_NEEDS_SECOND_PERSON)


def release_ask(*, scope: ScopeId, reason: str, actor: str, now: datetime, unfinished: bool = False) -> ReleaseRequest:
    """Ask for a release; where one person is enough it is carried out at once. `state` of the row returned tells.

    `unfinished` releases although a venue could not be cleared. Raises what `vetoes.release` raises, and InvalidValue
    for no reason, for who may not release, and for a scope whose release waits already.
    """
    if not reason.strip():
        raise InvalidValue("reason", reason, "a sentence that says why")
    venues_of(scope)
    if needs_second_person():
        _require_person(actor)
    _expire(now)
    asked = ReleaseRequest(
        scope_kind=scope[0], scope_key=scope[1], epoch=trading_epoch(*scope), unfinished=unfinished,
        reason=reason[:300], asked_by=actor[:100], asked_at=now, expires_at=now + VALID,
    )  # fmt: skip
    if not needs_second_person():
        _carry_out(asked, actor, now)
        asked.state, asked.closed_by, asked.closed_at = State.RELEASED, actor[:100], now
        asked.save()
        return asked
    try:
        with transaction.atomic():
            asked.save()
    except IntegrityError:
        first = ReleaseRequest.objects.get(scope_kind=scope[0], scope_key=scope[1], state=State.WAITING)
        raise InvalidValue(
            "scope", ":".join(scope), f"one whose release does not wait already: {first.pk}, asked by {first.asked_by}"
        ) from None
    logger.warning("release %s of %s:%s asked by %s: %s", asked.pk, *scope, actor, reason)
    return asked


def release_confirm(*, request_id: int, actor: str, now: datetime) -> ReleaseRequest:
    """Carry out a release that waits, as another person than the one who asked.

    Raises what `vetoes.release` raises, among it InvalidValue when the scope was halted again since it was asked; and
    InvalidValue for a request that does not wait (any more), for the same person, and for who may not release.
    """
    _expire(now)
    asked = ReleaseRequest.objects.filter(pk=request_id, state=State.WAITING).first()
    if asked is None:
        waiting = ", ".join(str(row.pk) for row in releases_waiting(now)) or "there is none"
        raise InvalidValue("request_id", request_id, f"a release that waits: {waiting}")
    if actor == asked.asked_by:
        raise InvalidValue("actor", actor, f"another person than {asked.asked_by}, who asked for it")
    _require_person(actor)
    # Claimed first: killed between here and the release, the scope stays halted and is asked for anew.
    row = ReleaseRequest.objects.filter(pk=asked.pk)
    if not row.filter(state=State.WAITING).update(state=State.RELEASED, closed_by=actor[:100], closed_at=now):
        raise InvalidValue("request_id", request_id, "a release that nobody else confirms at the same moment")
    try:
        _carry_out(asked, f"{asked.asked_by}, confirmed by {actor}", now)
    except Exception:  # raised again: whatever kept it from being released, it waits as before
        row.update(state=State.WAITING, closed_by="", closed_at=None)
        raise
    return row.get()


def release_withdraw(*, request_id: int, actor: str, now: datetime) -> ReleaseRequest:
    """Take back a release that waits; anybody who may release can. Raises InvalidValue when it does not wait."""
    if needs_second_person():
        _require_person(actor)
    closed = ReleaseRequest.objects.filter(pk=request_id, state=State.WAITING).update(
        state=State.WITHDRAWN, closed_by=actor[:100], closed_at=now
    )
    if not closed:
        raise InvalidValue("request_id", request_id, "a release that waits")
    return ReleaseRequest.objects.get(pk=request_id)


def releases_waiting(now: datetime) -> Sequence[ReleaseRequest]:
    """Return the releases that a second person may still confirm, oldest first."""
    return list(ReleaseRequest.objects.filter(state=State.WAITING, expires_at__gt=now).order_by("pk"))


def require_one_person_is_enough(scope: ScopeId) -> None:
    """Raise InvalidValue where a deed of one person would release a halted scope and two are needed."""
    if not needs_second_person():
        return
    state = TradingState.objects.filter(scope_kind=scope[0], scope_key=scope[1]).first()
    if state is not None and state.mode != TradingMode.ACTIVE:
        raise InvalidValue("scope", ":".join(scope), "one that is active: its release takes two persons; ask for that")


def _carry_out(asked: ReleaseRequest, actor: str, now: datetime) -> None:
    release = vetoes.release_unfinished if asked.unfinished else vetoes.release
    release(
        scope=(asked.scope_kind, asked.scope_key), reason=asked.reason, actor=actor, now=now, seen_epoch=asked.epoch
    )


def _require_person(name: str) -> None:
    """Raise InvalidValue unless `name` is a person of the admin who may release."""
    person = get_user_model().objects.filter(username=name, is_active=True).first()
    if person is None or not person.has_perm(PERMISSION):
        raise InvalidValue("actor", name, f"an active user of the admin with the permission {PERMISSION}")


def _expire(now: datetime) -> None:
    late = ReleaseRequest.objects.filter(state=State.WAITING, expires_at__lte=now)
    late.update(state=State.WITHDRAWN, closed_by="too late", closed_at=now)
