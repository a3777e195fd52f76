"""What the log says of ticks: who is at work while one is, and how each ended."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial

from django.db import transaction

from apps.strategies.models import Tick, TickStatus
from apps.strategies.orchestrator.rows import Ending
from apps.strategies.orchestrator.tracing import MILLISECONDS, ended
from moondev.domain.clock import monotonic
from moondev.logs import log_context, said
from moondev.logs.context import About
from moondev.traces.ids import tracing

logger = logging.getLogger(__name__)


def about(tick: Tick) -> About:
    """Return what a tick's lines are about."""
    strategy = tick.strategy
    return {
        "tick": str(tick.pk),
        "strategy": strategy.slug,
        "account": str(strategy.account_id),
        "venue": strategy.account.venue_id,
    }


def working_at(tick: Tick) -> AbstractContextManager[None]:
    """Have every line of the block say which tick it is about."""
    return log_context(**about(tick))


def endings_told(endings: Sequence[Ending], now: datetime) -> None:
    """Tell how ticks ended, once that is committed; one that found nothing to do is told in detail logs only."""
    eventful = [one for one in endings if logger.isEnabledFor(_level(one))]
    if eventful:
        transaction.on_commit(partial(_tell, eventful))
    if tracing():
        transaction.on_commit(partial(_trace, endings, monotonic(), now))


def _trace(endings: Sequence[Ending], written: float, now: datetime) -> None:
    ended(endings, (monotonic() - written) * MILLISECONDS, now)


def _tell(endings: Iterable[Ending]) -> None:
    for one in endings:
        tick, (placed, amended, cancelled, refused) = one.tick, one.counts
        logger.log(
            _level(one),
            "tick %s (%s %s, due %s): %s placed, %s amended, %s cancelled, %s refused%s%s",
            one.status.value,
            tick.trigger,
            tick.event,
            tick.due_at.isoformat(timespec="milliseconds"),
            *(placed, amended, cancelled, refused),
            _spent(one),
            f": {one.error}" if one.error else "",
            extra=said(**about(tick)),
        )


def _level(ending: Ending) -> int:
    if ending.status is not TickStatus.DONE:
        return logging.WARNING
    return logging.INFO if any(ending.counts) else logging.DEBUG


def _spent(ending: Ending) -> str:
    stages = ending.report.get("stages_ms") or {}
    spent = ", ".join(f"{name} {took:g} ms" for name, took in stages.items())
    return f"; {spent}" if spent else ""
