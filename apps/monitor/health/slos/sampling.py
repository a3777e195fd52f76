"""Measures every objective, once for each minute that is over. Safe to run twice and at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import redis
from django.db import DatabaseError, transaction

from apps.exchanges.bulk import values_run
from apps.monitor.health.expected import expected_venues
from apps.monitor.health.heartbeats import forget
from apps.monitor.health.slos.budget import Count
from apps.monitor.health.slos.defaults import slos_ensure
from apps.monitor.health.slos.indicators import counters, orders, path
from apps.monitor.models import Slo, SloSample
from apps.monitor.models.slos import Indicator
from moondev.domain.clock import LiveClock
from moondev.domain.errors import Connectivity

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
# The longest window there can be, and a week to look back at.
KEPT = timedelta(days=97)
PRUNED_AT_ONCE = 10_000

Measure = Callable[[Slo, Sequence[datetime]], Mapping[datetime, Count]]


@dataclass(frozen=True, slots=True)
class Rule:
    """How an indicator is measured: how long after its end a minute is ripe, and how many that were missed can be."""

    measure: Measure
    ripe_after: timedelta = timedelta(0)
    catches_up: int = 0


# An order is answered within seconds or not at all; a minute later that is known.
_LATER, _BACK = MINUTE, 180
RULES: Mapping[Indicator, Rule] = MappingProxyType(
    {
        Indicator.ORDER_PATH: Rule(path.order_path),
        Indicator.ANSWERED: Rule(orders.answered, _LATER, _BACK),
        Indicator.TICK_TO_SUBMIT: Rule(orders.tick_to_submit, _LATER, _BACK),
        Indicator.SUBMIT_TO_ACKNOWLEDGE: Rule(orders.submit_to_acknowledge, _LATER, _BACK),
        Indicator.FRESH_DATA: Rule(counters.fresh_data),
        Indicator.API: Rule(counters.api),
    }
)


def sample(now: datetime) -> int:
    """Measure what is ripe at `now` and not measured yet; return how many minutes were written. Forgets what is old."""
    slos_ensure(expected_venues())
    written = sum(_sample(slo, now) for slo in Slo.objects.filter(enabled=True))
    old = SloSample.objects.filter(minute__lt=now - KEPT).values("pk")[:PRUNED_AT_ONCE]
    SloSample.objects.filter(pk__in=old).delete()
    try:
        forget(LiveClock().now())
    except redis.RedisError as error:
        logger.info("processes that went are not forgotten yet: %s", error)
    return written


def _sample(slo: Slo, now: datetime) -> int:
    rule = RULES[Indicator(slo.indicator)]
    minutes = minutes_lacking(slo, now, rule)
    if not minutes:
        return 0
    try:
        # A measure whose query fails leaves the others a transaction that works.
        with transaction.atomic():
            counts = rule.measure(slo, minutes)
    except (DatabaseError, Connectivity, redis.RedisError) as error:
        logger.warning("%s is not measured: %s", slo.slug, error)
        return 0
    rows = [(slo.pk, minute, count.good, count.total) for minute, count in sorted(counts.items())]
    return values_run(
        "INSERT INTO monitor_slosample (slo_id, minute, good, total) VALUES %s ON CONFLICT DO NOTHING", rows
    )


def minutes_lacking(slo: Slo, now: datetime, rule: Rule) -> list[datetime]:
    """Return the minutes that are over and ripe and have no sample, oldest first, as far back as they can be measured.

    Nothing before the first sample is lacking: nobody promised anything then.
    """
    newest = floor(now - rule.ripe_after) - MINUTE
    wanted = [newest - MINUTE * back for back in range(rule.catches_up, -1, -1)]
    there = set(slo.samples.filter(minute__gte=wanted[0]).values_list("minute", flat=True))
    first = slo.samples.order_by("minute").values_list("minute", flat=True).first()
    return [minute for minute in wanted if minute not in there and (minute == newest or (first and minute > first))]


def floor(moment: datetime) -> datetime:
    """Return the beginning of a moment's minute."""
    return moment.replace(second=0, microsecond=0)
