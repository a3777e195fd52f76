"""Add up exposure anew from orders and positions, and put right what had drifted.

The counters are kept by many hands; this is the one place that says what they ought to be. It holds
every counter while it adds up, so nobody can change an order's reservation or a position meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.exchanges.bulk import fetch, values_fetch
from apps.exchanges.locks import ExposureKey, lock_exposures
from apps.exchanges.models import ALL_ASSETS
from apps.risk.models import RiskEvent
from moondev.domain.orders import NON_FINAL

_STATUSES = ", ".join(f"'{status.value}'" for status in sorted(NON_FINAL))
# The statuses are spelt out, as constants of this program, so that the partial index is used.
_TRUTH = f"""
part AS (
    SELECT o.account_id, o.strategy, o.instrument_id, sum(o.reserved) AS amount
      FROM exchanges_order o WHERE o.status IN ({_STATUSES}) AND o.reserved > 0 GROUP BY 1, 2, 3
    UNION ALL
    SELECT p.account_id, p.strategy, p.instrument_id, sum(abs(p.cost))
      FROM exchanges_position p WHERE p.cost <> 0 GROUP BY 1, 2, 3
),
truth AS (
    SELECT s.kind, s.key, s.asset, sum(part.amount) AS amount
      FROM part
      JOIN exchanges_account a ON a.id = part.account_id
      JOIN exchanges_instrument i ON i.id = part.instrument_id
     CROSS JOIN LATERAL (VALUES
        ('portfolio', a.portfolio_id, i.asset),
        ('portfolio', a.portfolio_id, '{ALL_ASSETS}'),
        ('account', a.code, '{ALL_ASSETS}'),
        ('strategy', part.strategy, '{ALL_ASSETS}')
     ) AS s(kind, key, asset)
     GROUP BY 1, 2, 3
)
"""  # noqa: S608  only constants of this program are spliced in
_KEYS = f"""
WITH {_TRUTH}
SELECT kind, key, asset FROM truth
 UNION SELECT scope_kind, scope_key, asset FROM exchanges_exposurecounter
"""  # noqa: S608  see above
_CORRECT = f"""
WITH {_TRUTH}
UPDATE exchanges_exposurecounter e SET used = COALESCE(truth.amount, 0)
  FROM (VALUES %s) AS held(kind, key, asset)
  LEFT JOIN truth ON truth.kind = held.kind AND truth.key = held.key AND truth.asset = held.asset
 WHERE e.scope_kind = held.kind AND e.scope_key = held.key AND e.asset = held.asset
   AND e.used <> COALESCE(truth.amount, 0)
RETURNING e.scope_kind, e.scope_key, e.asset, e.used
"""  # noqa: S608  see above


@dataclass(frozen=True, slots=True)
class Drift:
    """A counter that was wrong: what it said, and what orders and positions add up to."""

    key: ExposureKey
    before: Decimal
    after: Decimal

    def __str__(self) -> str:
        """Return the sentence for the record."""
        return f"exposure in {self.key.asset} was {self.before:f}, orders and positions add up to {self.after:f}"


def exposures_recompute(*, now: datetime, actor: str) -> list[Drift]:
    """Set every counter to what orders and positions add up to; return and record those that differed."""
    with transaction.atomic():
        keys = [ExposureKey(*row) for row in fetch(_KEYS)]
        before = lock_exposures(keys)
        rows: list[Any] = values_fetch(_CORRECT, sorted(before))
        drifts = [Drift(key := ExposureKey(*row[:3]), before[key], row[3]) for row in rows]
        RiskEvent.objects.bulk_create(_event(drift, now, actor) for drift in drifts)
    return drifts


def _event(drift: Drift, now: datetime, actor: str) -> RiskEvent:
    return RiskEvent(
        kind=RiskEvent.Kind.DRIFT,
        scope_kind=drift.key.scope_kind,
        scope_key=drift.key.scope_key,
        actor=actor,
        message=str(drift),
        at=now,
    )
