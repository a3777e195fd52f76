"""What a strategy may answer: nothing it says is believed unchecked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import get_args

from apps.strategies.base import Decision
from apps.strategies.orchestrator.planner.quotes import MAX_LEVELS
from moondev.domain.desired import Desired, Legs, Quotes, Target
from moondev.domain.errors import InvalidValue

SOFT_LIMIT_MS = 50.0
MAX_STATE_CHARACTERS = 100_000


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
