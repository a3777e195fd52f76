"""What an account is worth by our own books, exactly.

    equity = transfers + sum(realised + funding - fees) + sum(quantity x mark - cost)

The sums run over every owner of every position; the venue's account value must equal it to the last decimal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.exchanges.bulk import fetch
from apps.exchanges.ports import AccountSnapshot
from moondev.domain.values import ZERO


@dataclass(frozen=True, slots=True)
class Books:
    """An account's sums: `cash` is everything but the worth of open positions, whose net sizes are in `held`."""

    cash: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    cost: Decimal
    held: Mapping[str, Decimal]

    def equity(self, snapshot: AccountSnapshot) -> Decimal | None:
        """Return the account's worth at the snapshot's prices; None when it lacks the price of something we hold.

        The venue states the value of a position exactly and its mark only through it, so where both agree on the
        size its value is taken as it is.
        """
        worth = self.cash
        known = {position.symbol: position for position in snapshot.positions}
        for symbol, quantity in self.held.items():
            position = known.get(symbol)
            if position is None:
                return None
            same = position.quantity.value == quantity
            worth += position.value.value if same else quantity * position.mark_price.value
        return worth

    def agrees_on_positions(self, snapshot: AccountSnapshot) -> bool:
        """Return whether venue and ledger hold the same sizes of the same things."""
        return dict(self.held) == {p.symbol: p.quantity.value for p in snapshot.positions if p.quantity}


def account_books(account_id: int) -> Books:
    """Return an account's sums over all owners, read in one statement, so that no fill falls between two reads."""
    rows = fetch(
        "SELECT i.symbol, SUM(p.quantity), SUM(p.cost), SUM(p.realised), SUM(p.fees), SUM(p.funding),"
        " (SELECT COALESCE(SUM(t.amount), 0) FROM exchanges_transfer t WHERE t.account_id = %s)"
        " FROM (SELECT 1) AS one LEFT JOIN exchanges_position p ON p.account_id = %s"
        " LEFT JOIN exchanges_instrument i ON i.id = p.instrument_id GROUP BY i.symbol",
        (account_id, account_id),
    )
    cost, realised, fees, funding = (sum((row[n] or ZERO for row in rows), start=ZERO) for n in (2, 3, 4, 5))
    transfers = Decimal(rows[0][6])
    return Books(
        cash=transfers + realised + funding - fees - cost,
        realised=realised,
        fees=fees,
        funding=funding,
        cost=cost,
        held={row[0]: row[1] for row in rows if row[0] and row[1]},
    )
