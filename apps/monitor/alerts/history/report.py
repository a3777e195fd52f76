"""How often each rule woke somebody, and for what: answered, over by itself in seconds, called a false alarm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Sum

from apps.monitor.models import Alert, AlertRule

# What is over within this, without anybody's doing, need not have woken anybody.
SECONDS = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Worth:
    """What one rule was worth. `fired` counts each coming back; `brief` are those over by themselves within SECONDS."""

    rule: str
    severity: str
    fired: int = 0
    told: int = 0
    acknowledged: int = 0
    brief: int = 0
    right: int = 0
    false: int = 0
    unknown: int = 0

    @property
    def false_share(self) -> float | None:
        """Return the share of false alarms among those that somebody has judged; None: nobody has."""
        judged = self.right + self.false
        return self.false / judged if judged else None


def fired_by_rule() -> dict[str, int]:
    """Return how many alerts each rule that ever fired has raised."""
    fired = Alert.objects.filter(fired_at__isnull=False).order_by("rule__slug")
    return dict(fired.values_list("rule__slug").annotate(Count("pk")))


def worth_of_rules(since: datetime) -> list[Worth]:
    """Return what every rule was worth since a moment, the noisiest first, in one query."""
    counted = Alert.objects.filter(fired_at__gte=since)
    answered, brief = ~Q(acknowledged_by=""), Q(acknowledged_by="", resolved_at__lt=F("fired_at") + SECONDS)
    rows = counted.values("rule_id").annotate(
        fired=Count("pk") + Sum("count"),
        told=Count("pk", filter=Q(told_at__isnull=False)),
        acknowledged=Count("pk", filter=answered),
        brief=Count("pk", filter=brief),
        right=Count("pk", filter=Q(label=Alert.Label.RIGHT)),
        false=Count("pk", filter=Q(label=Alert.Label.FALSE)),
        unknown=Count("pk", filter=Q(about=Alert.About.UNKNOWN)),
    )
    by_rule: dict[int, dict[str, int]] = {
        row["rule_id"]: {name: int(str(value)) for name, value in row.items() if name != "rule_id"} for row in rows
    }
    found = [
        Worth(slug, severity, **by_rule.get(key, {}))
        for key, slug, severity in AlertRule.objects.values_list("pk", "slug", "severity")
    ]
    return sorted(found, key=lambda worth: (-worth.false, -worth.brief, -worth.fired, worth.rule))
