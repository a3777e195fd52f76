"""What is special about Phemex, with our own clients against the mock: the rest is held by the contract suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from apps.exchanges.adapters import Tools
from apps.exchanges.mock.engine.api import NewOrder, Tif
from apps.exchanges.mock.engine.exchange import Exchange
from apps.exchanges.ports import (
    BookUpdate,
    CandleUpdate,
    Connected,
    Credentials,
    Environment,
    FillBatch,
    MarginMode,
    MarketSubscription,
    OrderBatch,
    PositionBatch,
    RestingOrder,
    UnreadOrder,
    VenueConfig,
)
from apps.exchanges.throttling import Lane, Unlimited
from apps.exchanges.venues.phemex.client import PhemexClient
from apps.exchanges.venues.phemex.market_data import PhemexMarketData
from apps.exchanges.venues.phemex.stream_market import market_stream
from apps.exchanges.venues.phemex.stream_user import user_stream
from moondev.domain.clock import FixedClock, LiveClock
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Configuration, NotSent, RateLimited, VenueRejected
from moondev.domain.fills import FillKind
from moondev.domain.orders import CancelOrder, OrderReport, OrderStatus, OrderType, PlaceOrder, Purpose
from moondev.domain.values import Quantity, Side
from tests.contract.phemex_stage import BTC, KEYS, Stage, phemex_stage
from tests.contract.suite.ears import Ears, running
from tests.contract.suite.orders import amendment, limit, market, protection

pytestmark = pytest.mark.contract

KEY = "phemex:BTCUSDT"
MINUTE = timedelta(minutes=1)


class Ledger(Unlimited):
    """A throttle that lets everything pass and writes down what it cost."""

    def __init__(self) -> None:
        self.spent: list[tuple[dict[str, int], Lane]] = []
        self.used: list[Mapping[str, int]] = []
        self.rests: list[float] = []

    def spend(self, cost: Mapping[str, int], lane: Lane = Lane.ORDINARY) -> None:
        self.spent.append((dict(cost), lane))

    def heard(self, used: Mapping[str, int]) -> None:
        self.used.append(used)

    def rest(self, seconds: float, reason: str) -> None:
        self.rests.append(seconds)

    @property
    def signed(self) -> list[tuple[str, Lane]]:
        """Return which budget each signed request took from, and as whom."""
        return [(name, lane) for cost, lane in self.spent for name in cost if name != "ip"]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with phemex_stage(limits=False) as stage:
        yield stage


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def venue(stage: Stage) -> VenueConfig:
    return VenueConfig("phemex", "phemex", Environment.PAPER, stage.rest, stage.websocket)


def credentials(who: int = 0) -> Credentials:
    return Credentials(f"account-{who}", ":".join(KEYS[who]))


@pytest.fixture
def client(stage: Stage, ledger: Ledger) -> Iterator[PhemexClient]:
    client = PhemexClient(venue(stage), credentials(), Tools(LiveClock(), ledger))
    yield client
    stage.admin("faults", method="DELETE")
    stage.mock.call(lambda engine: engine.cancel_all("account-0"), "phemex")
    for position in client.account_snapshot().positions:
        side = Side.SELL if position.quantity.value > 0 else Side.BUY
        size = str(abs(position.quantity.value))
        send(client, market(f"phemex:{position.symbol}", side, size, Purpose.REDUCING))
    client.close()


def send(client: PhemexClient, order: PlaceOrder, seconds: float = 30) -> OrderReport:
    (report,) = client.place([RiskApproved(order)], 0, LiveClock().now() + timedelta(seconds=seconds))
    return report


def cancel(client: PhemexClient, order: PlaceOrder) -> OrderReport:
    (report,) = client.cancel([CancelOrder(order.client_order_id, order.instrument, "test")], 0)
    return report


# --- orders -----------------------------------------------------------------------------------------


def test_the_answer_to_an_order_never_says_that_it_filled(client: PhemexClient) -> None:
    order = market(KEY, Side.BUY)
    report = send(client, order)
    assert (report.status, report.filled_quantity) == (OrderStatus.OPEN, Quantity(Decimal(0)))
    known = client.order_status(order.client_order_id, KEY)
    assert known is not None
    assert (known.status, known.venue_order_id) == (OrderStatus.FILLED, report.venue_order_id)


def test_a_refusal_hidden_in_a_success_is_seen(stage: Stage, client: PhemexClient) -> None:
    stage.admin("faults", kind="reject", value="no more risk", count=1, action="create")
    report = send(client, limit(KEY))
    assert (report.status, report.reason) == (OrderStatus.REJECTED, "11082: no more risk")
    assert client.live_orders() == []


def test_a_name_that_is_taken_does_not_bury_the_order_that_has_it(client: PhemexClient) -> None:
    order = limit(KEY)
    send(client, order)
    again = send(client, order)
    assert again.status is None
    assert "TE_CL_ORD_ID_DUPLICATE" in again.reason
    assert len(client.open_orders()) == 1


def test_no_live_orders_is_an_empty_list_and_any_other_refusal_is_none(stage: Stage, client: PhemexClient) -> None:
    send(client, market(KEY, Side.BUY))
    assert client.open_orders() == []
    stranger = PhemexClient(venue(stage), replace(credentials(), signer_key="key-one:wrong"), Tools(LiveClock()))
    with pytest.raises(VenueRejected, match="Signature"):
        stranger.open_orders()
    stranger.close()


def test_orders_are_found_without_being_told_where(client: PhemexClient, stage: Stage) -> None:
    order, other = limit(KEY), limit("phemex:ETHUSDT", at=2_000)
    send(client, order)
    send(client, other)
    fresh = PhemexClient(venue(stage), credentials(), Tools(LiveClock()))
    assert {one.client_order_id for one in fresh.open_orders()} == {order.client_order_id, other.client_order_id}
    found = fresh.order_status(other.client_order_id)
    assert found is not None
    assert found.status is OrderStatus.OPEN
    assert fresh.order_status(uuid4()) is None
    fresh.close()


def test_strangers_orders_are_listed_and_can_be_cancelled(stage: Stage, client: PhemexClient) -> None:
    stage.client().create_order(BTC, "limit", "buy", 0.01, 48_000)
    (stranger,) = client.live_orders()
    assert isinstance(stranger, RestingOrder)
    assert stranger.client_order_id is None
    (report,) = client.cancel_resting([stranger], 0)
    assert report.status is OrderStatus.CANCELLED
    assert client.live_orders() == []
    (nameless,) = client.cancel_resting([UnreadOrder("BTCUSDT", "", None, False)], 0)
    assert nameless.status is None
    assert nameless.reason.startswith("not sent")


def test_what_is_not_listed_any_more_can_still_be_cancelled_and_asked_for(client: PhemexClient, ledger: Ledger) -> None:
    gone = limit("phemex:GONEUSDT")
    report = cancel(client, gone)
    assert (report.status, report.reason) == (None, "39997: Symbol not listed GONEUSDT")
    elsewhere = limit("another:BTCUSDT")
    assert cancel(client, elsewhere).reason.startswith("not sent")
    assert [cost for cost, _ in ledger.spent] == [{"ip": 1, "contract": 1}]


def test_a_waiting_order_has_all_of_it_left(client: PhemexClient) -> None:
    send(client, market(KEY, Side.BUY))
    stop = protection(KEY, OrderType.STOP)
    assert send(client, stop).status is OrderStatus.OPEN
    (waiting,) = client.open_orders()
    assert (waiting.remaining, waiting.trigger_price, waiting.reduce_only) == (stop.quantity, stop.trigger_price, True)


def test_a_change_keeps_the_id_and_never_makes_an_order_grow(stage: Stage, client: PhemexClient) -> None:
    order = limit(KEY, at=49_995, quantity="0.03")
    placed = send(client, order)
    stage.admin("trade", coin="BTC", side="sell", price="49995", size="0.01")
    planned = amendment(order, 49_996, "0.02")
    request = replace(planned.approved.request, filled_when_planned=limit(KEY).quantity)
    stage.admin("trade", coin="BTC", side="sell", price="49995", size="0.01")
    soon = LiveClock().now() + MINUTE
    (report,) = client.amend([replace(planned, approved=RiskApproved(request))], 0, soon)
    assert (report.venue_order_id, report.status) == (placed.venue_order_id, OrderStatus.PARTIALLY_FILLED)
    (left,) = client.open_orders()
    # Two of three are filled, though the change was planned when it was one.
    assert (left.quantity.value, left.remaining.value, left.price.value) == (Decimal("0.03"), Decimal("0.01"), 49_996)


def test_a_request_lapses_with_the_second_it_was_given(stage: Stage, client: PhemexClient, ledger: Ledger) -> None:
    client.instruments()
    before = len(ledger.spent)
    with pytest.raises(NotSent, match="expired"):
        send(client, limit(KEY), seconds=-2)
    assert len(ledger.spent) == before
    # Whoever is slow on the way is turned away at the gate: the venue's clock is three seconds ahead here.
    stage.admin("faults", kind="clock_skew_ms", value=3_000)
    with pytest.raises(VenueRejected, match="expired"):
        send(client, limit(KEY), seconds=1)
    assert client.live_orders() == []


def test_margin_is_crossed_or_not_by_the_sign_of_the_leverage(client: PhemexClient) -> None:
    client.set_leverage(KEY, 7, MarginMode.CROSS, 0)
    send(client, market(KEY, Side.BUY))
    assert client.account_snapshot().positions[0].leverage == 7
    client.set_leverage(KEY, 20, MarginMode.CROSS, 0)


# --- what it costs ----------------------------------------------------------------------------------


def test_ways_out_are_paid_from_the_reserve_and_ways_in_are_not(client: PhemexClient, ledger: Ledger) -> None:
    client.instruments()
    ledger.spent.clear()
    opening = limit(KEY)
    send(client, opening)
    client.amend([amendment(opening, 48_500)], 0, LiveClock().now() + MINUTE)
    assert ledger.signed == [("contract", Lane.ORDINARY)] * 2
    ledger.spent.clear()
    cancel(client, opening)
    client.order_status(opening.client_order_id, KEY)
    client.live_orders()
    client.fills(LiveClock().now() - MINUTE)
    assert {lane for _, lane in ledger.signed} == {Lane.RESERVED}
    assert [name for name, _ in ledger.signed][:3] == ["contract", "contract", "others"]
    ledger.spent.clear()
    send(client, market(KEY, Side.BUY))
    send(client, market(KEY, Side.SELL, purpose=Purpose.REDUCING))
    client.account_snapshot()
    assert [lane for _, lane in ledger.signed] == [Lane.ORDINARY, Lane.RESERVED, Lane.ORDINARY]


def test_what_the_venue_says_of_our_budgets_is_passed_on() -> None:
    with phemex_stage() as stage:
        ledger = Ledger()
        client = PhemexClient(venue(stage), credentials(), Tools(LiveClock(), ledger))
        client.account_snapshot()
        client.fills(LiveClock().now() - MINUTE)
        assert [dict(used) for used in ledger.used] == [{"contract": 1}, {"others": 1}]
        stage.admin("faults", kind="rate_limit", count=1)
        with pytest.raises(RateLimited) as caught:
            client.account_snapshot()
        assert ledger.rests == [caught.value.retry_after_seconds] == [1.0]
        client.close()


# --- the past ---------------------------------------------------------------------------------------


def test_fills_have_whole_names_and_the_orders_they_belong_to(stage: Stage, client: PhemexClient) -> None:
    since = LiveClock().now() - timedelta(seconds=1)
    order = market(KEY, Side.BUY)
    send(client, order)
    fill = client.fills(since)[-1]
    assert fill.client_order_id == order.client_order_id
    short = stage.client().fetch_my_trades(BTC)[-1]["id"]
    # The list that ccxt asks cuts the name to seven letters, which no ledger can tell apart for ever.
    assert len(short) == 7
    assert len(fill.venue_trade_id.removesuffix("-Buy")) == 36


def test_past_rates_bars_and_funding_are_told(stage: Stage, client: PhemexClient) -> None:
    reader = PhemexMarketData(venue(stage), Tools(LiveClock()))
    since = LiveClock().now() - timedelta(seconds=1)
    send(client, market(KEY, Side.BUY))
    stage.mock.call(lambda engine: engine.pay_funding(), "phemex")
    (payment,) = client.funding(since)
    now = LiveClock().now()
    (rate,) = reader.funding_history("BTCUSDT", since - timedelta(hours=2), now + timedelta(hours=2))[-1:]
    assert payment.rate == Decimal(str(rate.rate))
    assert payment.amount.value < 0 < payment.position.value
    # More bars than one question may ask for: the answers are joined.
    bars = reader.candles("BTCUSDT", MINUTE, now - timedelta(days=3), now)
    assert len(bars) >= 1
    reader.close()


# --- streams ----------------------------------------------------------------------------------------


def trade_ids(ears: Ears) -> list[str]:
    return [fill.venue_trade_id for batch in ears.of(FillBatch) for fill in batch.fills]


def test_every_execution_is_told_once_with_its_name_and_again_only_as_the_past(
    stage: Stage, client: PhemexClient
) -> None:
    """Trap 0.5: ccxt's own stream tells no orders and no fills."""
    ears = Ears()
    with running(user_stream(venue(stage), credentials(), ears, Tools(LiveClock()))) as stream:
        ears.connected()
        ears.first(PositionBatch, lambda batch: batch.snapshot)
        known = set(trade_ids(ears))
        order = market(KEY, Side.BUY, "0.02")
        send(client, order)
        ears.until(lambda: set(trade_ids(ears)) - known, "the fill")
        (new,) = [name for name in trade_ids(ears) if name not in known]
        stage.admin("faults", kind="ws_disconnect")
        ears.connected(times=2)
        ears.until(lambda: len(ears.of(PositionBatch)) >= 3, "the snapshot after it")
        batches = [batch for batch in ears.of(FillBatch) for fill in batch.fills if fill.venue_trade_id == new]
        assert [batch.snapshot for batch in batches] == [False, True]
        assert stream.unreadable == 0
    assert new in [fill.venue_trade_id for fill in client.fills(LiveClock().now() - MINUTE)]


