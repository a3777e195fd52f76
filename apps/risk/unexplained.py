"""Is a loss one that our own books know, or is money missing that no trade took?

A withdrawal, or a transfer to another wallet of the venue, that nobody has booked yet lowers the venue's equity like
a loss. Flattening for it would pay for a loss that never was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.exchanges.accounts.equity import account_books
from apps.exchanges.models import Account
from apps.exchanges.venue_types import AccountSnapshot
from apps.risk.guard_limits import DrawdownBreach
from apps.risk.portfolio.conversion import conversion_between
from apps.risk.portfolio.portfolio_equity import UNBOOKED_SHARE
from moondev.domain.values import ZERO


@dataclass(frozen=True, slots=True)
class Gap:
    """What an account lacks, by its books, and whether books and venue hold the same positions.

    While they do not, a fill is on its way, or the venue did something we have not heard of. `venue` and `ledger` are
    in the account's currency, of which one is worth `rate` in the portfolio's.
    """

    account: Account
    venue: Decimal
    ledger: Decimal
    agrees: bool
    rate: Decimal = Decimal(1)

    @property
    def missing(self) -> Decimal:
        """Return how much less the venue says than the books, in the portfolio's currency."""
        return (self.ledger - self.venue) * self.rate

    def __str__(self) -> str:
        """Return what an operator has to know, in the account's currency."""
        amounts = (self.ledger, self.venue, self.ledger - self.venue)
        ledger, venue, missing = (f"{amount.normalize():f}" for amount in amounts)
        return f"ledger {ledger}, venue {venue}: {missing} is missing and no trade took it"


def read_gaps(accounts: Iterable[Account], heard: Mapping[int, AccountSnapshot], now: datetime) -> list[Gap]:
    """Return the accounts that answered and lack more than fills under way can take; one query for each account.

    An account whose books cannot be valued, because the venue does not price what they hold, has no gap: then the
    venue's word stands. Nor has one whose currency no fresh rate leads to the portfolio's.
    """
    gaps = []
    asked = list(accounts)
    conversion = conversion_between(((one.currency, one.portfolio.currency) for one in asked), now)
    for account in asked:
        snapshot, rate = heard.get(account.pk), conversion.rate(account.currency, account.portfolio.currency)
        if snapshot is None or rate is None:
            continue
        books = account_books(account.pk)
        ledger, venue = books.equity(snapshot), snapshot.equity.value
        if ledger is not None and venue < ledger - abs(ledger) * UNBOOKED_SHARE:
            gaps.append(Gap(account, venue, ledger, books.agrees_on_positions(snapshot), rate))
    return gaps


def explains(gaps: Iterable[Gap], breach: DrawdownBreach, peak: Decimal) -> bool:
    """Return whether, without the gaps, the breach would be none."""
    missing = sum((gap.missing for gap in gaps), start=ZERO)
    return breach.drawdown - missing / peak < breach.limit
