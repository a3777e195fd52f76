"""Asks a strategy what it wants, alone and on the clock; believes nothing it says unchecked."""

from __future__ import annotations

import logging
import time
from typing import cast

from apps.strategies.base import Decision, JSONValue, State
from apps.strategies.orchestrator.answers import SOFT_LIMIT_MS, checked
from apps.strategies.orchestrator.watchdog import NeverReturned, within
from apps.strategies.orchestrator.work import Decided, Failed, Work

logger = logging.getLogger(__name__)

HARD_LIMIT_SECONDS = 1.0
# The machine may take the processor away, so only this much real time counts as slowness by itself.
SOFT_LIMIT_WALL_MS = 500.0


def decide(work: Work, seconds: float | None = None) -> Decided | Failed:
    """Return what the strategy wants, or why nothing can be made of it.

    An exception, an answer that makes no sense, or no answer within `seconds` of real time (None:
    HARD_LIMIT_SECONDS) fails this tick and no other. More than SOFT_LIMIT_MS of processor time is an overrun.
    """
    wall, cpu = time.perf_counter(), time.thread_time()
    problem, decision = "", None
    patience = HARD_LIMIT_SECONDS if seconds is None else seconds
    try:
        decision = within(patience, lambda: _ask(work))
    except NeverReturned:
        problem = f"decide did not return within {patience:g} s"
    except (Exception, SystemExit) as error:  # a strategy may raise anything; only its own tick fails
        logger.exception("strategy %s raised", work.scope.strategy)
        problem = f"{type(error).__name__}: {error}"
    wall_ms, cpu_ms = (time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000
    overrun = cpu_ms > SOFT_LIMIT_MS or wall_ms > SOFT_LIMIT_WALL_MS
    if decision is None:
        return Failed(work.tick, problem, decide_ms=wall_ms, overrun=overrun, code_hash=work.loaded.code_hash)
    return Decided(work, decision, wall_ms, overrun)


def _ask(work: Work) -> Decision:
    # A copy: what a strategy writes into it must not pass for what was stored.
    state = cast(State, _copied(work.tick.strategy.state))
    answer = work.loaded.strategy.decide(work.view, work.own, work.loaded.parameters, state, work.instruments)
    return checked(answer, work.instruments.keys())


def _copied(value: JSONValue) -> JSONValue:
    """Return a copy of what JSON can hold: of nothing else has a row, and `deepcopy` takes five times as long."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
