"""The order of the stages, and where money may move in each."""

from __future__ import annotations

from apps.exchanges.models import Environment
from apps.strategies.models import Stage
from moondev.domain.errors import InvalidValue

ORDER = (Stage.RESEARCH, Stage.PAPER, Stage.LIMITED_LIVE, Stage.LIVE)
REAL_MONEY = frozenset({Stage.LIMITED_LIVE, Stage.LIVE})


def stage_after(stage: Stage) -> Stage:
    """Return the next stage up. Raises InvalidValue at the last."""
    if stage is ORDER[-1]:
        raise InvalidValue("stage", stage.value, "one that another follows; nothing comes after live")
    return ORDER[ORDER.index(stage) + 1]


def stage_before(stage: Stage) -> Stage:
    """Return the next stage down. Raises InvalidValue at the first."""
    if stage is ORDER[0]:
        raise InvalidValue("stage", stage.value, "one that another precedes; research is the first")
    return ORDER[ORDER.index(stage) - 1]


def may_trade(stage: Stage, environment: Environment) -> bool:
    """Return whether a strategy in `stage` may trade on accounts of `environment`.

    Past paper it may still trade on paper: a strategy is often moved back to look at it.
    """
    if environment is Environment.LIVE:
        return stage in REAL_MONEY
    return stage is not Stage.RESEARCH
