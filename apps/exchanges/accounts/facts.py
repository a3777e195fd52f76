"""What everybody on this floor has to know about an account, in one query."""

from __future__ import annotations

from dataclasses import dataclass

from apps.exchanges.locks import ExposureKey, exposure_keys
from apps.exchanges.models import Account
from moondev.domain.errors import Configuration


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account by its codes; `currency` is the one in which its fees and profit are counted."""

    account_id: int
    code: str
    portfolio: str
    venue: str
    currency: str

    def exposure_keys(self, strategy: str, asset: str) -> tuple[ExposureKey, ...]:
        """Return the counters in which an order or position of `strategy` in `asset` counts."""
        return exposure_keys(self.portfolio, self.code, strategy, asset)


def account_facts(account_id: int) -> AccountFacts:
    """Return the facts of an account. Raises Configuration when there is no such account."""
    row = Account.objects.filter(pk=account_id).values_list("pk", "code", "portfolio_id", "venue_id", "currency")
    found = row.first()
    if found is None:
        raise Configuration(f"account is {account_id}; allowed: the id of an account")
    return AccountFacts(*found)