def test_what_happened_while_the_line_was_cut_is_in_the_snapshot(stage: Stage, client: PhemexClient) -> None:
    ears = Ears()
    tools = Tools(LiveClock())
    rests, goes = limit(KEY, at=48_000), limit(KEY, at=47_000)
    send(client, goes)
    with running(user_stream(venue(stage), credentials(), ears, tools)):
        ears.connected()
        stage.admin("faults", kind="ws_refuse", value=1)
        stage.admin("faults", kind="ws_disconnect")
        send(client, rests)
        cancel(client, goes)
        taken = market(KEY, Side.BUY)
        send(client, taken)
        ears.connected(times=2)
        wanted = {
            rests.client_order_id: OrderStatus.OPEN,
            goes.client_order_id: OrderStatus.CANCELLED,
            taken.client_order_id: OrderStatus.FILLED,
        }

        def heard() -> dict[Any, Any]:
            reports = [report for batch in ears.of(OrderBatch) for report in batch.reports]
            return {report.client_order_id: report.status for report in reports}

        ears.until(lambda: {name: heard().get(name) for name in wanted} == wanted, "what was missed")
    assert isinstance(ears.of(Connected)[1], Connected)


def test_an_order_that_fills_in_parts_is_told_part_by_part(stage: Stage, client: PhemexClient) -> None:
    ears = Ears()
    with running(user_stream(venue(stage), credentials(), ears, Tools(LiveClock()))):
        ears.connected()
        ears.first(PositionBatch, lambda batch: batch.snapshot)
        known = set(trade_ids(ears))
        order = limit(KEY, at=49_995, quantity="0.02")
        send(client, order)

        def hit(engine: Exchange) -> None:
            for _ in range(2):
                sell = NewOrder("BTC", False, Decimal("0.01"), Decimal(49_995), Tif.IOC)
                engine.place("account-1", [sell])

        stage.mock.call(hit, "phemex")
        ears.until(lambda: len(set(trade_ids(ears)) - known) == 2, "two fills")

        def figures() -> list[Decimal]:
            reports = [report for batch in ears.of(OrderBatch) for report in batch.reports]
            return [
                report.filled_quantity.value
                for report in reports
                if report.client_order_id == order.client_order_id and report.filled_quantity is not None
            ]

        ears.until(lambda: figures()[-1:] == [Decimal("0.02")], "the whole of it")
        assert figures() == [0, Decimal("0.01"), Decimal("0.02")]


