"""Apply what a venue says: the only writer of orders, fills and positions after a send.

The sender, the user stream and reconciliation all end here. Applying twice is applying once, and the order in which
things are heard changes nothing that stays. Everything of one batch happens in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.exchanges.accounts.facts import AccountFacts, account_facts
from apps.exchanges.accounts.ledger import Asset, Ledger
from apps.exchanges.accounts.slippage import slippage_of
from apps.exchanges.locks import added_up, lock_exposures, lock_reports, move_exposures
from apps.exchanges.models import UNASSIGNED, AccountEvent
from apps.exchanges.orders.counted import applied_count
from apps.exchanges.orders.desk import Desk, DeskOrder
from apps.exchanges.orders.events import Alarm, alarms_append
from apps.exchanges.orders.fill_rows import (
    BookedFill,
    Orphan,
    assets_by_symbol,
    fills_insert,
    orphan_attach,
    orphans_of,
    trades_known,
)
from apps.exchanges.orders.progress import after_fill, after_report, settled
from moondev.domain.fills import FillKind, FillReport
from moondev.domain.orders import OrderReport, OrderStatus


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch of reports has come to.

    `statuses` of the orders that changed, by our id; `fills` newly booked, `orphans` of them without an order,
    `attached` orphans that found theirs; `strangers` are reports about orders we do not know.
    """

    statuses: Mapping[UUID, OrderStatus] = field(default_factory=dict)
    fills: int = 0
    orphans: int = 0
    attached: int = 0
    strangers: tuple[OrderReport, ...] = ()


def reports_apply(*, account_id: int, reports: Sequence[OrderReport], now: datetime) -> Applied:
    """Apply reports of one account in one transaction, and return what they changed.

    Raises Configuration for an unknown account and Invariant when a row changed behind the account's lock.
    """
    if not reports:
        return Applied()
    with transaction.atomic():
        lock_reports(account_id)
        return Application(account_facts(account_id), reports, now).carried_out()


