"""What accounts and portfolios are worth: the latest word of the venues, or "not known".

A portfolio's equity is the sum over its enabled accounts in one currency. One account without a
recent mark, or in another currency, makes the sum unknown: a missing part is never counted as zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import OuterRef, Subquery

from apps.exchanges.execution.timing import lasting
from apps.exchanges.models import Account, EquityMark
from moondev.domain.clock import process_clock
from moondev.domain.values import ZERO

# Marks come every second; after a minute without one the venue is out of sight.
MAX_MARK_AGE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Equities:
    """Equity by account code and by portfolio code, None where it is not known.

    `ledgers` is what our own books say the portfolio is worth, taken at the same moments; `members` are the ids of
    the accounts that were added up.
    """

    accounts: Mapping[str, Decimal | None]
    portfolios: Mapping[str, Decimal | None]
    ledgers: Mapping[str, Decimal | None]
    members: Mapping[str, frozenset[int]]

    def account(self, code: str) -> Decimal | None:
        """Return the account's equity in its currency; None when unknown."""
        return self.accounts.get(code)

    def portfolio(self, code: str) -> Decimal | None:
        """Return the portfolio's equity in its currency; None when unknown."""
        return self.portfolios.get(code)


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
            taken_at=Subquery(latest.values("taken_at")[:1]),
        )
        .values_list("pk", "code", "portfolio_id", "currency", "portfolio__currency", "equity", "ledger", "taken_at")
    )
    accounts: dict[str, Decimal | None] = {}
    totals: dict[str, Decimal | None] = {}
    ledgers: dict[str, Decimal | None] = {}
    members: defaultdict[str, set[int]] = defaultdict(set)
    for pk, code, portfolio, currency, portfolio_currency, equity, ledger, taken_at in rows:
        known = is_fresh(taken_at, now)
        counts = known and currency == portfolio_currency
        members[portfolio].add(pk)
        accounts[code] = equity if known else None
        totals[portfolio] = _plus(totals.get(portfolio, ZERO), equity if counts else None)
        ledgers[portfolio] = _plus(ledgers.get(portfolio, ZERO), ledger if counts else None)
    return Equities(accounts, totals, ledgers, {code: frozenset(found) for code, found in members.items()})


def _plus(total: Decimal | None, part: Decimal | None) -> Decimal | None:
    return None if total is None or part is None else total + part
