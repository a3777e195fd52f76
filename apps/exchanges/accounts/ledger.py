"""The ledger: the only writer of positions. Fills and funding go in, exact sums come out.

Quantity, cost and realised profit of an owner only ever add up, so over all owners of an account
``realised - cost`` equals the cash that its fills moved, to the last decimal, in whatever order they were booked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.exchanges.accounts.facts import AccountFacts
from apps.exchanges.bulk import fetch, values_run
from apps.exchanges.locks import ExposureKey
from moondev.domain.portfolio import Holding
from moondev.domain.values import Price, Quantity, Side


@dataclass(frozen=True, slots=True)
class Asset:
    """An instrument as the ledger needs it: its row and the base coin by which exposure is added up."""

    instrument_id: int
    code: str


@dataclass(frozen=True, slots=True)
class _Owner:
    strategy: str
    asset: Asset


class Ledger:
    """The positions of one account in some instruments, opened for booking with the account's reports locked."""

    def __init__(self, account: AccountFacts, known: Mapping[tuple[str, int], Holding]) -> None:
        self._account = account
        self._before = dict(known)
        self._now: dict[_Owner, Holding] = {}
        self._slipped: defaultdict[_Owner, Decimal] = defaultdict(Decimal)

    @classmethod
    def opened(cls, account: AccountFacts, instrument_ids: Iterable[int]) -> Ledger:
        """Read the positions of every owner in the instruments."""
        rows = fetch(
            "SELECT strategy, instrument_id, quantity, cost, realised, fees, funding FROM exchanges_position"
            " WHERE account_id = %s AND instrument_id = ANY(%s) ORDER BY id",
            (account.account_id, sorted(set(instrument_ids))),
        )
        return cls(account, {(row[0], row[1]): Holding(*row[2:]) for row in rows})

    def holding(self, strategy: str, asset: Asset) -> Holding:
        """Return what an owner holds, with everything booked so far."""
        booked = self._now.get(_Owner(strategy, asset))
        return booked or self._before.get((strategy, asset.instrument_id), Holding())

    def owners(self, asset: Asset) -> dict[str, Holding]:
        """Return what every owner holds of an instrument."""
        names = {name for name, instrument_id in self._before if instrument_id == asset.instrument_id}
        names |= {owner.strategy for owner in self._now if owner.asset == asset}
        return {name: self.holding(name, asset) for name in sorted(names)}

    def book(self, strategy: str, asset: Asset, side: Side, quantity: Quantity, price: Price, fee: Decimal) -> Decimal:
        """Book one fill to its owner; return the profit it realised, before the fee."""
        before = self.holding(strategy, asset)
        after = before.filled(side, quantity, price, fee)
        self._now[_Owner(strategy, asset)] = after
        return after.realised - before.realised

    def slip(self, strategy: str, asset: Asset, slippage: Decimal | None) -> None:
        """Add what a booked fill cost against its plan; nothing is known of one that nobody planned."""
        if slippage:
            self._slipped[_Owner(strategy, asset)] += slippage

    def fund(self, strategy: str, asset: Asset, amount: Decimal) -> None:
        """Book a share of a funding payment; positive when received."""
        self._now[_Owner(strategy, asset)] = self.holding(strategy, asset).funded(amount)

    def adopt(self, strategy: str, asset: Asset, quantity: Decimal, cost: Decimal) -> None:
        """Give an owner a position that was there before our first fill, at a cost of `cost`."""
        held = self.holding(strategy, asset)
        self._now[_Owner(strategy, asset)] = Holding(
            held.quantity + quantity, held.cost + cost, held.realised, held.fees, held.funding
        )

    def exposure_changes(self) -> dict[ExposureKey, Decimal]:
        """Return by how much the cost of positions has changed in every counter they count in."""
        changes: defaultdict[ExposureKey, Decimal] = defaultdict(Decimal)
        for owner, holding in self._now.items():
            before = self._before.get((owner.strategy, owner.asset.instrument_id), Holding())
            change = abs(holding.cost) - abs(before.cost)
            for key in self._account.exposure_keys(owner.strategy, owner.asset.code) if change else ():
                changes[key] += change
        return changes

    def write(self, now: datetime) -> None:
        """Write every position that was booked to."""
        account_id = self._account.account_id
        rows = sorted(
            (
                account_id,
                o.strategy,
                o.asset.instrument_id,
                h.quantity,
                h.cost,
                h.realised,
                h.fees,
                h.funding,
                self._slipped[o],
                now if h.quantity else None,
                now,
            )
            for o, h in self._now.items()
        )
        values_run(
            "INSERT INTO exchanges_position AS p (account_id, strategy, instrument_id, quantity, cost, realised, fees,"
            " funding, slippage, opened_at, updated_at) VALUES %s"
            " ON CONFLICT (account_id, strategy, instrument_id) DO UPDATE SET"
            " quantity = EXCLUDED.quantity, cost = EXCLUDED.cost, realised = EXCLUDED.realised,"
            " fees = EXCLUDED.fees, funding = EXCLUDED.funding, updated_at = EXCLUDED.updated_at,"
            " slippage = p.slippage + EXCLUDED.slippage,"
            " opened_at = CASE WHEN sign(p.quantity) = sign(EXCLUDED.quantity)"
            " THEN COALESCE(p.opened_at, EXCLUDED.opened_at) ELSE EXCLUDED.opened_at END",
            rows,
            "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::timestamptz, %s)",
        )
