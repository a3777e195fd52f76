"""The objectives that every installation begins with. People change them in the admin; none is written over."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from apps.monitor.models import Slo
from apps.monitor.models.slos import Indicator

_D = Decimal


def slos_ensure(venues: Sequence[str]) -> None:
    """Make the objectives that are lacking: one of each kind, and one per venue for its data.

    An objective that nobody wants is switched off, not deleted: it would come back.
    """
    wanted = [*_common(), *(_fresh(venue) for venue in venues)]
    there = set(Slo.objects.filter(pk__in=[slo.slug for slo in wanted]).values_list("pk", flat=True))
    Slo.objects.bulk_create([slo for slo in wanted if slo.slug not in there], ignore_conflicts=True)


def _common() -> list[Slo]:
    return [
        Slo(slug="order-path", title="Order path up", indicator=Indicator.ORDER_PATH, objective=_D("0.995")),
        Slo(slug="orders-answered", title="Orders answered", indicator=Indicator.ANSWERED, objective=_D("0.999")),
        Slo(
            slug="tick-to-submit", title="Tick to submit", indicator=Indicator.TICK_TO_SUBMIT, objective=_D("0.99"),
            threshold_ms=500,
        ),
        Slo(
            slug="submit-to-acknowledge", title="Submit to acknowledge", indicator=Indicator.SUBMIT_TO_ACKNOWLEDGE,
            objective=_D("0.99"), threshold_ms=1000,
        ),
        Slo(slug="api", title="API", indicator=Indicator.API, objective=_D("0.99"), threshold_ms=100),
    ]  # fmt: skip


def _fresh(venue: str) -> Slo:
    title = f"Fresh data from {venue}"
    return Slo(
        slug=f"fresh-data-{venue}", title=title, indicator=Indicator.FRESH_DATA, scope=venue, objective=_D("0.99")
    )
