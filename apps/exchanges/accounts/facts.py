"""What everybody on this floor has to know about an account, in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.exchanges.bulk import fetch
from apps.exchanges.locks import ExposureKey, exposure_keys
from moondev.domain.clock import from_milliseconds, milliseconds
from moondev.domain.errors import Configuration


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account by its codes; `currency` is the one in which its fees and profit are counted.

    `opened_at` is when its books begin, with its first transfer; what happened before is in that transfer already.
    None means they begin with whatever comes first.
    """

    account_id: int
    code: str
    portfolio: str
    venue: str
    currency: str
    opened_at: datetime | None = None

    def precedes_books(self, moment: datetime) -> bool:
        """Return whether something happened before the books begin. Venues name whole milliseconds."""
        if self.opened_at is None:
            return False
        return moment < from_milliseconds(milliseconds(self.opened_at) - 1)

    def exposure_keys(self, strategy: str, asset: str) -> tuple[ExposureKey, ...]:
        """Return the counters in which an order or position of `strategy` in `asset` counts."""
        return exposure_keys(self.portfolio, self.code, strategy, asset)


def account_facts(account_id: int) -> AccountFacts:
    """Return the facts of an account. Raises Configuration when there is no such account."""
    rows = fetch(
        "SELECT a.id, a.code, a.portfolio_id, a.venue_id, a.currency,"
        " (SELECT MIN(t.at) FROM exchanges_transfer t WHERE t.account_id = a.id) FROM exchanges_account a"
        " WHERE a.id = %s",
        (account_id,),
    )
    if not rows:
        raise Configuration(f"account is {account_id}; allowed: the id of an account")
    return AccountFacts(*rows[0])
