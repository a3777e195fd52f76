"""The Hyperliquid client against the mock exchange: signed, matched, read back, and faults told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests

from apps.exchanges.mock.engine.api import InstrumentSpec
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.mock.threaded import ThreadedMock, mock_in_thread
from apps.exchanges.mock.wire.config import WireConfig
from apps.exchanges.ports import (
    Amendment,
    BookUpdate,
    CandleUpdate,
    Connected,
    Credentials,
    Environment,
    ExecutionClient,
    FillBatch,
    MarginMode,
    MarketDataClient,
    MarketSubscription,
    MarkUpdate,
    OrderBatch,
    Refused,
    Stream,
    TradeBatch,
    VenueConfig,
)
from apps.exchanges.venues.hyperliquid import actions
from apps.exchanges.venues.hyperliquid.agents import address_of, approve_agent
from apps.exchanges.venues.hyperliquid.client import HyperliquidClient
from apps.exchanges.venues.hyperliquid.config import MAX_ACCOUNTS_FOLLOWED
from apps.exchanges.venues.hyperliquid.market_data import HyperliquidMarketData
from apps.exchanges.venues.hyperliquid.stream import market_stream, user_stream
from apps.exchanges.venues.websocket import Patience
from moondev.domain.clock import FixedClock, LiveClock, milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, RateLimited, VenueRejected
from moondev.domain.fills import Liquidity
from moondev.domain.orders import (
    AmendOrder,
    CancelOrder,
    OrderReport,
    OrderStatus,
    OrderType,
    PlaceOrder,
    Purpose,
    TimeInForce,
)
from moondev.domain.values import Price, Quantity, Side

pytestmark = pytest.mark.contract

MASTER_KEY = "0x" + "11" * 32
AGENT_KEY = "0x" + "22" * 32
STRANGER_KEY = "0x" + "33" * 32
ACCOUNT = address_of(MASTER_KEY)
SPECS = (InstrumentSpec("BTC", 0, 5, 40), InstrumentSpec("ETH", 1, 4, 25))
BTC = "hyperliquid:BTC"
NONCES = count(milliseconds(LiveClock().now()))
QUICK = Patience(first_pause=0.01, longest_pause=0.05)


class Scene:
    """A venue with a market, an account and its agent's client."""

    def __init__(self, mock: ThreadedMock) -> None:
        self.mock = mock
        self.config = VenueConfig(
            "hyperliquid",
            "hyperliquid",
            Environment.PAPER,
            mock.hyperliquid_url,
            mock.hyperliquid_url.replace("http", "ws") + "/ws",
        )
        self.admin("accounts", address=ACCOUNT, deposit="100000")
        for coin, bid, ask, size in (("BTC", "49990", "50010", "5"), ("ETH", "2999", "3001", "50")):
            self.admin("quote", coin=coin, side="buy", price=bid, size=size)
            self.admin("quote", coin=coin, side="sell", price=ask, size=size)
        approve_agent(self.config, MASTER_KEY, address_of(AGENT_KEY), "orders", next(NONCES))
        self.client = HyperliquidClient(self.config, Credentials(ACCOUNT, AGENT_KEY), LiveClock())

    def admin(self, path: str, /, **body: object) -> dict[str, Any]:
        answer = requests.post(f"{self.mock.url}/admin/{path}", json=body, timeout=5)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def fault(self, kind: str, **body: object) -> None:
        self.admin("faults", venue="hl", kind=kind, **body)

    @property
    def orders_received(self) -> int:
        state = requests.get(f"{self.mock.url}/admin/state", timeout=5).json()
        return int(state["accounts"][ACCOUNT]["actions"].get("order", {}).get("received", 0))

    def place(self, *orders: PlaceOrder) -> list[OrderReport]:
        return self.client.place([RiskApproved(order) for order in orders], next(NONCES), soon())

    def known(self, name: UUID) -> OrderReport:
        report = self.client.order_status(name)
        assert report is not None
        return report


