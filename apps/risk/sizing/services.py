"""What people may change about sizing: a strategy's rule, each change with its author and history."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.exchanges.market_data.wishes import wishes_extend
from apps.risk.models import Sizing, SizingChange
from apps.risk.sizing.rule import SizingRule
from moondev.domain.errors import InvalidValue


@transaction.atomic
def sizing_set(strategy: str, rule: SizingRule, *, actor: str, now: datetime) -> Sizing:
    """Size `strategy` by `rule` from its next tick on; setting what is set already changes nothing.

    The bars that the rule looks at are streamed from now on. Raises InvalidValue for a strategy without a name.
    """
    if not strategy:
        raise InvalidValue("strategy", strategy, "the slug of a strategy")
    values = rule.to_json()
    # Two people who set a first rule at once: the second waits here for the first, then sees its row.
    row, made = Sizing.objects.get_or_create(strategy=strategy, defaults={**values, "updated_at": now})
    row = Sizing.objects.select_for_update().get(pk=row.pk)
    if not made:
        if row.to_rule() == rule:
            return row
        for name, value in values.items():
            setattr(row, name, value)
        row.version, row.updated_at = row.version + 1, now
        row.save()
    SizingChange.objects.create(sizing=row, version=row.version, rule=values, actor=actor, at=now)
    wishes_extend(strategy, rule.needs)
    return row
