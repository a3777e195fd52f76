"""Two platforms with the same keys, each with a database of its own, at one venue: each notices the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import ccxt
import psycopg2
import pytest
from django.db import connection

from apps.exchanges.execution.gate import GateScope, gate_modes
from apps.exchanges.execution.sender import Sender
from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.market_data.listings import instruments_refresh
from apps.exchanges.models import (
    UNASSIGNED,
    Account,
    AccountEvent,
    InstrumentRow,
    Order,
    Position,
    Signer,
    TradingMode,
    Transfer,
    Venue,
)
from apps.exchanges.orders.reconcile import reconcile_account
from moondev.domain.clock import Clock, LiveClock
from moondev.domain.orders import TimeInForce
from moondev.domain.values import Side
from tests.contract.bybit_world import ALICE, bybit_world
from tests.contract.test_hyperliquid_ccxt import QUIET
from tests.integration.live_world import PAPER, live_world
from tests.support.order_world import World, assert_books, make_world

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
D = Decimal
OTHER = "second_platform"


@dataclass
class Site:
    """A venue with one account of ours in the database that is in use, and a stranger's way to it."""

    world: World
    sessions: VenueSessions
    clock: Clock
    account: int
    stranger: Any
    symbol: str

    def send(self, *, price: str, quantity: str = "0.01", tif: TimeInForce = TimeInForce.GTC) -> Order:
        """Record and send one order, as the platform whose database is in use."""
        order = self.world.place(quantity, price, tif=tif)
        # Its lease is in its own database: that of the other platform says nothing to it.
        Sender(self.clock, self.sessions, "sender").send(self.account)
        return self.world.order(order.client_order_id)

    def look(self) -> None:
        reconcile_account(self.account, self.sessions, self.clock)

    def told(self) -> set[str]:
        return set(AccountEvent.objects.values_list("kind", flat=True))

    def mode(self, later: float = 0.0) -> TradingMode:
        scope = GateScope.of(self.world.facts, "turtle", self.world.btc.key)
        return gate_modes([scope], self.clock.now() + timedelta(seconds=later))[scope]


@contextmanager
def hyperliquid() -> Iterator[Site]:
    with live_world(LiveClock()) as live:
        base = live.mock.hyperliquid_url
        stranger = ccxt.hyperliquid({
            "walletAddress": PAPER.address, "privateKey": PAPER.master_key, "enableRateLimit": False,
            "options": dict(QUIET), "urls": {"api": {"public": base, "private": base}},
        })  # fmt: skip
        yield Site(live.world, live.sessions, live.clock, live.account, stranger, "BTC/USDC:USDC")


class AliceKey:
    def secret(self, _: str) -> str:
        return f"{ALICE.key}:{ALICE.secret}"


@contextmanager
def bybit() -> Iterator[Site]:
    clock = LiveClock()
    with bybit_world(clock, limits=False) as served:
        world = make_world(clock)
        venue = Venue.objects.create(
            code="bybit", protocol="bybit", environment="paper", rest_url=served.rest_url,
            websocket_url=served.websocket_url,
        )  # fmt: skip
        Account.objects.update(venue=venue, address=ALICE.address, currency="USDT")
        Signer.objects.update(address=ALICE.key, secret_name="ALICE")
        Transfer.objects.update(at=clock.now() - timedelta(seconds=1))
        instruments_refresh(venue)
        world.btc = InstrumentRow.objects.get(venue=venue, symbol="BTCUSDT")
        world.account.refresh_from_db()
        yield Site(world, VenueSessions(AliceKey()), clock, world.account.pk, served.ccxt(ALICE), "BTC/USDT:USDT")


@pytest.fixture(params=[hyperliquid, bybit], ids=["hyperliquid", "bybit"])
def site(request, settings) -> Iterator[Site]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with request.param() as made:
        yield made


@contextmanager
def second_platform() -> Iterator[None]:
    """Make a database with the same rows, as a second installation with the same keys has; drop it afterwards."""
    name = connection.settings_dict["NAME"]
    at_server(f'DROP DATABASE IF EXISTS "{name}_{OTHER}"', f'CREATE DATABASE "{name}_{OTHER}" TEMPLATE "{name}"')
    try:
        yield
    finally:
        use(name)
        at_server(f'DROP DATABASE "{name}_{OTHER}"')


@contextmanager
def over_there() -> Iterator[None]:
    """Be the second platform while the block runs."""
    name = connection.settings_dict["NAME"]
    use(f"{name}_{OTHER}")
    try:
        yield
    finally:
        use(name)


def use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def at_server(*statements: str) -> None:
    at = connection.settings_dict
    connection.close()
    server = {"host": at["HOST"], "port": at["PORT"], "user": at["USER"], "password": at["PASSWORD"]}
    with closing(psycopg2.connect(dbname="postgres", **server)) as link:
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (at["NAME"],))
            for statement in statements:
                cursor.execute(statement)


def test_two_platforms_on_one_account_notice_each_other_and_open_nothing_more_there(site: Site) -> None:
    with second_platform():
        ours = site.send(price="49000")
        with over_there():
            theirs = site.send(price="48000")
            assert theirs.status == "open", "nothing keeps a second platform from trading; it can only be noticed"
            site.look()
            assert site.told() == {AccountEvent.Kind.ADOPTED_ORDER}
            assert Order.objects.get(strategy=UNASSIGNED).venue_order_id == ours.venue_order_id
            assert site.mode() is TradingMode.REDUCING
        assert not AccountEvent.objects.exists(), "each has books of its own"
        site.look()
        found = Order.objects.get(strategy=UNASSIGNED)
        assert (found.venue_order_id, found.client_order_id) == (theirs.venue_order_id, theirs.client_order_id)
        assert "was not placed by us" in AccountEvent.objects.get(kind=AccountEvent.Kind.ADOPTED_ORDER).message
        assert site.mode() is TradingMode.REDUCING
        refused = site.send(price="49100")
        assert (refused.status, refused.venue_order_id) == ("cancelled", "")
        assert "gate is reducing" in refused.reason
        assert_books()


def test_a_position_that_the_second_platform_takes_is_nobodys_and_stops_opening(site: Site) -> None:
    with second_platform():
        with over_there():
            assert site.send(price="50010", tif=TimeInForce.IOC).venue_order_id
        site.look()
        assert Position.objects.get(strategy=UNASSIGNED).quantity == D("0.01")
        assert AccountEvent.Kind.ORPHAN_FILL in site.told()
        assert site.mode(later=11) is TradingMode.REDUCING
        assert_books()


def test_an_order_that_a_person_places_by_hand_is_told_listed_and_stops_opening(site: Site) -> None:
    placed = site.stranger.create_order(site.symbol, "limit", Side.BUY.value, 0.02, 47_000)
    site.look()
    assert AccountEvent.Kind.ADOPTED_ORDER in site.told()
    assert Order.objects.get(strategy=UNASSIGNED).venue_order_id == placed["id"]
    assert site.mode() is TradingMode.REDUCING
    site.stranger.cancel_order(placed["id"], site.symbol)
    # The venue has to deny it twice, a while apart: a name of ours it never had says less than one it forgot.
    for _ in range(2):
        before = site.clock.now() - timedelta(minutes=1)
        Order.objects.update(updated_at=before)
        Order.objects.filter(denied_at__isnull=False).update(denied_at=before)
        site.look()
    assert site.mode() is TradingMode.ACTIVE
    assert_books()
