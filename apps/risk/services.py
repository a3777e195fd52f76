"""What people may change about risk: limits, each change with its author and history."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.exchanges.models import ScopeKind
from apps.risk.limit_rules import require_limit
from apps.risk.models import Limit, LimitChange, LimitKind
from moondev.domain.errors import InvalidValue, Invariant
from moondev.domain.values import finite_decimal

logger = logging.getLogger(__name__)

# Shares and multiples from the original design (15 % / 25 % drawdown, 10 % per asset, leverage 5);
# times and bands are ours, the largest order suits a portfolio of 250,000.
SEED_LIMITS: Mapping[LimitKind, Decimal] = MappingProxyType(
    {
        LimitKind.STRATEGY_DRAWDOWN: Decimal("0.15"),
        LimitKind.PORTFOLIO_DRAWDOWN: Decimal("0.25"),
        LimitKind.ASSET_SHARE: Decimal("0.10"),
        LimitKind.MAX_LEVERAGE: Decimal(5),
        LimitKind.MAX_DATA_AGE_MS: Decimal(5_000),
        LimitKind.PRICE_BAND_BPS: Decimal(500),
        LimitKind.REDUCING_PRICE_BAND_BPS: Decimal(2_000),
        LimitKind.MAX_ORDER_NOTIONAL: Decimal(25_000),
        # Bounds in money suit a portfolio of 250,000: five times that in all, half of it to one direction.
        LimitKind.MAX_GROSS_EXPOSURE: Decimal(1_250_000),
        LimitKind.MAX_NET_EXPOSURE: Decimal(625_000),
        LimitKind.MARGIN_SHARE: Decimal("0.80"),
        # Against running away, not against being quick: 100 orders a second.
        LimitKind.ORDERS_PER_MINUTE: Decimal(6_000),
        LimitKind.MAX_OPEN_ORDERS: Decimal(1_000),
        LimitKind.DAY_LOSS: Decimal("0.05"),
        LimitKind.FEE_SHARE: Decimal(1),
        LimitKind.STRATEGY_CORRELATION: Decimal("0.70"),
    }
)
ATTEMPTS = 5


def limit_set(
    *,
    kind: str,
    scope_kind: str,
    scope_key: str,
    value: Decimal,
    actor: str,
    now: datetime,
    active: bool = True,
    currency: str = "",
) -> Limit:
    """Set a limit to `value` and write down who did; binds the next tick of every worker.

    `currency` is that of a limit in money; left empty it is the portfolio's. Setting what is already set changes
    nothing. Raises InvalidValue naming the field that is wrong and why.
    """
    wanted = Limit(
        kind=kind,
        scope_kind=scope_kind,
        scope_key=scope_key,
        value=finite_decimal("value", value),
        active=active,
        currency=currency,
    )
    _validate(wanted)
    for _ in range(ATTEMPTS):
        current = _current(wanted)
        if current is not None and (current.value, current.active) == (wanted.value, wanted.active):
            return current
        changed = _create(wanted, actor, now) if current is None else _change(current, wanted, actor, now)
        if changed is not None:
            return changed
    raise Invariant(f"limit {wanted} changed {ATTEMPTS} times while it was being set")


def seed_limits(
    portfolio: str, *, actor: str, now: datetime, values: Mapping[LimitKind, Decimal] = SEED_LIMITS
) -> list[Limit]:
    """Give a portfolio the limits it lacks; those that somebody has already set are left alone.

    A seed that contradicts what somebody has set is left out, and the log says so.
    """
    mine = Limit.objects.filter(scope_kind=ScopeKind.PORTFOLIO, scope_key=portfolio)
    present = set(mine.values_list("kind", flat=True))
    made = []
    for kind, value in values.items():
        if kind in present:
            continue
        try:
            made.append(
                limit_set(
                    kind=kind, scope_kind=ScopeKind.PORTFOLIO, scope_key=portfolio, value=value, actor=actor, now=now
                )
            )
        except InvalidValue as error:
            if error.field != "value":
                raise
            logger.warning("portfolio %s gets no %s of %s: %s", portfolio, kind, value, error)
    return made


def _validate(limit: Limit) -> None:
    try:
        limit.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidValue(field, getattr(limit, field, None), "; ".join(messages)) from error
    require_limit(limit)


def _current(wanted: Limit) -> Limit | None:
    return Limit.objects.filter(kind=wanted.kind, scope_kind=wanted.scope_kind, scope_key=wanted.scope_key).first()


def _create(wanted: Limit, actor: str, now: datetime) -> Limit | None:
    """Insert the limit; None when somebody else was first."""
    fresh = Limit(
        kind=wanted.kind,
        scope_kind=wanted.scope_kind,
        scope_key=wanted.scope_key,
        value=wanted.value,
        active=wanted.active,
        currency=wanted.currency,
    )
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
            _record(fresh, actor, now)
    except IntegrityError:
        return None
    return fresh


def _change(current: Limit, wanted: Limit, actor: str, now: datetime) -> Limit | None:
    """Update the row if it is still as it was read; None when somebody else changed it meanwhile."""
    with transaction.atomic():
        changed = Limit.objects.filter(pk=current.pk, version=current.version).update(
            value=wanted.value,
            active=wanted.active,
            currency=wanted.currency,
            version=current.version + 1,
            updated_at=now,
        )
        if not changed:
            return None
        current.refresh_from_db()
        _record(current, actor, now)
    return current


def _record(limit: Limit, actor: str, now: datetime) -> None:
    LimitChange.objects.create(
        limit=limit, version=limit.version, value=limit.value, active=limit.active, actor=actor, at=now
    )
