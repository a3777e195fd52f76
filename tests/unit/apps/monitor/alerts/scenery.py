"""A platform of which a test says what can be read, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from apps.monitor.alerts.evaluate import evaluate
from apps.monitor.alerts.look import Look
from apps.monitor.alerts.measured import Measured
from apps.monitor.alerts.recorder import Recorder
from apps.monitor.alerts.taking import Taken
from apps.monitor.models import Alert, AlertRule, Channel, Delivery
from moondev.domain.clock import FixedClock

T0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
VENUE = "venue:a"


class AnswersAll:
    """A cache that is there and holds nothing."""

    def ping(self):
        return True


def look(now=T0, queues=dict):
    return Look(FixedClock(now), AnswersAll(), queues)


class Platform:
    """Passes at times of the test's own, on readings of its own. Rules other than those it makes are gone."""

    def __init__(self, watcher="one"):
        AlertRule.objects.all().delete()
        self.now, self.watcher, self.recorder = T0, watcher, Recorder()

    def rule(self, slug="old", **changed):
        given = {
            "slug": slug, "title": f"{slug} data", "reading": "data_age", "comparison": "above",
            "threshold": Decimal(30), "resolve_seconds": 10, "unknown_seconds": 60, "severity": "critical",
        }  # fmt: skip
        return AlertRule.objects.create(**given | changed)

    def channel(self, slug="ops", **changed):
        return Channel.objects.create(slug=slug, kind="webhook", options={"url": "https://example.com/"}, **changed)

    def see(self, after=0, failures=None, **readings):
        """Let `after` seconds pass and make a pass; readings are dicts of scope to value, or one value at VENUE."""
        self.now += timedelta(seconds=after)
        taken = {name: self._measured(value) for name, value in readings.items()}
        return evaluate(Taken(self.now, taken, failures or {}), self.recorder, self.watcher)

    def _measured(self, value):
        values = value if isinstance(value, dict) else {VENUE: value}
        return {
            scope: one if isinstance(one, Measured) else Measured(None if one is None else Decimal(one))
            for scope, one in values.items()
        }


def told():
    """Return every message so far: kind and title."""
    return [(one.notice["kind"], one.title) for one in Delivery.objects.order_by("pk")]


def states():
    """Return where every alert stands, oldest first."""
    return list(Alert.objects.order_by("pk").values_list("scope", "state"))
