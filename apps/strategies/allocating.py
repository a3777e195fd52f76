"""Proposes capital for the strategies of a portfolio, and carries a proposal out when a person says so.

A proposal changes nothing. Carrying it out goes through `strategy_update`, so a strategy with real money that gets more
than it was approved for has to be approved again, as after any other edit.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.exchanges.models import Portfolio
from apps.risk.allocation.proposal import Line, Terms, propose, settled
from apps.risk.models import AllocationProposal, ProposalStatus
from apps.risk.portfolio.equity import read_equities
from apps.risk.portfolio.series import returns_matrix
from apps.strategies.models import StrategyRow
from apps.strategies.services import strategy_update
from moondev.domain.clock import milliseconds
from moondev.domain.errors import InvalidValue
from moondev.domain.values import ZERO

# A month in steps of an hour, which is how finely the guard's series is kept that long.
WINDOW, STEP = timedelta(days=30), timedelta(hours=1)
# The world has moved on since an older proposal was made.
GOOD_FOR = timedelta(days=1)


def allocation_propose(
    portfolio: str, terms: Terms, *, actor: str, now: datetime, budget: Decimal | None = None
) -> AllocationProposal:
    """Write down what each enabled strategy of a portfolio should have. Nothing else is changed.

    `budget` is what they may have together; None: what they have now. It is never more than the portfolio's equity.
    Raises InvalidValue for a portfolio without strategies or whose equity is not known, and a budget that is none.
    """
    row = Portfolio.objects.filter(code=portfolio).first()
    if row is None:
        known = ", ".join(Portfolio.objects.order_by("code").values_list("code", flat=True))
        raise InvalidValue("portfolio", portfolio, known or "there is none yet")
    equity = _equity(portfolio, now)
    capitals = _capitals(row)
    if not capitals:
        raise InvalidValue("portfolio", portfolio, "one with enabled strategies in its own currency")
    if budget is not None and not (budget.is_finite() and budget > 0):
        raise InvalidValue("budget", budget, "an amount above 0")
    wanted = sum(capitals.values(), ZERO) if budget is None else budget
    shared = min(wanted, equity)
    lines = settled(propose(capitals, _returns(list(capitals), now), shared, terms), shared, terms)
    return AllocationProposal.objects.create(
        portfolio=row, terms={**asdict(terms), "method": str(terms.method)}, lines=[_stored(line) for line in lines],
        budget=shared, equity=equity, made_by=actor, made_at=now,
    )  # fmt: skip


@transaction.atomic
def allocation_apply(proposal_id: int, *, actor: str, now: datetime) -> AllocationProposal:
    """Give each strategy what the proposal says, all of them or none.

    Raises InvalidValue when it was decided on before, is older than GOOD_FOR, a strategy has other capital by now, or
    the portfolio's equity is not known or less than what they would have together.
    """
    row = _undecided(proposal_id)
    if now - row.made_at > GOOD_FOR:
        raise InvalidValue("proposal", f"made {row.made_at:%Y-%m-%d %H:%M}", f"one of the last {GOOD_FOR}")
    named = [line["strategy"] for line in row.lines]
    strategies = {one.slug: one for one in StrategyRow.objects.filter(slug__in=named)}
    total, equity = sum((Decimal(line["after"]) for line in row.lines), ZERO), _equity(row.portfolio_id, now)
    if total > equity:
        raise InvalidValue("proposal", f"{total} in all", f"at most the portfolio's equity, {equity}")
    for line in row.lines:
        strategy = strategies.get(line["strategy"])
        before, after = Decimal(line["before"]), Decimal(line["after"])
        if strategy is None or strategy.capital != before:
            held = "gone" if strategy is None else f"{strategy.capital.normalize():f}"
            raise InvalidValue("strategy", f"{line['strategy']}: {held}", f"capital of {before:f}, as when proposed")
        if after != before:
            strategy_update(strategy.pk, actor=actor, now=now, capital=after)
    return _decided(row, ProposalStatus.APPLIED, actor, now)


@transaction.atomic
def allocation_drop(proposal_id: int, *, actor: str, now: datetime) -> AllocationProposal:
    """Put a proposal away. Raises InvalidValue when it was decided on before."""
    return _decided(_undecided(proposal_id), ProposalStatus.DROPPED, actor, now)


def _undecided(proposal_id: int) -> AllocationProposal:
    """Return the proposal, locked: of two people who decide at once the second sees what the first did."""
    row = AllocationProposal.objects.select_for_update().filter(pk=proposal_id).first()
    if row is None:
        raise InvalidValue("proposal", proposal_id, "the number of a proposal")
    if row.status != ProposalStatus.PROPOSED:
        raise InvalidValue("proposal", f"{row.pk} is {row.status}, by {row.decided_by}", "one not decided on yet")
    return row


def _decided(row: AllocationProposal, status: ProposalStatus, actor: str, now: datetime) -> AllocationProposal:
    row.status, row.decided_by, row.decided_at = status, actor, now
    row.save(update_fields=["status", "decided_by", "decided_at"])
    return row


def _equity(portfolio: str, now: datetime) -> Decimal:
    equity = read_equities({portfolio}, now).portfolio(portfolio)
    if equity is None or equity <= 0:
        raise InvalidValue("equity", portfolio, "a portfolio whose equity is known now and above 0")
    return equity


def _capitals(portfolio: Portfolio) -> dict[str, Decimal]:
    """Return the capital of the enabled strategies that count in the portfolio's currency: money is not converted."""
    rows = StrategyRow.objects.filter(enabled=True, account__portfolio=portfolio, account__currency=portfolio.currency)
    return {slug: capital.normalize() for slug, capital in rows.order_by("slug").values_list("slug", "capital")}


def _returns(strategies: list[str], now: datetime) -> dict[str, Any]:
    step_ms = STEP // timedelta(milliseconds=1)
    end = now - timedelta(milliseconds=milliseconds(now) % step_ms)
    matrix = returns_matrix(strategies, end - WINDOW, end, STEP)
    return dict(zip(strategies, matrix.T, strict=True))


def _stored(line: Line) -> dict[str, Any]:
    return {**asdict(line), "before": f"{line.before:f}", "after": f"{line.after:f}"}
