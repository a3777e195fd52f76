"""Exports that are reckoned on the way out: round trips and tax lots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from apps.exchanges.models import Account
from apps.monitor.analytics.exports.columns import Export, Holds, Row, Wanted, columns, rounded
from apps.monitor.analytics.exports.lots import Change, Closed, Lot, LotBook
from apps.monitor.analytics.reading import rows_streamed
from apps.monitor.analytics.trips import trips_all
from moondev.domain.values import ZERO

T, W, A, N, M = Holds.TEXT, Holds.WHOLE, Holds.AMOUNT, Holds.NUMBER, Holds.MOMENT
DAY = timedelta(days=1)


def _trips(wanted: Wanted) -> Iterator[Row]:
    accounts = dict(Account.objects.values_list("pk", "code"))
    chosen = [pk for pk, code in sorted(accounts.items()) if wanted.account in {None, code}]
    currencies = dict(Account.objects.values_list("pk", "currency"))
    for trip in trips_all(chosen, wanted.period, wanted.strategy):
        same = trip.currency == currencies[trip.account_id]
        hours = None if trip.closed_at is None else (trip.closed_at - trip.opened_at) / timedelta(hours=1)
        yield (
            accounts[trip.account_id], trip.strategy, trip.instrument, trip.side.value, trip.opened_at, trip.closed_at,
            hours, rounded(trip.quantity), rounded(trip.entry_price), rounded(trip.exit_price), rounded(trip.realised),
            trip.currency, trip.fees, trip.funding, currencies[trip.account_id], rounded(trip.net) if same else None,
            trip.slippage, trip.fills,
        )  # fmt: skip


TRIPS = Export(
    "round_trips", 1, "Round trips from flat to flat that ended in the period, then those open at its end.",
    columns(
        account=T, strategy=T, instrument=T, side=T, opened_at=M, closed_at=M, hours=N, quantity=A, entry_price=A,
        exit_price=A, realised=A, currency=T, fees=A, funding=A, fee_currency=T, net=A, slippage=A, fills=W,
    ),
    _trips,
)  # fmt: skip


def _lots(wanted: Wanted) -> Iterator[Row]:
    """Yield the lots that were closed in the period, its funding, and what was open at its end; asset by asset."""
    sql = Path(__file__).with_name("lots.sql").read_text(encoding="utf-8")
    chosen = {"account": wanted.account, "start": wanted.period.start, "end": wanted.period.end}
    for (account, asset, quote, currency), events in groupby(rows_streamed(sql, chosen), key=lambda row: row[:4]):
        lots, about = LotBook(wanted.method), (account, asset, wanted.method.value, quote, currency)
        for _, _, _, _, instrument, line, at, quantity, notional, fee, reference in events:
            if line == "funding":
                yield _funding(about, instrument, at, quantity, notional)
                continue
            for closed in lots.book(Change(at, quantity, notional, fee, reference)):
                if closed.closed_at >= wanted.period.start:
                    yield _closed(about, instrument, closed)
        for lot in lots.open_lots():
            yield _open(about, lot)


About = tuple[str, str, str, str, str]


def _closed(about: About, instrument: str, closed: Closed) -> Row:
    account, asset, method, quote, currency = about
    gain, fees = rounded(closed.gain), rounded(closed.fees) or ZERO
    return (
        account, asset, "lot", method, _side(closed.lot), instrument, closed.lot.opened_at, closed.closed_at,
        (closed.closed_at - closed.lot.opened_at) / DAY, closed.lot.quantity, rounded(closed.proceeds),
        rounded(closed.cost_basis), gain, quote, fees, currency,
        gain - fees if gain is not None and quote == currency else None, closed.lot.reference, closed.reference,
    )  # fmt: skip


def _open(about: About, lot: Lot) -> Row:
    account, asset, method, quote, currency = about
    proceeds, basis = (None, rounded(lot.notional)) if lot.long else (rounded(lot.notional), None)
    return (
        account, asset, "open", method, _side(lot), None, lot.opened_at, None, None, lot.quantity, proceeds, basis,
        None, quote, rounded(lot.fee), currency, None, lot.reference, None,
    )  # fmt: skip


def _funding(about: About, instrument: str, at: datetime, quantity: Decimal, amount: Decimal) -> Row:
    account, asset, method, _, currency = about
    side = "long" if quantity > 0 else "short"
    # In the account's currency, like a fee; nothing was bought or sold for it.
    return (
        account, asset, "funding", method, side, instrument, None, at, None, abs(quantity), None, None, amount,
        currency, ZERO, currency, amount, None, None,
    )  # fmt: skip


def _side(lot: Lot) -> str:
    return "long" if lot.long else "short"


LOTS = Export(
    "tax_lots", 1, "Lots closed in the period by one method, its funding, and what was open at its end.",
    columns(
        account=T, asset=T, line=T, method=T, side=T, instrument=T, opened_at=M, closed_at=M, days_held=N, quantity=A,
        proceeds=A, cost_basis=A, gain=A, currency=T, fees=A, fee_currency=T, gain_after_fees=A, opened_by=T,
        closed_by=T,
    ),
    _lots,
    frozenset({"account", "method"}),
)  # fmt: skip
