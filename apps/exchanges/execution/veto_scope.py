"""What a halt is about: accounts, rows and live orders of one scope at one venue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.exchanges.bulk import fetch
from apps.exchanges.models import ScopeKind, Veto
from apps.exchanges.orders.doubts import Seen
from apps.exchanges.ports import LiveOrder

# How rows of each scope are recognised; o is an order or a position, a its account, i its instrument.
_CONDITIONS = {
    ScopeKind.EVERYTHING: "%s = '*'",
    ScopeKind.PORTFOLIO: "a.portfolio_id = %s",
    ScopeKind.VENUE: "a.venue_id = %s",
    ScopeKind.ACCOUNT: "a.code = %s",
    ScopeKind.STRATEGY: "o.strategy = %s",
    ScopeKind.INSTRUMENT: "i.venue_id || ':' || i.symbol = %s",
}
_WHOLE_ACCOUNTS = frozenset({ScopeKind.EVERYTHING, ScopeKind.PORTFOLIO, ScopeKind.VENUE, ScopeKind.ACCOUNT})


@dataclass(frozen=True, slots=True)
class Held:
    """What one owner holds of one instrument on one account, by the ledger."""

    account_id: int
    strategy: str
    instrument_id: int
    symbol: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class VetoScope:
    """One scope at one venue."""

    venue: str
    kind: str
    key: str

    @classmethod
    def of(cls, veto: Veto) -> VetoScope:
        """Return the scope of a veto."""
        return cls(veto.venue_id, veto.scope_kind, veto.scope_key)

    @property
    def condition(self) -> str:
        """Return the SQL condition of its rows, with two parameters: see `parameters`."""
        return f"a.venue_id = %s AND {_CONDITIONS[ScopeKind(self.kind)]}"

    @property
    def parameters(self) -> tuple[str, str]:
        """Return the parameters of `condition`."""
        return self.venue, self.key

    def accounts(self) -> dict[int, str]:
        """Return the accounts at the venue in which something of the scope may live: their codes by id.

        Disabled ones too: what lives or is held there was not ended by disabling them.
        """
        if ScopeKind(self.kind) in _WHOLE_ACCOUNTS or self.kind == ScopeKind.INSTRUMENT:
            condition = "TRUE" if self.kind == ScopeKind.INSTRUMENT else _CONDITIONS[ScopeKind(self.kind)]
            parameters = () if self.kind == ScopeKind.INSTRUMENT else (self.key,)
            sql = f"SELECT a.id, a.code FROM exchanges_account a WHERE a.venue_id = %s AND {condition} ORDER BY a.id"  # noqa: S608  our own words
            return dict(fetch(sql, (self.venue, *parameters)))
        rows = fetch(
            "SELECT a.id, a.code FROM exchanges_account a WHERE a.venue_id = %s AND (EXISTS (SELECT 1"
            " FROM exchanges_order o WHERE o.account_id = a.id AND o.strategy = %s) OR EXISTS (SELECT 1"
            " FROM exchanges_position p WHERE p.account_id = a.id AND p.strategy = %s)) ORDER BY a.id",
            (self.venue, self.key, self.key),
        )
        return dict(rows)

    def of_account(self, account_id: int, resting: Sequence[LiveOrder]) -> list[LiveOrder]:
        """Return those live orders of an account that belong to the scope."""
        if self.kind == ScopeKind.INSTRUMENT:
            return [order for order in resting if f"{self.venue}:{order.symbol}" == self.key]
        if self.kind != ScopeKind.STRATEGY:
            return list(resting)
        rows = fetch(
            "SELECT client_order_id, venue_order_id FROM exchanges_order WHERE account_id = %s AND strategy = %s"
            " AND (client_order_id = ANY(%s::uuid[]) OR venue_order_id = ANY(%s))",
            (
                account_id,
                self.key,
                [str(order.client_order_id) for order in resting if order.client_order_id],
                [order.venue_order_id for order in resting],
            ),
        )
        ours = {name for row in rows for name in row if name}
        return [order for order in resting if order.client_order_id in ours or order.venue_order_id in ours]

    def unseen(self, account_id: int, seen: Seen, *, reducing: bool) -> list[tuple[UUID, str]]:
        """Return orders of the scope that should rest at the venue and are not `seen` there: client id and instrument.

        Those that were touched last come last: whoever asks about a few at a time gets round to all. `reducing` leaves
        out what reduces.
        """
        opening = " AND o.purpose = 'opening'" if reducing else ""
        rows = fetch(
            "SELECT o.client_order_id, i.venue_id || ':' || i.symbol FROM exchanges_order o"  # noqa: S608  our own words
            " JOIN exchanges_account a ON a.id = o.account_id JOIN exchanges_instrument i ON i.id = o.instrument_id"
            " WHERE o.status IN ('open', 'partially_filled', 'cancelling', 'amending') AND o.venue_status = ''"
            " AND NOT (o.venue_order_id = ANY(%s) OR (o.venue_order_id = '' AND o.client_order_id::text = ANY(%s)))"
            f" AND {self.condition} AND o.account_id = %s{opening} ORDER BY o.updated_at, o.id",
            (seen.venue_ids, seen.waiting, *self.parameters, account_id),
        )
        return [(client_order_id, instrument) for client_order_id, instrument in rows]

    def in_flight(self, account_id: int, before: datetime) -> bool:
        """Return whether an order of the scope may still reach an account: its window is open at `before`."""
        rows = fetch(
            "SELECT 1 FROM exchanges_order o JOIN exchanges_account a ON a.id = o.account_id"  # noqa: S608  our own words
            " JOIN exchanges_instrument i ON i.id = o.instrument_id WHERE o.status IN ('sending', 'unknown')"
            f" AND (o.venue_expires_at IS NULL OR o.venue_expires_at > %s) AND {self.condition}"
            " AND o.account_id = %s LIMIT 1",
            (before, *self.parameters, account_id),
        )
        return bool(rows)

    def positions(self, account_id: int) -> list[Held]:
        """Return what an account holds in the scope by the ledger; flat positions are left out."""
        rows = fetch(
            "SELECT o.account_id, o.strategy, o.instrument_id, i.symbol, o.quantity FROM exchanges_position o"  # noqa: S608  our own words
            " JOIN exchanges_account a ON a.id = o.account_id JOIN exchanges_instrument i ON i.id = o.instrument_id"
            f" WHERE o.quantity <> 0 AND {self.condition} AND o.account_id = %s ORDER BY o.id",
            (*self.parameters, account_id),
        )
        return [Held(*row) for row in rows]