def test_a_liquidation_is_a_fill_that_nobody_asked_for(stage: Stage) -> None:
    stage.admin("accounts", address="thin", deposit="300", api_key="thin-key", api_secret="thin-secret")
    thin, ears = Credentials("thin", "thin-key:thin-secret"), Ears()
    client = PhemexClient(venue(stage), thin, Tools(LiveClock()))
    order = market(KEY, Side.BUY, "0.1")
    with running(user_stream(venue(stage), thin, ears, Tools(LiveClock()))):
        ears.connected()
        send(client, order)
        ears.until(lambda: trade_ids(ears), "the fill")
        stage.admin("mark", coin="BTC", price=47_100)
        try:
            ears.until(lambda: len(trade_ids(ears)) > 1, "the liquidation")
        finally:
            stage.admin("mark", coin="BTC", price=50_000)
        forced = [fill for batch in ears.of(FillBatch) for fill in batch.fills][1:]
        assert {(fill.kind, fill.side, fill.client_order_id) for fill in forced} == {
            (FillKind.LIQUIDATION, Side.SELL, None)
        }
    told = client.fills(LiveClock().now() - MINUTE)
    assert [fill.kind for fill in told[:2]] == [FillKind.ORDER, FillKind.LIQUIDATION]
    assert {fill.venue_trade_id for fill in told} >= set(trade_ids(ears))
    client.close()


