"""What accounts and portfolios are worth: the latest word of the venues, or "not known".

A portfolio's equity is the sum over its enabled accounts in one currency. One account without a
recent mark, or in another currency, makes the sum unknown: a missing part is never counted as zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import OuterRef, Subquery

from apps.exchanges.execution.timing import lasting
from apps.exchanges.models import Account, EquityMark
from moondev.domain.clock import process_clock
from moondev.domain.values import ZERO

# Marks come every second; after a minute without one the venue is out of sight.
MAX_MARK_AGE_SECONDS = 60
# For so long an account out of sight may still be counted with what it had free.
OUT_OF_SIGHT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Equities:
    """Equity by account code and by portfolio code, None where it is not known.

    `ledgers` is what our own books say the portfolio is worth, taken at the same moments; `members` are the ids of
    the accounts that were added up. `prudent` is a lower figure for portfolios of which a part is out of sight.
    """

    accounts: Mapping[str, Decimal | None]
    portfolios: Mapping[str, Decimal | None]
    ledgers: Mapping[str, Decimal | None]
    members: Mapping[str, frozenset[int]]
    prudent: Mapping[str, Decimal | None] = field(default_factory=dict)

    def account(self, code: str) -> Decimal | None:
        """Return the account's equity in its currency; None when unknown."""
        return self.accounts.get(code)

    def portfolio(self, code: str) -> Decimal | None:
        """Return the portfolio's equity in its currency; None when unknown."""
        return self.portfolios.get(code)

    def at_least(self, code: str) -> Decimal | None:
        """Return the portfolio's equity, or while a venue is out of sight the part of it that is not in question.

        An account nobody has seen for a minute, but within a quarter of an hour, counts with what it had not tied up
        as margin. None when that is not known either, or no account at all is in sight.
        """
        known = self.portfolio(code)
        return self.prudent.get(code) if known is None else known


def is_fresh(taken_at: datetime | None, now: datetime) -> bool:
    """Return whether a mark of `taken_at` still says something about `now`.

    Marks are taken by processes, so their age counts in real seconds however fast a replay runs.
    """
    if taken_at is None:
        return False
    return now - taken_at <= lasting(process_clock(), MAX_MARK_AGE_SECONDS)


def read_equities(portfolios: Collection[str], now: datetime) -> Equities:
    """Read the latest mark of every enabled account of `portfolios`, in one query."""
    latest = EquityMark.objects.filter(account=OuterRef("pk")).order_by("-taken_at")
    rows = (
        Account.objects.filter(enabled=True, portfolio__in=portfolios)
        .annotate(
            equity=Subquery(latest.values("venue_equity")[:1]),
            ledger=Subquery(latest.values("ledger_equity")[:1]),
            margin=Subquery(latest.values("margin_used")[:1]),
            taken_at=Subquery(latest.values("taken_at")[:1]),
        )
        .values_list(
            "pk", "code", "portfolio_id", "currency", "portfolio__currency", "equity", "ledger", "taken_at", "margin"
        )
    )
    accounts: dict[str, Decimal | None] = {}
    totals: dict[str, Decimal | None] = {}
    ledgers: dict[str, Decimal | None] = {}
    members: defaultdict[str, set[int]] = defaultdict(set)
    free: dict[str, Decimal | None] = {}
    in_sight: set[str] = set()
    for pk, code, portfolio, currency, portfolio_currency, equity, ledger, taken_at, margin in rows:
        known = is_fresh(taken_at, now)
        counts = known and currency == portfolio_currency
        members[portfolio].add(pk)
        accounts[code] = equity if known else None
        totals[portfolio] = _plus(totals.get(portfolio, ZERO), equity if counts else None)
        ledgers[portfolio] = _plus(ledgers.get(portfolio, ZERO), ledger if counts else None)
        unseen = _unseen(equity, margin, taken_at, now) if currency == portfolio_currency else None
        free[portfolio] = _plus(free.get(portfolio, ZERO), equity if counts else unseen)
        in_sight.update({portfolio} if counts else ())
    prudent = {code: amount for code, amount in free.items() if code in in_sight}
    return Equities(accounts, totals, ledgers, {code: frozenset(found) for code, found in members.items()}, prudent)


def _unseen(equity: Decimal | None, margin: Decimal | None, taken_at: datetime | None, now: datetime) -> Decimal | None:
    """Return what an account out of sight had free at its last mark; None when that is too long ago."""
    if equity is None or margin is None or taken_at is None:
        return None
    recent = now - taken_at <= lasting(process_clock(), OUT_OF_SIGHT_SECONDS)
    return max(equity - margin, ZERO) if recent else None


def _plus(total: Decimal | None, part: Decimal | None) -> Decimal | None:
    return None if total is None or part is None else total + part
