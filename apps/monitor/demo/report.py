"""The final account: our ledger against what the venue's own API says, to the last decimal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Sum

from apps.exchanges.models import Account, Position, Signer, Transfer
from apps.exchanges.ports import AccountSnapshot, Credentials
from apps.exchanges.registry import client_for
from apps.monitor.demo.snapshot import ZERO, Snapshot, as_json, json_number
from apps.monitor.demo.venue_totals import VenueTotals
from moondev.settings.env import env_secret


@dataclass(frozen=True, slots=True)
class Comparison:
    """One account's equity in our ledger and at the venue, at the venue's marks of one moment."""

    account: str
    ledger: Decimal
    venue: Decimal
    unrealised: Decimal

    @property
    def difference(self) -> Decimal:
        """Return the ledger's equity less the venue's."""
        return self.ledger - self.venue


def compare(account: Account) -> Comparison:
    """Ask the venue for the account's value and compare it with the ledger.

    One answer gives both the account value and the value of every position, so prices cannot move in between.

    Raises:
        Connectivity: the venue did not answer.
    """
    signer = account.signers.get(purpose=Signer.Purpose.DIRECT)
    credentials = Credentials(account.address, env_secret(signer.secret_name))
    snapshot = client_for(account.venue.to_config(), credentials).account_snapshot()
    return compared(account, snapshot)


def compared(account: Account, snapshot: AccountSnapshot) -> Comparison:
    """Return the ledger's equity at the snapshot's marks beside the snapshot's own."""
    booked = Position.objects.filter(account=account).aggregate(
        realised=Sum("realised", default=ZERO),
        fees=Sum("fees", default=ZERO),
        funding=Sum("funding", default=ZERO),
        cost=Sum("cost", default=ZERO),
    )
    transferred = Transfer.objects.filter(account=account).aggregate(amount=Sum("amount", default=ZERO))["amount"]
    # Valued with our own quantities: a position that one side lacks must show as a difference.
    marks = {position.symbol: position.mark_price.value for position in snapshot.positions}
    held = _held_quantities(account)
    value = sum((quantity * marks.get(symbol, ZERO) for symbol, quantity in held.items()), start=ZERO)
    exact = {position.symbol: position.value.value for position in snapshot.positions}
    if held == {position.symbol: position.quantity.value for position in snapshot.positions}:
        # The venue states values exactly and marks only through them.
        value = sum(exact.values(), start=ZERO)
    unrealised = value - booked["cost"]
    ledger = transferred + booked["realised"] + booked["funding"] - booked["fees"] + unrealised
    return Comparison(account.code, ledger, snapshot.equity.value, unrealised)


def _held_quantities(account: Account) -> dict[str, Decimal]:
    rows = (
        Position.objects.filter(account=account)
        .values_list("instrument__symbol")
        .annotate(total=Sum("quantity"))
        .exclude(total=0)
    )
    return dict(rows)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished run has to show."""

    snapshot: Snapshot
    comparisons: tuple[Comparison, ...]
    duration_s: float
    restarts: Mapping[str, int]
    crashes: Mapping[str, int]
    drained: bool
    venues: Mapping[str, VenueTotals] = field(default_factory=dict)
    health: Mapping[str, str] = field(default_factory=dict)
    alerts: Mapping[str, int] = field(default_factory=dict)

    @property
    def ledger_minus_venue(self) -> Decimal:
        """Return the sum over accounts of ledger equity less venue equity."""
        return sum((comparison.difference for comparison in self.comparisons), start=ZERO)

    @property
    def succeeded(self) -> bool:
        """Return whether the books agree account by account, everything drained and nothing crashed."""
        agreed = all(comparison.difference == 0 for comparison in self.comparisons)
        return agreed and self.drained and not any(self.crashes.values())

    def to_json(self) -> str:
        """Return the report as one line of JSON; the accounts' equities are text, so that every decimal is there."""
        fields: dict[str, object] = {
            **as_json(self.snapshot),
            "unrealised_pnl": json_number(sum((c.unrealised for c in self.comparisons), start=ZERO)),
            "ledger_minus_venue": json_number(self.ledger_minus_venue),
            "accounts": {c.account: {"ledger": _exact(c.ledger), "venue": _exact(c.venue)} for c in self.comparisons},
            "venues": {code: self._venue(totals) for code, totals in self.venues.items()},
            "duration_s": round(self.duration_s, 1),
            "drained": self.drained,
            "restarts": dict(self.restarts),
            "health": dict(self.health),
            "alerts": dict(self.alerts),
        }
        return json.dumps(fields)

    def _venue(self, totals: VenueTotals) -> dict[str, object]:
        differences = [c.difference for c in self.comparisons if c.account in totals.accounts]
        return {
            "orders": totals.orders,
            "fills": totals.fills,
            "stood_in": totals.stood_in,
            "positions": {name: _exact(quantity) for name, quantity in totals.positions.items()},
            "ledger_minus_venue": json_number(sum(differences, start=ZERO)),
        }


def _exact(amount: Decimal) -> str:
    """Return every decimal that means something, without exponent."""
    return f"{amount.normalize():f}"
