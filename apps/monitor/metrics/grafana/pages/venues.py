"""Venues and limits: how each does, and what is left of what it allows."""

from __future__ import annotations

from apps.monitor.metrics.grafana.panels import (
    AMBER,
    GREEN,
    HALF,
    RED,
    THIRD,
    VENUE,
    Dashboard,
    Panel,
    query,
)

_CALLS = 'rate(moondev_venue_calls_total{venue=~"$venue"}[1m])'
_LEFT = ((0, RED), (0.2, AMBER), (0.5, GREEN))

PAGE = Dashboard(
    "moondev-venues",
    "MoonDev: venues and limits",
    "How each venue does, and what is left of what it allows.",
    (
        Panel(
            "State",
            query(
                'max by (venue) (moondev_venue_state{state="down", venue=~"$venue"} * 2'
                ' + ignoring(state) moondev_venue_state{state="degraded", venue=~"$venue"})',
                "{{venue}}",
            ),
            "state-timeline",
            width=HALF,
            words=((0, "ok", GREEN), (1, "degraded", AMBER), (2, "down", RED)),
        ),
        Panel(
            "Age of the newest datum",
            query('max by (venue) (moondev_venue_data_age_seconds{venue=~"$venue"})', "{{venue}}"),
            unit="s",
            width=HALF,
        ),
        Panel(
            "Market messages",
            query('max by (venue) (rate(moondev_venue_messages_total{venue=~"$venue"}[1m]))', "{{venue}}"),
            unit="ops",
            width=THIRD,
        ),
        Panel(
            "Fresh",
            query('moondev:venue_fresh:ratio5m{venue=~"$venue"}', "{{venue}}"),
            unit="percentunit",
            width=THIRD,
            about="How often the newest datum was younger than a second.",
        ),
        Panel(
            "Socket to cache, slowest",
            query('max by (venue) (moondev_venue_visible_seconds{venue=~"$venue"})', "{{venue}}"),
            unit="s",
            width=THIRD,
        ),
        Panel(
            "Requests answered within (99 %)",
            query(
                "histogram_quantile(0.99, max by (venue, le)"
                ' (rate(moondev_venue_request_seconds_bucket{venue=~"$venue"}[5m])))',
                "{{venue}}",
            ),
            unit="s",
            width=THIRD,
        ),
        Panel("Calls by how they ended", query(f"sum by (outcome) ({_CALLS})", "{{outcome}}"), unit="ops", width=THIRD),
        Panel("Calls", query(f"sum by (call) ({_CALLS})", "{{call}}"), unit="ops", width=THIRD),
        Panel(
            "No usable answer",
            query('moondev:venue_errors:ratio5m{venue=~"$venue"}', "{{venue}}"),
            unit="percentunit",
            width=HALF,
        ),
        Panel(
            "Refused by venues",
            query(
                'sum by (venue, code) (rate(moondev_venue_rejects_total{venue=~"$venue"}[5m]))', "{{venue}} {{code}}"
            ),
            unit="ops",
            width=HALF,
        ),
        Panel(
            "Left of rate budgets, for everything",
            query(
                'min by (venue, owner, budget) (moondev_limiter_headroom_ratio{lane="ordinary", venue=~"$venue"})',
                "{{venue}} {{budget}} {{owner}}",
            ),
            "bargauge",
            "percentunit",
            HALF,
            steps=_LEFT,
        ),
        Panel(
            "Left of rate budgets, for exits",
            query(
                'min by (venue, owner, budget) (moondev_limiter_headroom_ratio{lane="reserved", venue=~"$venue"})',
                "{{venue}} {{budget}} {{owner}}",
            ),
            "bargauge",
            "percentunit",
            HALF,
            steps=_LEFT,
        ),
    ),
    (VENUE,),
)
