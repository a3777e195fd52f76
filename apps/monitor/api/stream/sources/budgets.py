"""What is left of a venue's rate budgets, for the rows of topic ``venues``: by owner, for everybody and for exits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from apps.exchanges.execution.throttle.purse import ceiling
from apps.exchanges.execution.throttle.shared import size_of
from apps.exchanges.models import Venue
from apps.exchanges.registry import adapter_of
from apps.exchanges.throttling import Budget, EarnedBudget, Lane
from moondev.domain.errors import Configuration

OUR_ADDRESS = "our address"


def budgets_left(venue: Venue) -> list[dict[str, object]]:
    """Return what is spent and what is left of each budget, tightest first; nothing while nobody counts.

    `room` is what any request may still take, `reserved_room` what cancels and exits may, `foremost_room` what halts
    may: none is smaller than the one before it.
    """
    try:
        budgets = tuple(adapter_of(venue.protocol).budgets)
    except Configuration:
        return []
    accounts = [(account.code, account.address) for account in venue.accounts.all() if account.enabled]
    owners = [(OUR_ADDRESS, ""), *sorted(accounts)]
    lines = [line for owner, address in owners for line in _lines(venue.code, owner, address, budgets)]
    return sorted(lines, key=lambda line: -float(str(line["share"])))


def _lines(
    venue: str, owner: str, address: str, budgets: Iterable[Budget | EarnedBudget]
) -> Iterator[dict[str, object]]:
    by_name = {budget.name: budget for budget in budgets}
    for name, (spent, size) in size_of(venue, by_name.values(), address).items():
        budget = by_name[name]
        ordinary, reserved, foremost = (_ceiling(budget, size, lane) for lane in Lane)
        yield {
            "owner": owner,
            "name": name,
            "spent": spent,
            "of": foremost,
            "seconds": budget.seconds if isinstance(budget, Budget) else None,
            "room": max(0, ordinary - spent),
            "reserved_room": max(0, reserved - spent),
            "foremost_room": max(0, foremost - spent),
            "share": round(spent / ordinary, 4),
        }


def _ceiling(budget: Budget | EarnedBudget, size: int, lane: Lane) -> int:
    """Return how far a lane may bring a budget."""
    if isinstance(budget, Budget):
        return ceiling(budget, lane)
    return size if lane is Lane.ORDINARY else size + min(size, budget.overdraft)
