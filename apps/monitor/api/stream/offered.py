"""The topics this platform offers."""

from __future__ import annotations

from apps.monitor.api.stream.sources.alerts import read_alerts
from apps.monitor.api.stream.sources.fills import read_fills
from apps.monitor.api.stream.sources.health import read_health
from apps.monitor.api.stream.sources.market import PriceTopic, read_candles, read_charts
from apps.monitor.api.stream.sources.money import read_equity, read_limits_used, read_money
from apps.monitor.api.stream.sources.news import read_news
from apps.monitor.api.stream.sources.orders import read_orders
from apps.monitor.api.stream.sources.positions import read_positions
from apps.monitor.api.stream.sources.queues import QueueTopic
from apps.monitor.api.stream.sources.risk import read_breakers, read_drills, read_gates, read_releases, read_vetoes
from apps.monitor.api.stream.sources.strategies import read_strategies
from apps.monitor.api.stream.sources.ticks import read_ticks
from apps.monitor.api.stream.sources.venues import read_venues
from apps.monitor.api.stream.topics import Topic, Topics


def topics() -> Topics:
    """Return every topic. What a person waits for is read four times a second, what only drifts once."""
    queues = QueueTopic()
    return Topics(
        (
            Topic("money", "exchanges.view_equitymark", 0.5, read_money),
            Topic("equity", "exchanges.view_equitymark", 5.0, read_equity, ("KIND", "KEY", "SECONDS")),
            Topic("limits", "risk.view_limit", 2.0, read_limits_used),
            Topic("fills", "exchanges.view_fill", 0.25, read_fills),
            Topic("orders", "exchanges.view_order", 0.25, read_orders),
            Topic("positions", "exchanges.view_position", 0.25, read_positions),
            Topic("strategies", "strategies.view_strategyrow", 0.5, read_strategies),
            Topic("ticks", "strategies.view_strategyrow", 0.5, read_ticks),
            Topic("gates", "exchanges.view_tradingstate", 0.25, read_gates),
            Topic("vetoes", "exchanges.view_tradingstate", 0.25, read_vetoes),
            Topic("releases", "exchanges.view_tradingstate", 0.5, read_releases),
            Topic("drills", "exchanges.view_tradingstate", 0.5, read_drills),
            Topic("breakers", "risk.view_breakerstate", 1.0, read_breakers),
            Topic("news", "exchanges.view_tradingstatechange", 1.0, read_news),
            Topic("venues", "exchanges.view_venue", 1.0, read_venues),
            Topic("health", "exchanges.view_venue", 2.0, read_health),
            Topic("queues", "exchanges.view_venue", 1.0, queues.read, close=queues.close),
            Topic("alerts", "monitor.view_alert", 1.0, read_alerts),
            Topic("prices", "exchanges.view_instrumentrow", 0.05, PriceTopic().read),
            Topic("charts", "exchanges.view_instrumentrow", 10.0, read_charts),
            Topic("candles", "exchanges.view_instrumentrow", 1.0, read_candles, ("VENUE", "SYMBOL", "SECONDS")),
        )
    )
