"""From tick to fill: how long each step of a trade takes."""

from __future__ import annotations

from apps.monitor.metrics.grafana.panels import (
    HALF,
    STRATEGY,
    THIRD,
    VENUE,
    Dashboard,
    Panel,
    query,
)


def _stage(share: float, by: str) -> str:
    seconds = 'rate(moondev_stage_seconds_bucket{venue=~"$venue", strategy=~"$strategy"}[5m])'
    return f"histogram_quantile({share}, sum by ({by}, le) ({seconds}))"


PAGE = Dashboard(
    "moondev-latency",
    "MoonDev: from tick to fill",
    "How long each step of a trade takes, and how ticks and orders end.",
    (
        Panel(
            "99 % of steps are done within",
            query(_stage(0.99, "stage"), "{{stage}}"),
            unit="s",
            width=HALF,
            about="decision: since the tick was due. approval: since the decision. submit: since the approval."
            " acknowledge and fill: since it was sent; a resting order's fill waits for the market.",
        ),
        Panel("Half of steps are done within", query(_stage(0.5, "stage"), "{{stage}}"), unit="s", width=HALF),
        Panel(
            "Acknowledged within, by venue (99 %)",
            query('moondev:stage_seconds:p99{stage="acknowledge", venue=~"$venue"}', "{{venue}}"),
            unit="s",
            width=THIRD,
        ),
        Panel(
            "Decided within, by strategy (99 %)",
            query(
                'histogram_quantile(0.99, sum by (strategy, le) (rate(moondev_stage_seconds_bucket{stage="decision",'
                ' strategy=~"$strategy"}[5m])))',
                "{{strategy}}",
            ),
            unit="s",
            width=THIRD,
        ),
        Panel(
            "Approved within, by strategy (99 %)",
            query(
                'histogram_quantile(0.99, sum by (strategy, le) (rate(moondev_stage_seconds_bucket{stage="approval",'
                ' strategy=~"$strategy"}[5m])))',
                "{{strategy}}",
            ),
            unit="s",
            width=THIRD,
        ),
        Panel(
            "Ticks by how they ended",
            query('sum by (outcome) (rate(moondev_ticks_total{strategy=~"$strategy"}[1m]))', "{{outcome}}"),
            unit="ops",
            width=THIRD,
        ),
        Panel(
            "Orders by state entered",
            query(
                'sum by (status) (rate(moondev_orders_total{strategy=~"$strategy", venue=~"$venue"}[1m]))', "{{status}}"
            ),
            unit="ops",
            width=THIRD,
        ),
        Panel(
            "Fills",
            query(
                'sum by (venue) (rate(moondev_fills_total{strategy=~"$strategy", venue=~"$venue"}[1m]))', "{{venue}}"
            ),
            unit="ops",
            width=THIRD,
        ),
        Panel(
            "Refused by the review",
            query('sum by (code) (rate(moondev_refusals_total{strategy=~"$strategy"}[5m]))', "{{code}}"),
            unit="ops",
            width=HALF,
        ),
        Panel(
            "Traded in a minute",
            query(
                "sum by (strategy)"
                ' (increase(moondev_traded_notional_total{strategy=~"$strategy", venue=~"$venue"}[1m]))',
                "{{strategy}}",
            ),
            width=HALF,
        ),
    ),
    (VENUE, STRATEGY),
)
