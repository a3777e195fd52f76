"""Orders we hold in a venue's stead, from the row to the ledger: marks through Redis, HTTP, the mock exchange.

The venue is Bybit as ccxt's unified methods see it, which does no triggers: everything that waits, waits with us. And
Binance, which does them, for the stop that it refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace

import pytest
from django.db import transaction

from apps.exchanges.accounts.equity import account_books
from apps.exchanges.execution.fresh_prices import fresh_prices
from apps.exchanges.execution.rearming import Rearming
from apps.exchanges.execution.sender import Sender
from apps.exchanges.execution.sessions import VenueSessions
from apps.exchanges.execution.watchman import Watchman
from apps.exchanges.market_data.cache import MarketCache, MarketWriter, forget, redis_client
from apps.exchanges.models import Account, AccountEvent, InstrumentRow, Order, Signer, Transfer, Venue
from apps.exchanges.orders.entries import OrderEntry
from apps.exchanges.orders.protection import brackets_arm, idle_end
from apps.exchanges.orders.reconcile import reconcile_account
from apps.exchanges.orders.services import orders_record
from apps.exchanges.ports import BookUpdate, MarketSubscription, MarkUpdate
from moondev.domain.clock import LiveClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.orders import OrderType, PlaceOrder, Purpose, TimeInForce, client_order_id
from moondev.domain.values import Bps, Price, Quantity, Side
from tests.contract.suite.ears import Ears, running
from tests.contract.suite.scene import VenueScene, served
from tests.contract.suite.venue import VenueUnderTest
from tests.contract.suite.venues import binance, ccxt_bybit
from tests.contract.suite.waiting import until
from tests.support.order_world import assert_books, make_world

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]
D = Decimal
CODE = "hyperliquid"


class Key:
    """The account's key, as the environment would hold it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def secret(self, name: str) -> str:
        return self._text


class Marks(Ears):
    """Writes what a market stream tells into Redis, as the market process does."""

    def __init__(self, instrument: str) -> None:
        super().__init__()
        self._instrument, self._writer = instrument, MarketWriter(redis_client())

    def __call__(self, event: object) -> None:
        if isinstance(event, BookUpdate):
            self._writer.state(self._instrument).take_book(event)
        elif isinstance(event, MarkUpdate):
            self._writer.state(self._instrument).take_mark(event)
        self._writer.flush()
        super().__call__(event)


