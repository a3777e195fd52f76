"""One account's hands, as a tick would use them, and the questions every fault ends with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import F

from apps.exchanges.accounts.facts import account_facts
from apps.exchanges.locks import lock_exposures, move_exposures
from apps.exchanges.models import Account, CommandStatus, Fill, InstrumentRow, Order, OrderCommand
from apps.exchanges.orders.services import CommandEntry, OrderEntry, orders_record, wake_accounts
from apps.monitor.demo.report import compare
from moondev.domain.clock import process_clock
from moondev.domain.decisions import RiskApproved
from moondev.domain.orders import (
    NON_FINAL,
    AmendOrder,
    CancelOrder,
    OrderStatus,
    OrderType,
    PlaceOrder,
    Purpose,
    TimeInForce,
)
from moondev.domain.values import ZERO, Price, Quantity, Side
from tests.chaos.platform import Platform
from tests.chaos.venue import ASK, BID, TheirFill
from tests.support.order_world import assert_exposure_exact, assert_ledger_exact, assert_orders_exact

D = Decimal
STRATEGY = "chaos"
RESTING = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
UNSETTLED = sorted(NON_FINAL - set(RESTING))
IN_FLIGHT = (CommandStatus.APPROVED, CommandStatus.SENDING, CommandStatus.UNKNOWN)
# Inside the house's market, so that a stranger meets our order first; each next one a little worse.
INSIDE = BID + 90
LOT = D("0.001")


@dataclass
class Trader:
    """Trades one account of a platform."""

    platform: Platform
    account: Account
    strategy: str

    def __post_init__(self) -> None:
        self.mock = self.platform.mock
        self.btc = InstrumentRow.objects.get(venue=self.account.venue_id, symbol="BTC")
        self.clock = process_clock()
        self._steps = count()

    @property
    def address(self) -> str:
        """Return the venue's name of the account."""
        return self.account.address

    # what a tick does
    def entry(
        self, side: Side, price: Decimal, quantity: Decimal, tif: TimeInForce, valid_seconds: float = 120
    ) -> OrderEntry:
        """Return an approved order."""
        request = PlaceOrder(
            client_order_id=uuid4(),
            instrument=self.btc.key,
            side=side,
            order_type=OrderType.LIMIT,
            time_in_force=tif,
            quantity=Quantity(quantity),
            price=Price(price),
            purpose=Purpose.OPENING,
            signal_id="s",
            leg="entry",
        )
        until = self.clock.now() + timedelta(seconds=valid_seconds)
        reserved = quantity * price
        return OrderEntry(RiskApproved(request), self.account.pk, self.btc.pk, self.strategy, "tick", reserved, until)

    def bid(self, quantity: Decimal = LOT, **more: float) -> OrderEntry:
        """Return a buy that rests inside the market."""
        return self.entry(Side.BUY, INSIDE - next(self._steps) % 80, quantity, TimeInForce.GTC, **more)

    def taker(self, side: Side = Side.BUY, quantity: Decimal = LOT, **more: float) -> OrderEntry:
        """Return an order that trades with the house at once."""
        return self.entry(side, ASK if side is Side.BUY else BID, quantity, TimeInForce.IOC, **more)

    def record(self, *entries: OrderEntry, commands: Sequence[CommandEntry] = (), wake: bool = True) -> list[Order]:
        """Reserve, write and wake, in one transaction, as a tick does; return the rows."""
        with transaction.atomic():
            self._reserve(entries)
            recorded = orders_record(entries=entries, commands=commands, now=self.clock.now())
            if wake:
                wake_accounts(recorded.account_ids_with_work)
        ids = [entry.outcome.request.client_order_id for entry in entries]
        rows = {order.client_order_id: order for order in Order.objects.filter(client_order_id__in=ids)}
        return [rows[client_id] for client_id in ids]

    def cancel(self, orders: Sequence[Order], *, wake: bool = True) -> None:
        """Ask for cancels."""
        requests = [CancelOrder(order.client_order_id, self.btc.key, "test") for order in orders]
        self.record(commands=[self._command(request) for request in requests], wake=wake)

    def amend(self, order: Order, remaining: Decimal, price: Decimal) -> None:
        """Ask for an amend."""
        wish = AmendOrder(
            order.client_order_id, self.btc.key, Quantity(remaining), Price(price), Quantity(order.filled_quantity)
        )
        self.record(commands=[self._command(RiskApproved(wish))])

    def _command(self, request: CancelOrder | RiskApproved[AmendOrder]) -> CommandEntry:
        until = self.clock.now() + timedelta(seconds=120)
        return CommandEntry(request, self.account.pk, self.strategy, "tick2", until)

    def _reserve(self, entries: Sequence[OrderEntry]) -> None:
        changes: defaultdict = defaultdict(Decimal)
        assets = dict(InstrumentRow.objects.values_list("pk", "asset"))
        for entry in entries:
            for key in account_facts(self.account.pk).exposure_keys(entry.strategy, assets[entry.instrument_id]):
                changes[key] += entry.reserved
        if changes:
            lock_exposures(changes)
            move_exposures(changes)

    # what has become of it
    def orders(self):
        """Return the account's orders."""
        return Order.objects.filter(account=self.account)

    def status(self, order: Order) -> str:
        """Return the present status of an order."""
        return self.orders().values_list("status", flat=True).get(pk=order.pk)

    def history(self, order: Order) -> list[str]:
        """Return the statuses an order has gone through."""
        return list(order.events.order_by("pk").values_list("status_to", flat=True))

    def wait_status(self, order: Order, *statuses: str, seconds: float = 30) -> None:
        """Wait until an order is in one of some states."""
        self.platform.wait(f"order {order.pk} to be {statuses}", lambda: self.status(order) in statuses, seconds)

    def settled(self) -> bool:
        """Return whether nothing is on its way: every order rests or has ended, every fill of the venue is booked."""
        return not (
            self.orders().filter(status__in=UNSETTLED).exists()
            or self.orders().filter(venue_filled__gt=F("filled_quantity")).exists()
            or OrderCommand.objects.filter(account=self.account, status__in=IN_FLIGHT).exists()
            or self.account_fills() != len(self.mock.fills(self.address))
            or len(self.mock.open_orders(self.address)) != self.orders().filter(status__in=RESTING).count()
        )

    def account_fills(self) -> int:
        """Return how many fills are booked."""
        return Fill.objects.filter(account=self.account).count()

    def settle(self, seconds: float = 60) -> None:
        """Wait until the platform has found out by itself what became of everything."""
        self.platform.wait(f"account {self.account.code} to settle", self.settled, seconds)

    def finish(self) -> None:
        """Settle, hold every book to the venue's, clear the account, and hold them once more."""
        self.settle()
        self.assert_nothing_lost_and_nothing_doubled()
        self.cancel(list(self.orders().filter(status__in=RESTING)))
        self.settle()
        assert not self.mock.open_orders(self.address)
        self.assert_nothing_lost_and_nothing_doubled()

    def clear(self, seconds: float = 20) -> None:
        """Take what lives out of the market, so that what failed here does not meet the next test's orders."""
        if self.mock.open_orders(self.address):
            self.cancel(list(self.orders().filter(status__in=RESTING)))
            self.platform.wait("the market to be clear", lambda: not self.mock.open_orders(self.address), seconds)

    def assert_nothing_lost_and_nothing_doubled(self) -> None:
        """The venue's orders and fills are ours, one to one by client id; every sum is exact to the last decimal."""
        ours = {order.client_order_id: order for order in self.orders()}
        theirs = self.mock.orders(self.address)
        amended = {o.client_order_id for o in ours.values() if o.aliases.exists()}
        assert {c for c, ids in theirs.items() if len(ids) > 1} <= amended, "an order is at the venue twice"
        assert set(theirs) == {c for c, o in ours.items() if o.venue_order_id}, "an order is on one side only"
        assert all(ours[client_id].venue_order_id in ids for client_id, ids in theirs.items())
        assert self._their_fills() == self.mock.fills(self.address)
        living = {order.venue_order_id for order in ours.values() if order.status in RESTING}
        assert living == self.mock.open_orders(self.address)
        with snapshot():
            assert_orders_exact()
            assert_ledger_exact()
            assert_exposure_exact()
        assert compare(self.account).difference == 0

    def _their_fills(self) -> dict[str, TheirFill]:
        """Return our fills in the venue's shape."""
        return {
            fill.venue_trade_id: TheirFill(fill.venue_order_id, fill.side, fill.quantity, fill.price, fill.fee)
            for fill in Fill.objects.filter(account=self.account, order__account=self.account)
        }

    def used(self) -> Decimal:
        """Return how much of anything the account's orders hold."""
        return sum(self.orders().values_list("reserved", flat=True), start=ZERO)


@contextmanager
def snapshot() -> Iterator[None]:
    """Read everything as it was at one moment: the sums must be exact at any, also while others trade."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


@contextmanager
def traders(platform: Platform) -> Iterator[Callable[[], Trader]]:
    """Yield a maker of traders; after the block no fault is in force and nothing of theirs lives."""
    made: list[Trader] = []

    def make() -> Trader:
        account = platform.take_account()
        made.append(Trader(platform, account, f"strategy-{account.code}"))
        return made[-1]

    yield make
    platform.mock.heal()
    for trader in made:
        # Only after a failure is there anything left; it must not become the next test's.
        with suppress(AssertionError):
            trader.clear()
