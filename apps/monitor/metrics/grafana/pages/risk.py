"""Risk: what may trade, what stopped it, what is under way."""

from __future__ import annotations

from apps.monitor.metrics.grafana.panels import (
    AMBER,
    GREEN,
    HALF,
    QUARTER,
    RED,
    RIGHT,
    STRATEGY,
    THIRD,
    VENUE,
    Dashboard,
    Panel,
    Query,
    query,
)

_MODES = ((0, "active", GREEN), (1, "reducing", AMBER), (2, "halted", RED))

PAGE = Dashboard(
    "moondev-risk",
    "MoonDev: risk",
    "What may trade, what stopped it, and what is under way.",
    (
        Panel(
            "Halted scopes",
            query("count(max by (scope_kind, scope_key) (moondev_trading_mode) == 2) or vector(0)", "halted"),
            "stat",
            width=QUARTER,
            steps=RIGHT,
        ),
        Panel(
            "Breakers open",
            query("count(max by (breaker, scope_kind, scope_key) (moondev_breaker_mode) == 2) or vector(0)", "open"),
            "stat",
            width=QUARTER,
            steps=RIGHT,
        ),
        Panel(
            "Orders nobody knows the fate of",
            query('sum(max by (venue) (moondev_orders_working{status="unknown"}))', "unknown"),
            "stat",
            width=QUARTER,
            steps=RIGHT,
        ),
        Panel(
            "Halts under way",
            query("sum(max by (venue) (moondev_vetoes_open)) or vector(0)", "halts"),
            "stat",
            width=QUARTER,
            steps=RIGHT,
        ),
        Panel(
            "What may trade",
            query("max by (scope_kind, scope_key) (moondev_trading_mode)", "{{scope_kind}} {{scope_key}}"),
            "state-timeline",
            width=HALF,
            words=_MODES,
        ),
        Panel(
            "Breakers",
            query(
                "max by (breaker, scope_kind, scope_key) (moondev_breaker_mode)",
                "{{breaker}} {{scope_kind}} {{scope_key}}",
            ),
            "state-timeline",
            width=HALF,
            words=((0, "closed", GREEN), (1, "half open", AMBER), (2, "open", RED)),
        ),
        Panel(
            "How near breakers are",
            query(
                "topk(15, max by (breaker, scope_kind, scope_key) (moondev_breaker_load_ratio))",
                "{{breaker}} {{scope_kind}} {{scope_key}}",
            ),
            unit="percentunit",
            width=HALF,
        ),
        Panel(
            "Strategies that run",
            query('max by (strategy) (moondev_strategy_running{strategy=~"$strategy"})', "{{strategy}}"),
            "state-timeline",
            width=HALF,
            words=((0, "stopped", AMBER), (1, "runs", GREEN)),
        ),
        Panel(
            "Orders under way",
            query('max by (venue, status) (moondev_orders_working{venue=~"$venue"})', "{{venue}} {{status}}"),
            width=THIRD,
        ),
        Panel(
            "Unchanged for",
            query('max by (venue, status) (moondev_orders_oldest_seconds{venue=~"$venue"})', "{{venue}} {{status}}"),
            unit="s",
            width=THIRD,
            about="The oldest order of each state; resting ones may be old.",
        ),
        Panel(
            "Ticks and commands waiting for",
            (
                Query("max by (status) (moondev_ticks_oldest_seconds)", "tick {{status}}"),
                Query("max by (kind) (moondev_commands_oldest_seconds)", "{{kind}}"),
            ),
            unit="s",
            width=THIRD,
        ),
        Panel(
            "Sizes that differ from the venue's",
            query("max by (account) (moondev_positions_differing)", "{{account}}"),
            width=HALF,
        ),
        Panel(
            "Age of the portfolio truth",
            query("max by (environment) (moondev_truth_age_seconds)", "{{environment}}"),
            unit="s",
            width=HALF,
        ),
    ),
    (VENUE, STRATEGY),
)
