"""Topic ``venues``: how each venue does, as its market stream process and everybody's requests say."""

from __future__ import annotations

from django.conf import settings

from apps.exchanges.health.reports import VenueReport, venue_reports
from apps.exchanges.market_data.cache import process_redis
from apps.exchanges.models import Venue
from apps.monitor.api.stream.sources.budgets import budgets_left
from apps.monitor.api.stream.table import Row, Rows
from moondev.domain.clock import Clock

_NEVER = 1e8


def read_venues(_words: tuple[str, ...], _clock: Clock) -> Rows:
    """Return enabled venues by code; ages in seconds, None where nothing was heard. Raises Connectivity.

    `budgets` is what is left of its rate limits, empty when they are switched off.
    """
    venues = {venue.code: venue for venue in Venue.objects.filter(enabled=True).prefetch_related("accounts")}
    reports = venue_reports(process_redis(), list(venues))
    counted = settings.MOONDEV_RATE_LIMITS != "off"
    return {
        code: {
            "environment": venues[code].environment,
            **_row(report),
            "budgets": budgets_left(venues[code]) if counted else [],
        }
        for code, report in reports.items()
    }


def _row(report: VenueReport) -> Row:
    return {
        "state": report.state.value,
        "reasons": list(report.reasons),
        "for_seconds": round(report.state_seconds),
        "connected": bool(report.connected),
        "data_age": _age(report.data_age_seconds),
        "ages": {kind: _age(age) for kind, age in sorted(report.ages.items())},
        "messages": report.messages,
        "unreadable": report.unreadable + report.refused,
        "requests": report.requests,
        "errors": report.errors,
        "error_share": round(report.errors / report.requests, 4) if report.requests else None,
        "slow_ms": round(report.slow_seconds * 1000) if report.requests else None,
    }


def _age(seconds: float) -> float | None:
    return None if seconds > _NEVER else round(seconds, 1)
