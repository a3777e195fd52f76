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
from apps.risk import vetoes
from apps.risk.scope import ScopeId
from moondev.domain.clock import process_clock

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do to a scope.

    `mode` ACTIVE releases, and with `unfinished` even a halt that a venue has not carried out; `flatten` closes the
    positions as well.
    """

    name: str
    title: str
    question: str
    mode: TradingMode
    flatten: bool = False
    unfinished: bool = False

    def take(self, scope: ScopeId, *, actor: str, reason: str) -> str:
        """Do it and return a sentence about it. Raises what vetoes.engage and vetoes.release raise."""
        now, named = process_clock().now(), scope_text(scope)
        if self.mode is TradingMode.ACTIVE:
            release = vetoes.release_unfinished if self.unfinished else vetoes.release
            release(scope=scope, reason=reason, actor=actor, now=now)
            return f"{named} is active again"
        engaged = vetoes.engage(scope=scope, mode=self.mode, flatten=self.flatten, reason=reason, actor=actor, now=now)
        done = f"{named} is {self.mode.value}{' and being flattened' if self.flatten else ''}"
        unreached = f"; not reached: {', '.join(engaged.unreached)}" if engaged.unreached else ""
        return f"{done}; venues that now take its orders out of the market: {len(engaged.veto_ids)}{unreached}"


HALT = Step(
    "halt",
    "Halt",
    "Only cancels leave from now on, and every live order is cancelled. Positions stay as they are.",
    TradingMode.HALTED,
)
REDUCE = Step(
    "reduce_only",
    "Reduce only",
    "Only exits leave from now on, and orders that would open are cancelled.",
    TradingMode.REDUCING,
)
FLATTEN = Step(
    "flatten",
    "Halt and flatten",
    "Only cancels leave from now on, every live order is cancelled and every position is closed at the market.",
    TradingMode.HALTED,
    flatten=True,
)
RELEASE = Step(
    "release",
    "Release",
    "Trading goes on. Halts of other scopes stay.",
    TradingMode.ACTIVE,
)
ABANDON = Step(
    "abandon",
    "Release unfinished",
    "Trading goes on although a venue has not confirmed that nothing is left: for one that cannot be reached any more.",
    TradingMode.ACTIVE,
    unfinished=True,
)
STEPS: Mapping[str, Step] = MappingProxyType({step.name: step for step in (HALT, REDUCE, FLATTEN, RELEASE, ABANDON)})
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
