"""Capital: what everything is worth, has made and risks."""

from __future__ import annotations

from apps.monitor.metrics.grafana.panels import (
    AMBER,
    ENVIRONMENT,
    GREEN,
    HALF,
    QUARTER,
    RED,
    THIRD,
    Dashboard,
    Panel,
    Query,
    query,
)


def _of(name: str, level: str) -> str:
    """Return a question for a figure of the truth, on one level."""
    return f'max by (key, currency) ({name}{{environment=~"$environment", level="{level}"}})'


PAGE = Dashboard(
    "moondev-capital",
    "MoonDev: capital",
    "What everything is worth, has made and risks.",
    (
        Panel("Equity", query(_of("moondev_equity", "total"), "{{key}} {{currency}}"), "stat", "none", QUARTER),
        Panel("Net profit", query(_of("moondev_profit_net", "total"), "{{key}} {{currency}}"), "stat", "none", QUARTER),
        Panel("Gross exposure", query(_of("moondev_exposure_gross", "total"), "{{key}}"), "stat", "none", QUARTER),
        Panel(
            "Deepest drawdown",
            query("max(moondev_drawdown_ratio)", "of any scope"),
            "stat",
            "percentunit",
            QUARTER,
            steps=((0, GREEN), (0.05, AMBER), (0.1, RED)),
        ),
        Panel("Equity by portfolio", query(_of("moondev_equity", "portfolio"), "{{key}} {{currency}}"), width=HALF),
        Panel(
            "Drawdown",
            query("max by (scope_kind, scope_key) (moondev_drawdown_ratio)", "{{scope_kind}} {{scope_key}}"),
            unit="percentunit",
            width=HALF,
        ),
        Panel("Net profit by strategy", query(_of("moondev_profit_net", "strategy"), "{{key}}"), width=HALF),
        Panel("Gross exposure by strategy", query(_of("moondev_exposure_gross", "strategy"), "{{key}}"), width=HALF),
        Panel("Equity by venue", query(_of("moondev_equity", "venue"), "{{key}} {{currency}}"), width=THIRD),
        Panel("Net exposure by coin", query(_of("moondev_exposure_net", "asset"), "{{key}}"), width=THIRD),
        Panel(
            "Fees and slippage",
            (
                Query(_of("moondev_fees", "total"), "fees"),
                Query(_of("moondev_slippage", "total"), "slippage"),
                Query(_of("moondev_funding", "total"), "funding"),
            ),
            width=THIRD,
        ),
        Panel(
            "Ledger and venue apart",
            query("max by (account, venue, currency) (moondev_reconciliation_drift)", "{{account}} {{currency}}"),
            width=HALF,
            about="What the venue says an account is worth, less what our books say: 0, or something is wrong.",
        ),
        Panel("Margin used", query(_of("moondev_margin_used", "account"), "{{key}}"), width=HALF),
    ),
    (ENVIRONMENT,),
)
