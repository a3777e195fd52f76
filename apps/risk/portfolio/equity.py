"""What accounts and portfolios are worth: the latest word of the venues, or "not known".

A portfolio's equity is the sum over its enabled accounts, each converted into the portfolio's currency. One account
without a recent mark, or whose currency has no fresh rate, makes the sum unknown: a missing part is never zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import OuterRef, Subquery

from apps.exchanges.execution.timing import lasting
from apps.exchanges.models import Account, EquityMark
from apps.risk.portfolio.conversion import conversion_between
from apps.risk.portfolio.figures import added
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
    `rates` is what one of an account's currency is worth in its portfolio's; `dearest` the highest of those in a
    portfolio: amounts that were added up over its accounts without regard to their currencies are worth no more than
    their sum times this. `margins` are what accounts have tied up, `currencies` those of the portfolios.
    """

    accounts: Mapping[str, Decimal | None]
    portfolios: Mapping[str, Decimal | None]
    ledgers: Mapping[str, Decimal | None]
    members: Mapping[str, frozenset[int]]
    prudent: Mapping[str, Decimal | None] = field(default_factory=dict)
    dearest: Mapping[str, Decimal | None] = field(default_factory=dict)
    rates: Mapping[str, Decimal | None] = field(default_factory=dict)
    margins: Mapping[str, Decimal | None] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)

    def margin(self, code: str) -> Decimal | None:
        """Return what the account's venue said is tied up as margin, in its currency; None when unknown."""
        return self.margins.get(code)

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


@dataclass(frozen=True, slots=True)
class Counted:
    """Equities in the unit of the exposure counters, which add up amounts of all currencies as they are.

    Each is divided by what the dearest currency of the portfolio is worth in its own, so that a bound taken from it is
    never too high. Where all accounts are of one currency it is the equity itself.
    """

    portfolio: Decimal | None
    strategy: Decimal | None


def counted(
    equities: Equities | None,
    *,
    portfolio: str,
    account: str,
    portfolio_equity: Decimal | None,
    strategy_equity: Decimal | None,
) -> Counted:
    """Return the equities of a portfolio and of a strategy on one of its accounts as counters count."""
    if equities is None or portfolio not in equities.dearest:
        return Counted(portfolio_equity, strategy_equity)
    dearest, own = equities.dearest[portfolio], equities.rates.get(account)
    return Counted(_divided(portfolio_equity, dearest, Decimal(1)), _divided(strategy_equity, dearest, own))


def _divided(equity: Decimal | None, dearest: Decimal | None, own: Decimal | None) -> Decimal | None:
    return None if equity is None or not dearest or own is None else equity * own / dearest


def is_fresh(taken_at: datetime | None, now: datetime) -> bool:
    """Return whether a mark of `taken_at` still says something about `now`.

    Marks are taken by processes, so their age counts in real seconds however fast a replay runs.
    """
    if taken_at is None:
        return False
    return now - taken_at <= lasting(process_clock(), MAX_MARK_AGE_SECONDS)


def read_equities(portfolios: Collection[str], now: datetime) -> Equities:
    """Read the latest mark of every enabled account of `portfolios`, in one query, and one for rates if need be."""
    rows = _rows(portfolios)
    conversion = conversion_between(((row.currency, row.reporting) for row in rows), now)
    accounts: dict[str, Decimal | None] = {}
    totals: dict[str, Decimal | None] = {}
    ledgers: dict[str, Decimal | None] = {}
    members: defaultdict[str, set[int]] = defaultdict(set)
    free: dict[str, Decimal | None] = {}
    dearest: dict[str, Decimal | None] = {}
    rates: dict[str, Decimal | None] = {}
    margins: dict[str, Decimal | None] = {}
    in_sight: set[str] = set()
    for row in rows:
        known = is_fresh(row.taken_at, now)
        accounts[row.code], margins[row.code] = (row.equity, row.margin) if known else (None, None)
        equity = conversion.convert(row.equity if known else None, row.currency, row.reporting)
        ledger = conversion.convert(row.ledger if known else None, row.currency, row.reporting)
        least = equity if known else conversion.convert(_unseen(row, now), row.currency, row.reporting)
        members[row.portfolio].add(row.pk)
        totals[row.portfolio] = added(totals.get(row.portfolio, ZERO), equity)
        ledgers[row.portfolio] = added(ledgers.get(row.portfolio, ZERO), ledger)
        free[row.portfolio] = added(free.get(row.portfolio, ZERO), least)
        rates[row.code] = conversion.rate(row.currency, row.reporting)
        dearest[row.portfolio] = _dearer(dearest.get(row.portfolio, ZERO), rates[row.code])
        in_sight.update(() if equity is None else {row.portfolio})
    return Equities(
        accounts,
        totals,
        ledgers,
        {code: frozenset(found) for code, found in members.items()},
        {code: amount for code, amount in free.items() if code in in_sight},
        dearest,
        rates,
        margins,
        {row.portfolio: row.reporting for row in rows},
    )


class _Row(NamedTuple):
    pk: int
    code: str
    portfolio: str
    currency: str
    reporting: str
    equity: Decimal | None
    ledger: Decimal | None
    taken_at: datetime | None
    margin: Decimal | None


def _rows(portfolios: Collection[str]) -> list[_Row]:
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
    return [_Row(*row) for row in rows]


def _unseen(row: _Row, now: datetime) -> Decimal | None:
    """Return what an account out of sight had free at its last mark; None when that is too long ago."""
    if row.equity is None or row.margin is None or row.taken_at is None:
        return None
    recent = now - row.taken_at <= lasting(process_clock(), OUT_OF_SIGHT_SECONDS)
    return max(row.equity - row.margin, ZERO) if recent else None


def _dearer(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else max(one, other)