@pytest.fixture
def serve() -> Iterator[Callable[..., Scene]]:
    """Open scenes that end with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> Scene:
            clock = LiveClock()
            engine = Exchange(SPECS, clock, {"BTC": Decimal(50_000), "ETH": Decimal(3_000)})
            mock = stack.enter_context(mock_in_thread(engine, clock, WireConfig(**{"book_interval_ms": 20, **options})))
            scene = Scene(mock)
            stack.callback(scene.client.close)
            return scene

        yield start


@pytest.fixture
def scene(serve: Callable[..., Scene]) -> Scene:
    return serve()


def soon() -> datetime:
    return LiveClock().now() + timedelta(seconds=30)


def order(
    side: Side = Side.BUY,
    price: str = "49000",
    quantity: str = "0.01",
    tif: TimeInForce = TimeInForce.GTC,
    order_type: OrderType = OrderType.LIMIT,
    purpose: Purpose = Purpose.OPENING,
    trigger: str | None = None,
    instrument: str = BTC,
) -> PlaceOrder:
    return PlaceOrder(
        client_order_id=uuid4(),
        instrument=instrument,
        side=side,
        order_type=order_type,
        time_in_force=tif,
        quantity=Quantity(Decimal(quantity)),
        price=Price(Decimal(price)),
        purpose=purpose,
        signal_id="s",
        leg="l",
        trigger_price=None if trigger is None else Price(Decimal(trigger)),
    )


def market(side: Side, quantity: str = "0.01") -> PlaceOrder:
    price = "51000" if side is Side.BUY else "49000"
    return order(side, price, quantity, order_type=OrderType.MARKET)


def cancel_of(placed: PlaceOrder) -> CancelOrder:
    return CancelOrder(placed.client_order_id, placed.instrument, "test")


def amendment(placed: PlaceOrder, price: str, remaining: str = "0.01") -> Amendment:
    request = AmendOrder(
        placed.client_order_id,
        placed.instrument,
        Quantity(Decimal(remaining)),
        Price(Decimal(price)),
        Quantity(Decimal(0)),
    )
    kind = placed.order_type, placed.time_in_force, placed.reduce_only
    return Amendment(RiskApproved(request), placed.side, *kind, placed.trigger_price)


def test_a_batch_is_answered_item_by_item_in_its_order(scene: Scene) -> None:
    resting, taking = order(), market(Side.BUY)
    crossing = order(price="50010", tif=TimeInForce.POST_ONLY)
    missing = order(price="49000", tif=TimeInForce.IOC)
    reports = scene.place(resting, taking, crossing, missing)
    assert [report.status for report in reports] == [
        OrderStatus.OPEN,
        OrderStatus.FILLED,
        OrderStatus.REJECTED,
        OrderStatus.REJECTED,
    ]
    assert [report.client_order_id for report in reports] == [
        one.client_order_id for one in (resting, taking, crossing, missing)
    ]
    assert reports[1].filled_quantity == Quantity(Decimal("0.01"))
    assert "Post only" in reports[2].reason
    assert "could not immediately match" in reports[3].reason


def test_what_the_answer_says_is_what_the_venue_says_later(scene: Scene) -> None:
    resting, taking = order(), market(Side.BUY)
    answered = scene.place(resting, taking)
    for placed, report in zip((resting, taking), answered, strict=True):
        later = scene.known(placed.client_order_id)
        assert (later.status, later.venue_order_id) == (report.status, report.venue_order_id)
    assert scene.client.order_status(uuid4()) is None


def test_the_rest_of_a_market_order_that_found_too_little_is_cancelled(scene: Scene) -> None:
    greedy = market(Side.BUY, "7")
    scene.admin("accounts", address="0x" + "77" * 20, deposit="1")
    (report,) = scene.place(greedy)
    assert report.status is OrderStatus.CANCELLED
    assert report.filled_quantity == Quantity(Decimal(5))
    assert scene.known(greedy.client_order_id).status is OrderStatus.CANCELLED


def test_fills_and_account_agree_to_the_last_decimal(scene: Scene) -> None:
    since = LiveClock().now() - timedelta(seconds=5)
    scene.place(market(Side.BUY, "0.02"), market(Side.SELL, "0.005"))
    fills = scene.client.fills(since)
    assert [(fill.side, fill.quantity.value) for fill in fills] == [
        (Side.BUY, Decimal("0.02")),
        (Side.SELL, Decimal("0.005")),
    ]
    assert {fill.liquidity for fill in fills} == {Liquidity.TAKER}
    assert len({fill.venue_trade_id for fill in fills}) == 2
    cash = Decimal(100_000) - sum(
        (fill.side.sign * fill.quantity.value * fill.price.value + fill.fee.value for fill in fills), Decimal(0)
    )
    account = scene.client.account_snapshot()
    assert account.cash.value == cash
    (position,) = account.positions
    assert position.quantity.value == Decimal("0.015")
    assert position.value.value == position.mark_price.value * Decimal("0.015")
    assert scene.client.fills(LiveClock().now() + timedelta(seconds=5)) == []
    assert scene.client.funding(since) == []


def test_a_stop_rests_as_a_reduce_only_trigger_and_is_cancelled_by_name(scene: Scene) -> None:
    scene.place(market(Side.BUY))
    stop = order(Side.SELL, "44000", order_type=OrderType.STOP, purpose=Purpose.PROTECTIVE, trigger="45000")
    (placed,) = scene.place(stop)
    assert placed.status is OrderStatus.OPEN
    (resting,) = scene.client.open_orders()
    assert resting.client_order_id == stop.client_order_id
    assert resting.trigger_price == Price(Decimal(45_000))
    assert resting.reduce_only
    (cancelled,) = scene.client.cancel([cancel_of(stop)], next(NONCES))
    assert cancelled.status is OrderStatus.CANCELLED
    assert scene.client.open_orders() == []


def test_cancelling_what_is_gone_leaves_the_question_open(scene: Scene) -> None:
    taken, alive = market(Side.BUY), order()
    scene.place(taken, alive)
    reports = scene.client.cancel([cancel_of(taken), cancel_of(alive), cancel_of(order())], next(NONCES))
    assert [report.status for report in reports] == [None, OrderStatus.CANCELLED, None]
    assert "never placed, already canceled, or filled" in reports[0].reason
    assert scene.known(taken.client_order_id).status is OrderStatus.FILLED


def test_orders_are_cancelled_by_venue_id_too(scene: Scene) -> None:
    scene.place(order(), order(price="48000"))
    reports = scene.client.cancel_resting(scene.client.open_orders(), next(NONCES))
    assert [report.status for report in reports] == [OrderStatus.CANCELLED] * 2
    assert scene.client.open_orders() == []


def test_an_amended_order_keeps_its_name_and_gets_a_new_venue_id(scene: Scene) -> None:
    resting = order()
    (before,) = scene.place(resting)
    (after,) = scene.client.amend([amendment(resting, "48500", "0.008")], next(NONCES), soon())
    assert after.status is OrderStatus.OPEN
    assert after.venue_order_id != before.venue_order_id
    (live,) = scene.client.open_orders()
    assert (live.client_order_id, live.price, live.quantity) == (
        resting.client_order_id,
        Price(Decimal(48_500)),
        Quantity(Decimal("0.008")),
    )
    assert scene.known(resting.client_order_id).venue_order_id == after.venue_order_id


def test_amending_what_is_gone_leaves_the_question_open(scene: Scene) -> None:
    taken = market(Side.BUY)
    scene.place(taken)
    (report,) = scene.client.amend([amendment(taken, "48500")], next(NONCES), soon())
    assert report.status is None
    assert "Cannot modify" in report.reason
    assert scene.client.open_orders() == []


def test_a_request_that_comes_too_late_is_dropped_by_the_venue(scene: Scene) -> None:
    late = order()
    with pytest.raises(VenueRejected):
        scene.client.place([RiskApproved(late)], next(NONCES), LiveClock().now() - timedelta(seconds=5))
    assert scene.client.order_status(late.client_order_id) is None


def test_a_nonce_works_once(scene: Scene) -> None:
    nonce = next(NONCES)
    scene.client.place([RiskApproved(order())], nonce, soon())
    with pytest.raises(VenueRejected, match="nonce"):
        scene.client.place([RiskApproved(order())], nonce, soon())
    assert len(scene.client.open_orders()) == 1


def test_a_wrong_key_is_told_with_the_address_that_signed(scene: Scene) -> None:
    stranger = HyperliquidClient(scene.config, Credentials(ACCOUNT, STRANGER_KEY), LiveClock())
    with pytest.raises(VenueRejected, match=f"User or API Wallet {address_of(STRANGER_KEY)} does not exist"):
        stranger.place([RiskApproved(order())], next(NONCES), soon())
    stranger.close()
    assert scene.client.open_orders() == []


def test_an_unknown_instrument_is_refused_before_anything_is_sent(scene: Scene) -> None:
    for instrument in ("hyperliquid:DOGE", "BTC", "bybit:BTC"):
        with pytest.raises(InvalidValue, match="instrument"):
            scene.place(order(instrument=instrument))
    assert scene.orders_received == 0


def test_a_batch_that_is_too_large_is_refused_before_anything_is_sent(scene: Scene) -> None:
    with pytest.raises(InvalidValue, match="at most 50"):
        scene.place(*[order() for _ in range(51)])
    assert scene.orders_received == 0


def test_an_empty_batch_sends_nothing(scene: Scene) -> None:
    assert scene.client.place([], 1, soon()) == []
    assert scene.client.amend([], 1, soon()) == []
    assert scene.client.cancel([], 1) == []
    assert scene.client.cancel_resting([], 1) == []
    assert scene.orders_received == 0


def test_a_full_batch_fits(scene: Scene) -> None:
    reports = scene.place(*[order(price=str(40_000 + step)) for step in range(50)])
    assert {report.status for report in reports} == {OrderStatus.OPEN}
    assert len(scene.client.open_orders()) == 50


def test_a_reply_lost_after_the_venue_accepted_is_unknown_and_found_by_name(scene: Scene) -> None:
    scene.client.instruments()
    scene.fault("accept_then_drop", count=1, path="/exchange")
    lost = order()
    with pytest.raises(Connectivity) as caught:
        scene.place(lost)
    assert not isinstance(caught.value, NotSent)
    assert scene.known(lost.client_order_id).status is OrderStatus.OPEN
    assert scene.orders_received == 1


def test_a_server_error_is_unknown_and_a_rate_limit_is_not(scene: Scene) -> None:
    scene.client.instruments()
    scene.fault("error_5xx", count=1, path="/exchange")
    with pytest.raises(Connectivity):
        scene.place(order())
    scene.fault("rate_limit", count=1, path="/exchange")
    with pytest.raises(RateLimited) as caught:
        scene.place(order())
    assert caught.value.retry_after_seconds > 0
    assert scene.client.open_orders() == []


def test_failing_to_read_the_instruments_means_that_nothing_was_sent(scene: Scene) -> None:
    scene.fault("error_5xx", count=1, path="/info")
    with pytest.raises(NotSent):
        scene.place(order())
    assert scene.orders_received == 0
    assert scene.place(order())[0].status is OrderStatus.OPEN


def test_leverage_and_the_dead_man_switch(scene: Scene) -> None:
    scene.client.set_leverage(BTC, 3, MarginMode.CROSS, next(NONCES))
    scene.place(market(Side.BUY))
    assert scene.client.account_snapshot().positions[0].leverage == 3
    with pytest.raises(VenueRejected):
        scene.client.set_leverage(BTC, 1_000, MarginMode.CROSS, next(NONCES))
    scene.client.schedule_cancel(LiveClock().now() + timedelta(seconds=60), next(NONCES))
    scene.client.schedule_cancel(None, next(NONCES))
    with pytest.raises(VenueRejected):
        scene.client.schedule_cancel(LiveClock().now(), next(NONCES))


def test_isolated_margin_is_set_and_the_books_still_add_up(scene: Scene) -> None:
    scene.client.set_leverage(BTC, 5, MarginMode.ISOLATED, next(NONCES))
    scene.place(market(Side.BUY))
    snapshot = scene.client.account_snapshot()
    [position] = snapshot.positions
    assert position.leverage == 5
    assert snapshot.cash + position.value == snapshot.equity
    assert snapshot.withdrawable.value < snapshot.equity.value
    with pytest.raises(VenueRejected, match="open position"):
        scene.client.set_leverage(BTC, 5, MarginMode.CROSS, next(NONCES))


def test_public_reads_need_no_account(scene: Scene) -> None:
    reader = HyperliquidMarketData(scene.config, LiveClock())
    scene.admin("trade", coin="BTC", side="buy", price="50010", size="0.1")
    names = {listing.instrument.symbol: listing.venue_asset_id for listing in reader.instruments()}
    assert names == {"BTC": 0, "ETH": 1}
    assert reader.book("BTC").bids[0].price == 49_990
    assert set(reader.marks()) == {"BTC", "ETH"}
    now = LiveClock().now()
    bars = reader.candles("BTC", timedelta(minutes=1), now - timedelta(minutes=5), now)
    assert bars.close[-1] == 50_010
    reader.close()


def test_the_streams_tell_what_happens(scene: Scene) -> None:
    heard: list[Any] = []
    seen: list[Any] = []

    async def until(met: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not met():  # noqa: ASYNC110 - the handlers are plain functions
                await asyncio.sleep(0.01)

    async def scenario() -> None:
        wanted = [MarketSubscription("BTC", candles=(timedelta(minutes=1),))]
        streams = [
            market_stream(scene.config, wanted, seen.append, LiveClock(), QUICK),
            user_stream(scene.config, ACCOUNT, heard.append, LiveClock(), QUICK),
        ]
        tasks = [asyncio.create_task(stream.run()) for stream in streams]
        await until(lambda: all(stream.connected for stream in streams))
        resting = order()
        await asyncio.to_thread(scene.place, resting, market(Side.BUY))
        await asyncio.to_thread(scene.client.amend, [amendment(resting, "48000")], next(NONCES), soon())
        kinds = (BookUpdate, TradeBatch, CandleUpdate, MarkUpdate)
        await until(lambda: all(any(isinstance(event, kind) for event in seen) for kind in kinds))
        await until(lambda: sum(isinstance(event, FillBatch) and not event.snapshot for event in heard) == 1)
        await until(lambda: len(statuses(resting.client_order_id)) >= 2)
        for stream in streams:
            assert stream.unreadable == 0
            stream.stop()
        await asyncio.gather(*tasks)
        assert set(statuses(resting.client_order_id)) == {OrderStatus.OPEN}

    def statuses(name: UUID) -> list[OrderStatus | None]:
        batches = [event for event in heard if isinstance(event, OrderBatch)]
        return [one.status for batch in batches for one in batch.reports if one.client_order_id == name]

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_a_cut_stream_comes_back_and_says_since_when_it_was_deaf(scene: Scene) -> None:
    heard: list[Any] = []

    async def scenario() -> None:
        stream = user_stream(scene.config, ACCOUNT, heard.append, LiveClock(), QUICK)
        task = asyncio.create_task(stream.run())
        async with asyncio.timeout(10):
            while not stream.connected:  # noqa: ASYNC110 - the handler is a plain function
                await asyncio.sleep(0.01)
            await asyncio.to_thread(scene.fault, "ws_disconnect")
            while sum(isinstance(event, Connected) for event in heard) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        stream.stop()
        await task

    asyncio.run(asyncio.wait_for(scenario(), 20))
    again = [event for event in heard if isinstance(event, Connected)][1]
    assert again.silent_since is not None


def test_the_parts_satisfy_the_ports(scene: Scene) -> None:
    client: ExecutionClient = scene.client
    reader: MarketDataClient = HyperliquidMarketData(scene.config, FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    stream: Stream = user_stream(scene.config, ACCOUNT, lambda _: None, LiveClock())
    assert client.max_batch == 50
    assert not stream.connected
    reader.close()


def test_a_stop_for_the_whole_position_is_read_with_no_size_and_can_be_cancelled(scene: Scene) -> None:
    scene.place(market(Side.BUY))
    stop = order(Side.SELL, "44000", order_type=OrderType.STOP, purpose=Purpose.PROTECTIVE, trigger="45000")
    whole = actions.place([(0, stop)]) | {"grouping": "positionTpsl"}
    scene.client._act(whole, next(NONCES), None)
    (resting,) = scene.client.open_orders()
    assert (resting.quantity.value, resting.remaining.value, resting.reduce_only) == (0, 0, True)
    (cancelled,) = scene.client.cancel_resting([resting], next(NONCES))
    assert cancelled.status is OrderStatus.CANCELLED
    assert scene.client.open_orders() == []


def test_one_account_more_than_the_venue_follows_is_told_so_instead_of_being_up_and_deaf(scene: Scene) -> None:
    async def scenario() -> None:
        heard: list[list[Any]] = [[] for _ in range(MAX_ACCOUNTS_FOLLOWED + 1)]
        streams = [
            user_stream(scene.config, f"0x{number + 1:040x}", events.append, LiveClock(), QUICK)
            for number, events in enumerate(heard)
        ]
        tasks = []
        for stream, events in zip(streams, heard, strict=True):
            tasks.append(asyncio.create_task(stream.run()))
            while not events:  # noqa: ASYNC110 - the handler is a plain function
                await asyncio.sleep(0.01)
        assert [stream.connected for stream in streams] == [True] * MAX_ACCOUNTS_FOLLOWED + [False]
        assert isinstance(heard[-1][0], Refused)
        for stream in streams:
            stream.stop()
        await asyncio.gather(*tasks)

    asyncio.run(asyncio.wait_for(scenario(), 20))