@pytest.fixture
def live(request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    """A world at the mock's Bybit, or the venue a test names: account, key, sender, watchman, marks that come."""
    clock = LiveClock()
    venue: VenueUnderTest = getattr(request, "param", ccxt_bybit.VENUE)
    with served(venue) as scene:
        account, world = scene.open_account(), make_world(clock)
        key = account.credentials.signer_key
        Venue.objects.update(
            protocol=venue.protocol, rest_url=scene.config.rest_url, websocket_url=scene.config.websocket_url
        )
        Account.objects.update(address=account.credentials.account_address, currency="USDT")
        Transfer.objects.update(at=clock.now() - timedelta(seconds=1))
        Signer.objects.update(address=key.partition(":")[0], secret_name="KEY")
        InstrumentRow.objects.filter(symbol="BTC").update(symbol="BTCUSDT", quote="USDT", significant_figures=None)
        world.btc.refresh_from_db()
        forget(redis_client(), [world.btc.key])
        marks = Marks(world.btc.key)
        sessions = VenueSessions(Key(key))
        with running(scene.market_stream(marks, MarketSubscription("BTCUSDT", trades=False))):
            marks.connected()
            yield SimpleNamespace(
                scene=scene,
                world=world,
                sessions=sessions,
                sender=Sender(clock, sessions, "w1"),
                watchman=Watchman(CODE, clock, MarketCache(redis_client())),
                clock=clock,
                account=world.account.pk,
                address=account.address,
            )


def sent(live: SimpleNamespace, kind: OrderType, side: Side, price: str, trigger: str | None = None, **more) -> Order:
    """Record an order, and let the sender meet it."""
    live.world.count += 1
    purpose = more.pop("purpose", Purpose.OPENING)
    request = PlaceOrder(
        client_order_id=client_order_id("turtle", f"{live.clock.now()}", f"leg{live.world.count}"),
        instrument=live.world.btc.key,
        side=side,
        order_type=kind,
        time_in_force=TimeInForce.IOC if kind is OrderType.MARKET else TimeInForce.GTC,
        quantity=Quantity(D("0.02")),
        price=Price(D(price)),
        purpose=purpose,
        signal_id="s",
        leg="",
        trigger_price=None if trigger is None else Price(D(trigger)),
        **more,
    )
    reserved = request.quantity.value * request.price.value if purpose is Purpose.OPENING else D(0)
    until_when = live.clock.now() + timedelta(seconds=60)
    entry = OrderEntry(RiskApproved(request), live.account, live.world.btc.pk, "turtle", "tick", reserved, until_when)
    with transaction.atomic():
        live.world.reserve([entry])
        orders_record(entries=[entry], commands=[], now=live.clock.now())
    live.sender.send(live.account)
    return live.world.order(request.client_order_id)


def settled(live: SimpleNamespace, order: Order, *statuses: str) -> Order:
    """Reconcile until an order is where it should be."""

    def there() -> bool:
        reconcile_account(live.account, live.sessions, live.clock)
        order.refresh_from_db()
        return order.status in statuses

    until(there, f"{order} is {statuses}")
    return order


def released(live: SimpleNamespace, order: Order) -> None:
    until(lambda: order.pk in live.watchman.look().released, f"{order} released")
    live.sender.send(live.account)


def assert_equal_to_the_venue(live: SimpleNamespace) -> None:
    snapshot = live.sessions.session(live.account, Signer.Purpose.ORDERS).client.account_snapshot()
    books = account_books(live.account)
    assert books.agrees_on_positions(snapshot)
    assert books.equity(snapshot) == snapshot.equity.value
    assert_books()


def position(scene: VenueScene, address: str) -> Decimal:
    state = scene.engine(lambda engine: engine.account_state(address))
    return sum((one.size for one in state.positions), D(0))


def test_a_bracket_lives_and_ends_with_the_mark(live: SimpleNamespace) -> None:
    entry = sent(live, OrderType.MARKET, Side.BUY, "51000", stop=Price(D(45_000)), take_profit=Price(D(55_000)))
    settled(live, entry, "filled")
    assert brackets_arm(CODE, live.clock.now()) == 2
    live.sender.send(live.account)
    stop, profit = entry.children.order_by("pk")
    assert (stop.status, profit.status) == ("held", "held")
    assert live.watchman.look().released == frozenset()
    # At the venue there is nothing that waits: the position is all it knows.
    assert live.scene.engine(lambda engine: engine.open_orders(live.address)) == []
    with live.scene.mark_at(44_900):
        released(live, stop)
    settled(live, stop, "filled")
    assert position(live.scene, live.address) == 0
    assert idle_end(CODE, live.clock.now()) == 1
    profit.refresh_from_db()
    assert profit.status == "cancelled"
    assert_equal_to_the_venue(live)


def test_a_trailing_stop_follows_the_venue_s_mark_and_closes_once(live: SimpleNamespace) -> None:
    settled(live, sent(live, OrderType.MARKET, Side.BUY, "51000"), "filled")
    stop = sent(
        live, OrderType.TRAILING_STOP, Side.SELL, "47000", "48000", trail=Bps(D(200)), purpose=Purpose.PROTECTIVE
    )
    assert stop.status == "held"
    with live.scene.mark_at(52_000):
        until(partial(_trigger_is, live, stop, D(50_960)), "the trigger two per cent below the highest mark")
    with live.scene.mark_at(50_900):
        released(live, stop)
    settled(live, stop, "filled", "cancelled")
    # The book bids 49,990 and the worst acceptable price went up with the trigger: what is worse is not sold.
    assert stop.price == D("49898.3")
    assert position(live.scene, live.address) == 0
    orders = live.scene.engine(lambda engine: engine.order_history(live.address))
    assert len([one for one in orders if not one.is_buy]) == 1
    assert_equal_to_the_venue(live)


def test_a_stop_that_is_due_while_the_venue_is_away_is_sent_when_it_is_back(live: SimpleNamespace) -> None:
    settled(live, sent(live, OrderType.MARKET, Side.BUY, "51000"), "filled")
    stop = sent(live, OrderType.STOP, Side.SELL, "44000", "45000", purpose=Purpose.PROTECTIVE)
    with live.scene.mark_at(44_900):
        until(lambda: stop.pk in live.watchman.look().released, "released")
    # The venue refuses the connection: its address is one where nobody listens.
    Venue.objects.update(rest_url="http://127.0.0.1:9/bybit")
    live.sender.send(live.account)
    stop.refresh_from_db()
    assert (stop.status, stop.venue_order_id) == ("approved", "")
    Venue.objects.update(rest_url=live.scene.config.rest_url)
    until(lambda: live.sender.send(live.account) > 0, "offered again")
    settled(live, stop, "filled")
    assert position(live.scene, live.address) == 0
    assert_equal_to_the_venue(live)


@pytest.mark.parametrize("live", [binance.VENUE], indirect=True, ids=["binance"])
def test_a_stop_that_its_venue_refuses_because_it_would_trigger_closes_at_the_market(live: SimpleNamespace) -> None:
    entry = sent(live, OrderType.MARKET, Side.BUY, "51000", stop=Price(D(45_000)))
    settled(live, entry, "filled")
    assert brackets_arm(CODE, live.clock.now()) == 1
    cache, btc = MarketCache(redis_client()), live.world.btc.key
    rearming = Rearming(CODE, live.clock, cache)
    with live.scene.mark_at(44_900):
        live.sender.send(live.account)
        stop = entry.children.get()
        assert (stop.status, "-2021" in stop.reason) == ("rejected", True)
        until(lambda: fresh_prices(cache, live.clock, [btc], live.clock.now()).get(btc) == Price(D(44_900)), "the mark")
        until(lambda: rearming.look() == 1, "written again")
        again = stop.children.get()
        assert again.status == "held"
        released(live, again)
    settled(live, again, "filled")
    assert position(live.scene, live.address) == 0
    assert rearming.look() == 0
    assert AccountEvent.objects.filter(account_id=live.account, kind="unprotected").count() == 1
    assert_equal_to_the_venue(live)


def _trigger_is(live: SimpleNamespace, order: Order, wanted: Decimal) -> bool:
    live.watchman.look()
    order.refresh_from_db()
    return order.trigger_price == wanted
