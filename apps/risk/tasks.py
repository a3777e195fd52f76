"""Tasks of the risk floor."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.exchanges.market_data.cache import market_cache
from apps.risk.correlation.measure import correlations_measure
from apps.risk.exposure_recompute import exposures_recompute
from apps.risk.sizing.trades import trades_update
from moondev.celery import TradingTask
from moondev.domain.clock import process_clock

logger = logging.getLogger(__name__)


@shared_task(base=TradingTask, name="risk.exposures_recompute")
def exposures_recompute_task() -> None:
    """Put exposure counters right; safe to run twice and at once."""
    for drift in exposures_recompute(now=process_clock().now(), actor="risk.exposures_recompute"):
        logger.warning("%s:%s %s", drift.key.scope_kind, drift.key.scope_key, drift)


@shared_task(base=TradingTask, name="risk.sizing_trades")
def sizing_trades_task() -> None:
    """Add up anew what the trades of strategies returned that Kelly sizes; safe to run twice and at once."""
    trades_update(process_clock().now())


@shared_task(base=TradingTask, name="risk.correlations_measure")
def correlations_measure_task() -> None:
    """Measure anew who moves like whom; safe to run twice and at once."""
    correlations_measure(market_cache(), process_clock().now())