class Application:
    """One batch on its way into the books; the account's reports are locked."""

    def __init__(self, account: AccountFacts, reports: Sequence[OrderReport], now: datetime) -> None:
        self._account, self._reports, self._now = account, reports, now
        self._fills = new_fills(account, reports)
        self._desk = Desk.opened(account, {name for report in reports for name in _names(report)})
        self._alarms: list[Alarm] = []

    def carried_out(self) -> Applied:
        """Work everything out in memory, then lock the counters, write and return what happened."""
        strangers = tuple(report for report in self._reports if not self._heard(report))
        attaching = self._orphans_to_attach()
        ledger, assets = self._ledger(attaching)
        booked = [self._book(ledger, assets, *item) for item in self._fills]
        attached = [(orphan, self._attach(ledger, orphan, order)) for orphan, order in attaching]
        for order in self._desk.orders.values():
            order.now = settled(order.now)
        self._write(ledger, booked)
        for orphan, fill in attached:
            orphan_attach(orphan, fill)
        applied_count(self._account, self._desk.orders.values(), booked, self._now)
        return Applied(
            statuses={o.client_order_id: o.now.status for o in self._desk.orders.values() if o.changed},
            fills=len(booked),
            orphans=sum(item.order_id is None for item in booked),
            attached=len(attached),
            strangers=strangers,
        )

    def _heard(self, report: OrderReport) -> bool:
        """Apply the venue's word to its order; return False when we do not know the order."""
        order = self._desk.find(report.client_order_id, report.venue_order_id)
        if order is None:
            return report.status is None
        after = after_report(order.now, report)
        if after != order.now:
            order.now = after
            self._desk.learn_venue_id(order)
            order.reason = report.reason or order.reason
            order.note(report.source, report.reason, report.time_exchange)
        return True

    def _orphans_to_attach(self) -> list[tuple[Orphan, DeskOrder]]:
        """Return orphans that name an order on the desk by the venue's id, which may have just become known."""
        named = {order.now.venue_order_id: order for order in self._desk.orders.values() if order.now.venue_order_id}
        if not named:
            return []
        return [(orphan, named[orphan.fill.venue_order_id]) for orphan in orphans_of(self._account, named)]

    def _ledger(self, attaching: Sequence[tuple[Orphan, DeskOrder]]) -> tuple[Ledger, Mapping[str, Asset]]:
        """Open the positions that the fills touch; make instruments of symbols that nobody listed."""
        assets: dict[str, Asset] = {order.symbol: order.asset for order in self._desk.orders.values()}
        unknown = {fill.symbol for fill, _ in self._fills} - set(assets)
        if unknown:
            found, made = assets_by_symbol(self._account, unknown)
            assets |= found
            kind = AccountEvent.Kind.UNKNOWN_SYMBOL
            self._alarms += [Alarm(kind, f"a fill in {symbol}, which is not listed here") for symbol in sorted(made)]
        touched = {assets[fill.symbol].instrument_id for fill, _ in self._fills}
        touched |= {orphan.asset.instrument_id for orphan, _ in attaching}
        if not touched:
            return Ledger(self._account, {}), assets
        return Ledger.opened(self._account, touched), assets

    def _book(self, ledger: Ledger, assets: Mapping[str, Asset], fill: FillReport, report: OrderReport) -> BookedFill:
        """Book one new fill to its owner: the order's strategy, or UNASSIGNED when there is none."""
        order = self._desk.find(fill.client_order_id, fill.venue_order_id)
        order = order or self._desk.find(report.client_order_id, report.venue_order_id)
        asset = assets[fill.symbol]
        if order is not None and order.asset != asset:
            order = None
        strategy = UNASSIGNED if order is None else order.strategy
        fee = self._fee(fill)
        realised = ledger.book(strategy, asset, fill.side, fill.quantity, fill.price, fee)
        if order is None:
            self._alarms.append(_orphan_alarm(fill))
        else:
            self._advance(order, fill, report.source)
        slippage = slippage_of(fill.side, fill.quantity, fill.price, order.benchmark if order else None)
        ledger.slip(strategy, asset, slippage)
        return BookedFill(fill, asset, order.order_id if order else None, strategy, fee, realised, slippage)

    def _attach(self, ledger: Ledger, orphan: Orphan, order: DeskOrder) -> BookedFill:
        """Move an orphan from UNASSIGNED to its owner; the cash of both together does not change."""
        fill = orphan.fill
        fee = fill.fee.value
        ledger.book(orphan.strategy, orphan.asset, fill.side.opposite, fill.quantity, fill.price, -fee)
        self._advance(order, fill, "attached")
        realised = ledger.book(order.strategy, orphan.asset, fill.side, fill.quantity, fill.price, fee)
        slippage = slippage_of(fill.side, fill.quantity, fill.price, order.benchmark)
        ledger.slip(order.strategy, orphan.asset, slippage)
        return BookedFill(fill, orphan.asset, order.order_id, order.strategy, fee, realised, slippage)

    def _advance(self, order: DeskOrder, fill: FillReport, source: str) -> None:
        was_over = order.now.overfilled
        order.now = after_fill(order.now, fill)
        order.note(source, f"filled {fill.quantity} @ {fill.price}", fill.time_exchange)
        if order.now.overfilled and not was_over:
            message = f"order {order.order_id}: {order.now.filled:f} filled of {order.now.quantity:f}"
            self._alarms.append(Alarm(AccountEvent.Kind.OVERFILL, message))

    def _fee(self, fill: FillReport) -> Decimal:
        """Return the fee in the account's currency; one in another currency cannot be added to it."""
        if fill.fee.currency == self._account.currency or not fill.fee.value:
            return fill.fee.value
        message = f"trade {fill.venue_trade_id}: fee {fill.fee} is not in {self._account.currency}; not booked"
        self._alarms.append(Alarm(AccountEvent.Kind.FEE_CURRENCY, message))
        return Decimal(0)

    def _write(self, ledger: Ledger, booked: Sequence[BookedFill]) -> None:
        changes = added_up(self._desk.exposure_changes(), ledger.exposure_changes())
        if changes:
            lock_exposures(changes)
        self._desk.write(self._now)
        fills_insert(self._account.account_id, booked)
        ledger.write(self._now)
        move_exposures(changes)
        alarms_append(self._account.account_id, self._alarms, self._now)


def new_fills(account: AccountFacts, reports: Iterable[OrderReport]) -> list[tuple[FillReport, OrderReport]]:
    """Return the fills that are not booked yet, each once and with the report that brought it, oldest first.

    Fills from before the account's books begin are in its opening transfer already.
    """
    carried = {
        fill.venue_trade_id: (fill, report)
        for report in reports
        for fill in report.fills
        if not account.precedes_books(fill.time_exchange)
    }
    if not carried:
        return []
    known = trades_known(account.account_id, sorted(carried))
    fresh = [item for trade_id, item in carried.items() if trade_id not in known]
    return sorted(fresh, key=lambda item: (item[0].time_exchange, item[0].venue_trade_id))


def _names(report: OrderReport) -> set[tuple[UUID | None, str | None]]:
    """Return every pair of ids by which a report and its fills name orders."""
    named: set[tuple[UUID | None, str | None]] = {(f.client_order_id, f.venue_order_id) for f in report.fills}
    return named | {(report.client_order_id, report.venue_order_id)}


def _orphan_alarm(fill: FillReport) -> Alarm:
    what = f"trade {fill.venue_trade_id}: {fill.side} {fill.quantity} {fill.symbol} @ {fill.price}"
    if fill.kind is FillKind.ORDER:
        return Alarm(AccountEvent.Kind.ORPHAN_FILL, f"{what} belongs to no order we know")
    return Alarm(AccountEvent.Kind.FOREIGN_FILL, f"{what}: {fill.kind}")
