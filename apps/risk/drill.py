"""A rehearsal of the kill switch on accounts where no money is real: halt, look at the venue, let go, write it down.

What a drill says it has seen: that the venue, asked afresh, has no order left (and with `flatten` no position), and
that nothing that opens was sent after the halt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from apps.exchanges.execution.delivery import GATE
from apps.exchanges.execution.sessions import Sessions
from apps.exchanges.models import Account, Environment, Order, Portfolio, ScopeKind, Signer, TradingMode, Veto
from apps.risk import vetoes
from apps.risk.models import RiskEvent
from apps.risk.scope import ScopeId
from moondev.domain.clock import Clock
from moondev.domain.errors import InvalidValue, RateLimited
from moondev.domain.orders import Purpose

T = TypeVar("T")
# How often, and between how many real seconds, a venue is asked once more that wants rest.
PATIENCE, SHORTEST_SECONDS, LONGEST_SECONDS = 20, 0.2, 10.0


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill found. Durations in ms from the halt's commit; None: there was nothing to cancel."""

    scope: ScopeId
    orders_before: int
    positions_before: int
    first_cancel_ms: float | None
    done_ms: float
    problems: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in a sentence."""
        first = (
            "nothing to cancel" if self.first_cancel_ms is None else f"first cancel after {self.first_cancel_ms:.0f} ms"
        )
        held = f"{self.orders_before} orders and {self.positions_before} positions"
        outcome = "; ".join(self.problems) or "nothing is left and nothing leaked"
        return f"drill with {held}: {first}, done after {self.done_ms:.0f} ms; {outcome}"


def rehearse(
    scope: ScopeId,
    *,
    flatten: bool,
    actor: str,
    clock: Clock,
    sessions: Sessions,
    follow: Callable[[tuple[int, ...]], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Drill:
    """Halt a scope, wait with `follow` until the halt is done, look, and release it again.

    The scope is released whatever was found, unless `follow` raises: then the halt stands, as it would in earnest.
    Raises InvalidValue unless the scope is a paper account or portfolio that is active now.
    """
    accounts = require_paper(scope)
    orders, positions = _seen(accounts, sessions, sleep)
    engaged = vetoes.engage(
        scope=scope, mode=TradingMode.HALTED, flatten=flatten, reason="drill", actor=actor, now=clock.now()
    )
    # What was being sent while the halt was written is no leak; from here on everybody who asks the gate is told.
    committed = clock.now()
    follow(engaged.veto_ids)
    rows = list(Veto.objects.filter(pk__in=engaged.veto_ids))
    began = min(row.engaged_at for row in rows)
    ended = max(row.done_at for row in rows if row.done_at is not None)
    left_orders, left_positions = _seen(accounts, sessions, sleep)
    problems = [f"{left_orders} orders are left"] if left_orders else []
    problems += [f"{left_positions} positions are left"] if flatten and left_positions else []
    leaked = _sent_after(accounts, committed)
    problems += [f"{leaked} opening orders were sent after the halt"] if leaked else []
    firsts = [row.first_cancel_at for row in rows if row.first_cancel_at is not None]
    first = _ms(began, min(firsts)) if firsts else None
    drill = Drill(scope, orders, positions, first, _ms(began, ended), tuple(problems))
    # Nothing but the drill's own halt: one that somebody engaged meanwhile stands, and that is said by an error.
    vetoes.release(scope=scope, reason="the drill is over", actor=actor, now=clock.now(), seen_epoch=engaged.epoch)
    RiskEvent.objects.create(
        kind=RiskEvent.Kind.DRILL, scope_kind=scope[0], scope_key=scope[1], actor=actor[:100],
        message=str(drill)[:300], at=clock.now(),
    )  # fmt: skip
    return drill


def require_paper(scope: ScopeId) -> list[Account]:
    """Return the accounts of a scope that may be drilled. Raises InvalidValue for one that may not, saying why."""
    kind, key = scope
    if kind not in {ScopeKind.ACCOUNT, ScopeKind.PORTFOLIO}:
        raise InvalidValue("scope", ":".join(scope), "account:<code> or portfolio:<code>, on paper")
    rows = Account.objects.select_related("venue")
    found = list(rows.filter(code=key) if kind == ScopeKind.ACCOUNT else rows.filter(portfolio=key, enabled=True))
    known = Account.objects if kind == ScopeKind.ACCOUNT else Portfolio.objects
    if not found:
        names = ", ".join(sorted(known.values_list("code", flat=True)))
        raise InvalidValue(kind, key, f"one with accounts, of {names or 'none yet'}")
    # A halt goes to switched-off accounts, too.
    reached = found if kind == ScopeKind.ACCOUNT else rows.filter(portfolio=key)
    real = [account.code for account in reached if account.venue.environment != Environment.PAPER]
    if real:
        raise InvalidValue("scope", ", ".join(real), "paper accounts only: a drill cancels and closes what is there")
    halted = [state for state in vetoes.status().states if (state.scope_kind, state.scope_key) == scope]
    if any(state.mode != TradingMode.ACTIVE for state in halted):
        raise InvalidValue("scope", ":".join(scope), "one that is active; this one is halted already")
    return found


def _seen(accounts: Sequence[Account], sessions: Sessions, sleep: Callable[[float], None]) -> tuple[int, int]:
    """Return how many orders rest and how many positions are open, as the venues say now."""
    orders = positions = 0
    for account in accounts:
        client = sessions.session(account.pk, Signer.Purpose.DIRECT).client
        orders += len(_patiently(client.open_orders, sleep))
        positions += sum(1 for position in _patiently(client.account_snapshot, sleep).positions if position.quantity)
    return orders, positions


def _patiently(ask: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """Ask a venue, waiting when it, or our own budget after a halt, wants rest. Raises RateLimited in the end."""
    for _ in range(PATIENCE):
        try:
            return ask()
        except RateLimited as error:
            sleep(min(max(error.retry_after_seconds, SHORTEST_SECONDS), LONGEST_SECONDS))
    return ask()


def _sent_after(accounts: Sequence[Account], moment: datetime) -> int:
    """Count orders that open and left after a moment. Begun is not left: the gate is asked in between, and told no."""
    begun = Order.objects.filter(account__in=accounts, purpose=Purpose.OPENING.value, sent_at__gt=moment)
    return begun.exclude(events__source=GATE).count()


def _ms(began: datetime, ended: datetime) -> float:
    return (ended - began).total_seconds() * 1000
