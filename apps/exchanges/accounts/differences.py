"""Where our ledger and the venue hold different sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.accounts.equity import Books
from apps.exchanges.models import Account
from apps.exchanges.ports import AccountSnapshot
from moondev.domain.values import ZERO


@dataclass(frozen=True, slots=True)
class Difference:
    """One instrument of which the two hold different sizes."""

    symbol: str
    ledger: Decimal
    venue: Decimal

    def __str__(self) -> str:
        """Return both sizes."""
        return f"{self.symbol}: ledger {self.ledger.normalize():f}, venue {self.venue.normalize():f}"


def position_differences(books: Books, snapshot: AccountSnapshot) -> tuple[Difference, ...]:
    """Return every instrument that ledger and venue hold in different sizes, by symbol."""
    theirs = {position.symbol: position.quantity.value for position in snapshot.positions}
    pairs = [(s, books.held.get(s, ZERO), theirs.get(s, ZERO)) for s in sorted({*theirs, *books.held})]
    return tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])


def differing_note(account_id: int, differences: Sequence[Difference]) -> None:
    """Write down in which instruments nothing may be opened until the difference is gone. Twice is once."""
    symbols = [difference.symbol for difference in differences]
    Account.objects.filter(pk=account_id).exclude(differing=symbols).update(differing=symbols)
