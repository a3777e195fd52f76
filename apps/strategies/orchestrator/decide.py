"""Asks a strategy what it wants, alone and on the clock; believes nothing it says unchecked."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from copy import deepcopy
from typing import get_args

from apps.strategies.base import Decision
from apps.strategies.orchestrator.planner.quotes import MAX_LEVELS
from apps.strategies.orchestrator.watchdog import NeverReturned, within
from apps.strategies.orchestrator.work import Decided, Failed, Work
from moondev.domain.desired import Desired, Legs, Quotes, Target
from moondev.domain.errors import InvalidValue

logger = logging.getLogger(__name__)

SOFT_LIMIT_MS = 50.0
HARD_LIMIT_SECONDS = 1.0
# The machine may take the processor away, so only this much real time counts as slowness by itself.
SOFT_LIMIT_WALL_MS = 500.0
MAX_STATE_CHARACTERS = 100_000


def decide(work: Work) -> Decided | Failed:
    """Return what the strategy wants, or why nothing can be made of it.

    An exception, an answer that makes no sense, or no answer within HARD_LIMIT_SECONDS fails this
    tick and no other. More than SOFT_LIMIT_MS of processor time is an overrun.
    """
    wall, cpu = time.perf_counter(), time.thread_time()
    problem, decision = "", None
    try:
        decision = within(HARD_LIMIT_SECONDS, lambda: _ask(work))
    except NeverReturned:
        problem = f"decide did not return within {HARD_LIMIT_SECONDS:g} s"
    except (Exception, SystemExit) as error:  # a strategy may raise anything; only its own tick fails
        logger.exception("strategy %s raised", work.scope.strategy)
        problem = f"{type(error).__name__}: {error}"
    wall_ms, cpu_ms = (time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000
    overrun = cpu_ms > SOFT_LIMIT_MS or wall_ms > SOFT_LIMIT_WALL_MS
    if decision is None:
        return Failed(work.tick, problem, decide_ms=wall_ms, overrun=overrun)
    return Decided(work, decision, wall_ms, overrun)


def _ask(work: Work) -> Decision:
    # A copy: what a strategy writes into it must not pass for what was stored.
    state = deepcopy(work.tick.strategy.state)
    answer = work.loaded.strategy.decide(work.view, work.own, work.loaded.parameters, state, work.instruments)
    return checked(answer, work.instruments.keys())


def checked(answer: object, allowed: Iterable[str]) -> Decision:
    """Return `answer` if it is a decision about `allowed` instruments that can be planned and stored.

    Raises InvalidValue that names what is wrong.
    """
    if not isinstance(answer, Decision):
        raise InvalidValue("decision", type(answer).__name__, "a Decision")
    named: set[str] = set()
    for wish in answer.desired:
        if not isinstance(wish, get_args(Desired)):
            raise InvalidValue("desired", type(wish).__name__, "Target, Quotes or Legs")
        for instrument in _instruments(wish):
            if instrument not in allowed:
                raise InvalidValue("instrument", instrument, "one of " + ", ".join(sorted(allowed)))
            if instrument in named:
                raise InvalidValue("instrument", instrument, "one wish per instrument")
            named.add(instrument)
    _check_state(answer)
    return answer


def _instruments(wish: Desired) -> list[str]:
    if isinstance(wish, Legs):
        return [target.instrument for target in wish.targets]
    if isinstance(wish, Quotes) and max(len(wish.bids), len(wish.asks)) > MAX_LEVELS:
        raise InvalidValue("quotes", max(len(wish.bids), len(wish.asks)), f"at most {MAX_LEVELS} a side")
    if isinstance(wish, Target) and len(wish.signal_id) > 100:
        raise InvalidValue("signal_id", wish.signal_id, "at most 100 characters")
    return [wish.instrument]


def _check_state(answer: Decision) -> None:
    try:
        text = json.dumps(dict(answer.state), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidValue("state", str(error), "values that JSON can hold") from error
    if len(text) > MAX_STATE_CHARACTERS:
        raise InvalidValue("state", f"{len(text)} characters", f"at most {MAX_STATE_CHARACTERS}")
