"""Book funding: what the venue paid for a position is shared by those who held it at that moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from django.db import transaction

from apps.exchanges.accounts.facts import account_facts
from apps.exchanges.accounts.ledger import Asset, Ledger
from apps.exchanges.bulk import fetch, values_fetch, values_run
from apps.exchanges.locks import lock_reports
from apps.exchanges.models import UNASSIGNED
from apps.exchanges.orders.fill_rows import assets_by_symbol
from apps.exchanges.ports import FundingPayment
from moondev.domain.values import ZERO

# Amount columns hold twelve places; a share is rounded down to them and the rest goes to UNASSIGNED.
_PLACES = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Booked:
    """How many payments were new."""

    payments: int


def funding_apply(*, account_id: int, payments: Sequence[FundingPayment], now: datetime) -> Booked:
    """Book funding payments that are not booked yet, each shared pro rata by what its owners held when it was paid.

    What nobody held, and what rounding leaves, goes to UNASSIGNED: the account's total is exact.
    """
    if not payments:
        return Booked(0)
    with transaction.atomic():
        lock_reports(account_id)
        account = account_facts(account_id)
        payments = [payment for payment in payments if not account.precedes_books(payment.time_exchange)]
        assets, _ = assets_by_symbol(account, (payment.symbol for payment in payments))
        fresh = _insert(account_id, payments, assets)
        ledger = Ledger.opened(account, {assets[payment.symbol].instrument_id for _, payment in fresh})
        for payment_id, payment in fresh:
            _share_out(account_id, ledger, assets[payment.symbol], payment_id, payment)
        ledger.write(now)
        return Booked(len(fresh))


def shares(amount: Decimal, position: Decimal, held: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the share of `amount` of everybody in `held`, by signed quantity, of a position of `position`.

    They add up to `amount` exactly; UNASSIGNED takes what is left over.
    """
    parts: dict[str, Decimal] = {}
    if position:
        for strategy, quantity in sorted(held.items()):
            if quantity:
                parts[strategy] = (amount * quantity / position).quantize(_PLACES, rounding=ROUND_DOWN)
    left = amount - sum(parts.values(), start=ZERO)
    if left:
        parts[UNASSIGNED] = parts.get(UNASSIGNED, ZERO) + left
    return parts


def _share_out(account_id: int, ledger: Ledger, asset: Asset, payment_id: int, payment: FundingPayment) -> None:
    later = _filled_since(account_id, asset.instrument_id, payment.time_exchange)
    held = {name: holding.quantity - later.get(name, ZERO) for name, holding in ledger.owners(asset).items()}
    parts = shares(payment.amount.value, payment.position.value, held)
    for strategy, share in parts.items():
        ledger.fund(strategy, asset, share)
    # Kept as well: which trade a payment belongs to cannot be told from the position's sum.
    values_run(
        "INSERT INTO exchanges_fundingshare (payment_id, strategy, amount) VALUES %s",
        [(payment_id, strategy, share) for strategy, share in sorted(parts.items())],
    )


def _filled_since(account_id: int, instrument_id: int, since: datetime) -> dict[str, Decimal]:
    """Return by how much every owner's position has changed by trades at or after a moment."""
    rows = fetch(
        "SELECT strategy, SUM(CASE WHEN side = 'buy' THEN quantity ELSE -quantity END) FROM exchanges_fill"
        " WHERE account_id = %s AND instrument_id = %s AND time_exchange >= %s GROUP BY strategy",
        (account_id, instrument_id, since),
    )
    return {row[0]: row[1] for row in rows}


def _insert(
    account_id: int, payments: Sequence[FundingPayment], assets: Mapping[str, Asset]
) -> list[tuple[int, FundingPayment]]:
    """Write the payments that are new; return those with their numbers."""
    by_key = {(assets[p.symbol].instrument_id, p.time_exchange): p for p in payments}
    rows = values_fetch(
        "INSERT INTO exchanges_fundingpayment (account_id, instrument_id, paid_at, amount, position_quantity)"
        " VALUES %s ON CONFLICT DO NOTHING RETURNING id, instrument_id, paid_at",
        [
            (account_id, instrument_id, at, p.amount.value, p.position.value)
            for (instrument_id, at), p in by_key.items()
        ],
    )
    fresh = [(payment_id, by_key[instrument_id, at]) for payment_id, instrument_id, at in rows]
    return sorted(fresh, key=lambda row: (row[1].time_exchange, row[1].symbol))
