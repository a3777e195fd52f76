"""Rows of a small world with one paper account, and the questions every test of the order path ends with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.exchanges.accounts.facts import AccountFacts, account_facts
from apps.exchanges.capabilities import Capabilities, Hearing, SilenceGuard, Support
from apps.exchanges.execution.sender import Sender
from apps.exchanges.execution.sessions import Session
from apps.exchanges.execution.states import trading_state_set
from apps.exchanges.locks import lock_exposures, move_exposures
from apps.exchanges.models import (
    Account,
    ExposureCounter,
    Fill,
    InstrumentRow,
    Order,
    Portfolio,
    Position,
    Signer,
    Transfer,
    Venue,
)
from apps.exchanges.orders.services import CommandEntry, OrderEntry, Recorded, orders_record
from apps.exchanges.ports import ReportSource
from moondev.domain.clock import Clock, FixedClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Configuration
from moondev.domain.fills import FillReport
from moondev.domain.orders import (
    AmendOrder,
    CancelOrder,
    OrderReport,
    OrderStatus,
    OrderType,
    PlaceOrder,
    Purpose,
    TimeInForce,
    client_order_id,
)
from moondev.domain.values import ZERO, Price, Quantity, Side
from tests.support.venue_stub import StubVenue

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)
VENUE = "hyperliquid"
D = Decimal
# A venue that does everything itself.
ABLE = Capabilities(
    order_types=dict.fromkeys(OrderType, Support.NATIVE),
    times_in_force=dict.fromkeys(TimeInForce, Support.NATIVE),
    amend=Support.NATIVE,
    trigger_amend=Support.NATIVE,
    bracket=Support.EMULATED,
    max_batch=50,
    client_id_bits=128,
    silence_guard=SilenceGuard.ACCOUNT_TIMER,
    hearing=Hearing.WEBSOCKET,
    cancel_is_final=True,
)


@dataclass
class StubSessions:
    """Opens every session to one venue in the test; each account of `others` has one of its own."""

    client: StubVenue
    able: Capabilities
    others: dict[int, StubVenue] = field(default_factory=dict)

    def session(self, account_id: int, purpose: str) -> Session:
        signer = Signer.objects.filter(account_id=account_id, purpose=purpose).first()
        if signer is None:
            raise Configuration(f"account {account_id} has no signer for {purpose}")
        client = self.others.get(account_id, self.client)
        client.signer = purpose
        return Session(account_facts(account_id), client, signer.pk, self.able)


@dataclass
class World:
    """One portfolio, venue and account with BTC and ETH listed, everything ACTIVE, and its venue."""

    clock: FixedClock
    venue: StubVenue
    account: Account
    btc: InstrumentRow
    eth: InstrumentRow
    count: int = 0
    able: Capabilities = ABLE
    others: dict[int, StubVenue] = field(default_factory=dict)

    @property
    def facts(self) -> AccountFacts:
        return account_facts(self.account.pk)

    @property
    def sessions(self) -> StubSessions:
        return StubSessions(self.venue, self.able, self.others)

    def add_account(self, code: str) -> StubVenue:
        """Write another account of the portfolio, ready to trade; return its side of the venue."""
        account = Account.objects.create(
            code=code, venue=self.account.venue, portfolio=self.account.portfolio, currency="USDC",
            address="0x" + f"{len(self.others) + 3:x}" * 40,
        )  # fmt: skip
        _make_ready(account, self.clock.now())
        self.others[account.pk] = StubVenue(self.clock)
        return self.others[account.pk]

    def sender(self, worker: str = "w1", clock: Clock | None = None) -> Sender:
        return Sender(clock or self.clock, self.sessions, worker)

    def send(self, worker: str = "w1") -> int:
        return self.sender(worker).send(self.account.pk)

    def entry(
        self,
        quantity: str = "1",
        price: str = "100",
        *,
        side: Side = Side.BUY,
        purpose: Purpose = Purpose.OPENING,
        tif: TimeInForce = TimeInForce.GTC,
        strategy: str = "turtle",
        instrument: InstrumentRow | None = None,
        leg: str = "",
        valid_seconds: float = 60,
    ) -> OrderEntry:
        row = instrument or self.btc
        self.count += 1
        request = PlaceOrder(
            client_order_id=client_order_id(strategy, "tick", leg or f"leg{self.count}"),
            instrument=row.key,
            side=side,
            order_type=OrderType.LIMIT,
            time_in_force=tif,
            quantity=Quantity(D(quantity)),
            price=Price(D(price)),
            purpose=purpose,
            signal_id="s",
            leg=leg,
        )
        reserved = D(quantity) * D(price) if purpose is Purpose.OPENING else ZERO
        return OrderEntry(
            RiskApproved(request), self.account.pk, row.pk, strategy, "tick", reserved,
            self.clock.now() + timedelta(seconds=valid_seconds),
        )  # fmt: skip

    def record(self, *entries: OrderEntry, commands: Sequence[CommandEntry] = ()) -> Recorded:
        """Record as a tick does: reserve, then write, in one transaction."""
        with transaction.atomic():
            self.reserve(entries)
            return orders_record(entries=entries, commands=commands, now=self.clock.now())

    def reserve(self, entries: Sequence[OrderEntry]) -> None:
        changes: defaultdict = defaultdict(Decimal)
        assets = {self.btc.pk: self.btc.asset, self.eth.pk: self.eth.asset}
        facts = self.facts
        for entry in entries:
            for key in facts.exposure_keys(entry.strategy, assets[entry.instrument_id]):
                changes[key] += entry.reserved
        lock_exposures(changes)
        move_exposures(changes)

    def place(self, quantity: str = "1", price: str = "100", **kwargs) -> Order:
        """Record one order and return its row."""
        entry = self.entry(quantity, price, **kwargs)
        self.record(entry)
        return self.order(entry.outcome.request.client_order_id)

    def rest(self, quantity: str = "1", price: str = "100", **kwargs) -> Order:
        """Record one order, send it, and return its row."""
        order = self.place(quantity, price, **kwargs)
        self.send()
        return self.order(order.client_order_id)

    def cancel(self, order: Order, reason: str = "test") -> Recorded:
        request = CancelOrder(order.client_order_id, order.instrument.key, reason)
        return self._command(request)

    def amend(self, order: Order, remaining: str, price: str) -> Recorded:
        request = AmendOrder(
            order.client_order_id, order.instrument.key, Quantity(D(remaining)), Price(D(price)),
            Quantity(order.filled_quantity),
        )  # fmt: skip
        return self._command(RiskApproved(request))

    def _command(self, request) -> Recorded:
        entry = CommandEntry(request, self.account.pk, "turtle", "tick2", self.clock.now() + timedelta(seconds=60))
        return self.record(commands=[entry])

    def order(self, client_id: UUID) -> Order:
        return Order.objects.select_related("instrument").get(client_order_id=client_id)


def make_world(clock: FixedClock | None = None) -> World:
    """Write the rows and return the world."""
    clock = clock or FixedClock(NOW)
    portfolio = Portfolio.objects.create(code="paper", currency="USDC", environment="paper")
    venue = Venue.objects.create(
        code=VENUE, protocol="hyperliquid", environment="paper", rest_url="http://127.0.0.1:1/hl",
        websocket_url="ws://127.0.0.1:1/hl/ws",
    )  # fmt: skip
    account = Account.objects.create(
        code="paper-1", venue=venue, portfolio=portfolio, address="0x" + "1" * 40, currency="USDC"
    )
    trading_state_set(
        scope_kind="portfolio", scope_key="paper", mode="active", reason="test", actor="test", now=clock.now()
    )
    _make_ready(account, clock.now())
    rows = {}
    for symbol in ("BTC", "ETH"):
        rows[symbol] = InstrumentRow.objects.create(
            venue=venue, symbol=symbol, asset=symbol, quote="USDC", venue_asset_id="0", tick=D("0.1"),
            significant_figures=5, lot=D("0.001"), min_notional=D(10), max_leverage=20,
        )  # fmt: skip
    return World(clock, StubVenue(clock), account, rows["BTC"], rows["ETH"])


def _make_ready(account: Account, now: datetime) -> None:
    """Give an account its keys, its first money and leave to trade."""
    for purpose in Signer.Purpose.values:
        Signer.objects.create(account=account, purpose=purpose, address="0x" + "2" * 40, secret_name=f"KEY_{purpose}")
    trading_state_set(scope_kind="account", scope_key=account.code, mode="active", reason="test", actor="test", now=now)
    Transfer.objects.create(account=account, amount=D(100_000), at=now, reference=f"opening {account.code}")


def report(
    order: Order | UUID | None,
    status: OrderStatus | None = None,
    *,
    venue_id: str | None = None,
    filled: str | None = None,
    fills: Sequence[FillReport] = (),
    source: str = ReportSource.STREAM,
    reason: str = "",
    at: datetime = NOW,
) -> OrderReport:
    """Return a report about an order."""
    client_id = order.client_order_id if isinstance(order, Order) else order
    return OrderReport(
        source, client_id, venue_id, status, None, at, tuple(fills),
        None if filled is None else Quantity(D(filled)), reason,
    )  # fmt: skip


def assert_exposure_exact() -> None:
    """Every counter is the sum of what orders hold and positions cost, and there is no other."""
    expected: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    orders = Order.objects.select_related("account", "instrument")
    positions = Position.objects.select_related("account", "instrument")
    parts = [(o, o.reserved) for o in orders] + [(p, abs(p.cost)) for p in positions]
    for row, amount in parts:
        account = row.account
        for key in account_facts(account.pk).exposure_keys(row.strategy, row.instrument.asset):
            expected[tuple(key)] += amount
    found = {(c.scope_kind, c.scope_key, c.asset): c.used for c in ExposureCounter.objects.all()}
    assert {k: v for k, v in found.items() if v} == {k: v for k, v in expected.items() if v}


def assert_ledger_exact() -> None:
    """Positions add up to the fills: quantity, cash and fees, per instrument over all owners, to the last decimal."""
    sums: defaultdict[int, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for fill in Fill.objects.all():
        sign = Side(fill.side).sign
        sums[fill.instrument_id][0] += sign * fill.quantity
        sums[fill.instrument_id][1] -= sign * fill.quantity * fill.price
        sums[fill.instrument_id][2] += fill.fee
    held: defaultdict[int, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for position in Position.objects.all():
        held[position.instrument_id][0] += position.quantity
        held[position.instrument_id][1] += position.realised - position.cost
        held[position.instrument_id][2] += position.fees
    assert dict(held) == dict(sums)


def assert_orders_exact() -> None:
    """Every order's filled quantity is the sum of its fills, and none that has ended holds exposure."""
    for order in Order.objects.prefetch_related("fills"):
        assert order.filled_quantity == sum((f.quantity for f in order.fills.all()), start=ZERO)
        if order.status in {"filled", "cancelled", "expired", "rejected", "refused"}:
            assert order.reserved == 0


def assert_books() -> None:
    """Everything that must hold after anything."""
    assert_orders_exact()
    assert_ledger_exact()
    assert_exposure_exact()
