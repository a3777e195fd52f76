"""The breakers to begin with. What a person has changed since stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from apps.exchanges.models import Veto
from apps.risk.models import Breaker, Metric, Recovery

MINUTE = 60
BREAKERS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "day-loss": {
            "metric": Metric.DAY_LOSS, "threshold": Decimal("0.05"), "cool_down_seconds": 30 * MINUTE,
            "close_share": Decimal("0.5"), "urgency": Veto.Urgency.BRISK,
        },
        "strategy-drawdown": {
            "metric": Metric.STRATEGY_DRAWDOWN, "threshold": Decimal("0.15"), "cool_down_seconds": 60 * MINUTE,
            "recovery": Recovery.MANUAL, "halts": True, "close_share": Decimal(1),
        },
        "portfolio-drawdown": {
            "metric": Metric.PORTFOLIO_DRAWDOWN, "threshold": Decimal("0.25"), "cool_down_seconds": 60 * MINUTE,
            "recovery": Recovery.MANUAL, "halts": True, "close_share": Decimal(1),
        },
        "order-latency": {
            "metric": Metric.ORDER_LATENCY, "threshold": Decimal(500), "window_seconds": 5 * MINUTE,
            "cool_down_seconds": 10 * MINUTE,
        },
        "error-rate": {
            "metric": Metric.ERROR_RATE, "threshold": Decimal("0.05"), "window_seconds": 10 * MINUTE,
            "cool_down_seconds": 15 * MINUTE,
        },
        "venues-down": {
            "metric": Metric.VENUES_DOWN, "threshold": Decimal(3), "window_seconds": MINUTE,
            "cool_down_seconds": 30 * MINUTE, "everywhere": True,
        },
        "position-age": {
            "metric": Metric.POSITION_AGE, "threshold": Decimal(1), "cool_down_seconds": 5 * MINUTE, "halts": True,
            # Old is not dangerous: there is time for a better price.
            "close_share": Decimal(1), "urgency": Veto.Urgency.PATIENT,
        },
        "cpu": {
            "metric": Metric.CPU, "threshold": Decimal("0.90"), "window_seconds": 5 * MINUTE,
            "cool_down_seconds": 10 * MINUTE, "everywhere": True,
        },
        "memory": {
            "metric": Metric.MEMORY, "threshold": Decimal("0.90"), "window_seconds": 5 * MINUTE,
            "cool_down_seconds": 10 * MINUTE, "everywhere": True,
        },
        "credentials": {
            "metric": Metric.CREDENTIAL_ALARMS, "threshold": Decimal(1), "window_seconds": 120 * MINUTE,
            # Exits only, not a halt: that would take the stops out of the market while a key is in doubt.
            "cool_down_seconds": 120 * MINUTE, "recovery": Recovery.MANUAL, "everywhere": True,
        },
        "emergency-drawdown": {
            "metric": Metric.PORTFOLIO_DRAWDOWN, "threshold": Decimal("0.30"), "cool_down_seconds": 120 * MINUTE,
            "recovery": Recovery.MANUAL, "halts": True, "close_share": Decimal(1), "everywhere": True,
        },
        "emergency-day-loss": {
            "metric": Metric.DAY_LOSS, "threshold": Decimal("0.15"), "cool_down_seconds": 120 * MINUTE,
            "recovery": Recovery.MANUAL, "halts": True, "close_share": Decimal(1), "everywhere": True,
        },
    }
)  # fmt: skip


def seed() -> None:
    """Create what is missing; safe to run twice and at once."""
    for code, values in BREAKERS.items():
        Breaker.objects.get_or_create(code=code, defaults=dict(values))