def test_more_channels_than_a_connection_holds_are_heard_over_several() -> None:
    lengths = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 720, 1_440))
    wanted = [MarketSubscription(symbol, candles=lengths) for symbol in ("BTCUSDT", "ETHUSDT")]
    ears = Ears()
    # The venue's limits are on: twenty subscriptions a connection.
    with phemex_stage() as stage, running(market_stream(venue(stage), wanted, ears, Tools(LiveClock()))) as stream:
        ears.connected()
        ears.until(lambda: {update.symbol for update in ears.of(BookUpdate)} == {"BTCUSDT", "ETHUSDT"}, "both books")
        ears.until(lambda: len({bar.interval for bar in ears.of(CandleUpdate)}) == len(lengths), "all bars")
        assert stage.mock.server.wires["phemex"].counts()["connections"] == 2
        stage.admin("faults", kind="ws_disconnect")
        ears.connected(times=2)
        assert stream.unreadable == 0


def test_a_key_that_is_none_is_refused_before_anything_is_opened(stage: Stage) -> None:
    with pytest.raises(Configuration, match="KEY:SECRET") as caught:
        PhemexClient(venue(stage), Credentials("account-0", "only-a-secret"), Tools(FixedClock(LiveClock().now())))
    assert "only-a-secret" not in str(caught.value)
