"""What an operator may do to a scope: halt it, let it only reduce, flatten it, release it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from django.db.models import Model
from django.http import HttpRequest

from apps.exchanges.admin.confirm import Action, confirmed_action
from apps.exchanges.models import TradingMode
from apps.risk import stopping
from apps.risk.scope import ScopeId
from moondev.domain.clock import process_clock

M = TypeVar("M", bound=Model)
Urgency = stopping.Urgency
Deed = Callable[[ScopeId, str, str, Urgency], str]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do to a scope. `flattens`: it takes an urgency as well."""

    name: str
    title: str
    question: str
    deed: Deed
    flattens: bool = False

    def take(self, scope: ScopeId, *, actor: str, reason: str, urgency: Urgency = Urgency.BRISK) -> str:
        """Do it and return a sentence about it. Raises what the functions of `stopping` raise."""
        return self.deed(scope, actor, reason, urgency)


def _stopper(mode: TradingMode, *, flatten: bool = False) -> Deed:
    """Return the deed that engages a halt."""

    def stop(scope: ScopeId, actor: str, reason: str, urgency: Urgency) -> str:
        engaged = stopping.engage(
            scope=scope, mode=mode, flatten=flatten, reason=reason, actor=actor, now=process_clock().now(),
            closing=stopping.Closing(urgency),
        )  # fmt: skip
        done = f"{scope_text(scope)} is {mode.value}{' and being flattened' if flatten else ''}"
        unreached = f"; not reached: {', '.join(engaged.unreached)}" if engaged.unreached else ""
        return f"{done}; venues that now take its orders out of the market: {len(engaged.veto_ids)}{unreached}"

    return stop


def _releaser(*, unfinished: bool) -> Deed:
    """Return the deed that asks for a release."""

    def release(scope: ScopeId, actor: str, reason: str, _urgency: Urgency) -> str:
        asked = stopping.release_ask(
            scope=scope, reason=reason, actor=actor, now=process_clock().now(), unfinished=unfinished
        )
        if asked.state == asked.State.WAITING:
            return f"the release of {scope_text(scope)} waits for a second person"
        return f"{scope_text(scope)} is active again"

    return release


def _drill(scope: ScopeId, actor: str, _reason: str, _urgency: Urgency) -> str:
    stopping.drill_start(scope=scope, flatten=True, actor=actor, now=process_clock().now())
    return f"the guard will drill {scope_text(scope)}; what it finds is shown here"


HALT = Step(
    "halt",
    "Halt",
    "Only cancels leave from now on, and every live order is cancelled. Positions stay as they are.",
    _stopper(TradingMode.HALTED),
)
REDUCE = Step(
    "reduce_only",
    "Reduce only",
    "Only exits leave from now on, and orders that would open are cancelled.",
    _stopper(TradingMode.REDUCING),
)
FLATTEN = Step(
    "flatten",
    "Halt and flatten",
    "Only cancels leave from now on, every live order is cancelled and every position is closed.",
    _stopper(TradingMode.HALTED, flatten=True),
    flattens=True,
)
RELEASE = Step(
    "release",
    "Release",
    "Trading goes on. Halts of other scopes stay.",
    _releaser(unfinished=False),
)
ABANDON = Step(
    "abandon",
    "Release unfinished",
    "Trading goes on although a venue has not confirmed that nothing is left: for one that cannot be reached any more.",
    _releaser(unfinished=True),
)
DRILL = Step(
    "drill",
    "Drill",
    "Rehearse on paper: halt it, cancel and close what is there, ask the venue what is left, and release it again.",
    _drill,
)
STEPS: Mapping[str, Step] = MappingProxyType(
    {step.name: step for step in (HALT, REDUCE, FLATTEN, RELEASE, ABANDON, DRILL)}
)
# What an operator may want next; a halt already engaged can be repeated by flattening.
OPEN_STEPS: Mapping[TradingMode, tuple[Step, ...]] = MappingProxyType(
    {
        TradingMode.ACTIVE: (HALT, REDUCE, FLATTEN),
        TradingMode.REDUCING: (HALT, FLATTEN, RELEASE),
        TradingMode.HALTED: (FLATTEN, RELEASE),
    }
)


def scope_text(scope: ScopeId) -> str:
    """Return a scope as people read it."""
    return "everything" if scope[1] == "*" else f"{scope[0]} {scope[1]}"


def step_action(step: Step, scope_of: Callable[[M], ScopeId]) -> Action:
    """Return the confirmed admin action that takes `step` on the scope of each row.

    The page it belongs to needs `VetoPermission`.
    """

    def act(row: M, actor: str, reason: str) -> str:
        return step.take(scope_of(row), actor=actor, reason=reason)

    # Django tells actions apart by the names of their functions.
    act.__name__ = step.name
    return confirmed_action(title=step.title, question=step.question, permission="veto", wants_reason=True)(act)


def may_veto(request: HttpRequest) -> bool:
    """Return whether the user may change what trades."""
    return bool(request.user.has_perm("exchanges.change_tradingstate"))


class VetoPermission:
    """For admin pages with steps among their actions."""

    def has_veto_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may change what trades."""
        return may_veto(request)
