"""The account's stream, the same on every venue: orders and fills as they happen, and what is said after a silence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from apps.exchanges import registry
from apps.exchanges.capabilities import Hearing
from apps.exchanges.ports import (
    BalanceBatch,
    Connected,
    Credentials,
    Disconnected,
    FillBatch,
    OrderBatch,
    PositionBatch,
    Refused,
    Stream,
)
from moondev.domain.clock import LiveClock
from moondev.domain.fills import FillReport, Liquidity
from moondev.domain.orders import OrderStatus, Purpose
from moondev.domain.values import Side
from tests.contract.suite.ears import Ears, running
from tests.contract.suite.orders import LOT, amendment, limit, market, size
from tests.contract.suite.scene import Trader, VenueScene, soon

pytestmark = pytest.mark.contract

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def stream(trader: Trader, ears: Ears) -> Iterator[Stream]:
    """Hear an account, from when the subscriptions stand."""
    with running(trader.user_stream(ears)) as stream:
        ears.connected()
        yield stream


def statuses(ears: Ears, name: UUID) -> list[OrderStatus]:
    """Return what was said of an order, in the order it was heard."""
    reports = [report for batch in ears.of(OrderBatch) for report in batch.reports]
    return [report.status for report in reports if report.client_order_id == name and report.status is not None]


def told_sizes(ears: Ears) -> dict[str, Decimal]:
    """Return the newest size that was told of each position."""
    sizes: dict[str, Decimal] = {}
    for batch in ears.of(PositionBatch):
        if batch.snapshot:
            sizes.clear()
        sizes |= {news.symbol: news.quantity.value for news in batch.positions}
    return sizes


def heard_fills(ears: Ears) -> list[FillReport]:
    """Return the fills heard, each once, whether in batches of their own or with a report."""
    fills = [fill for batch in ears.of(FillBatch) for fill in batch.fills]
    fills += [fill for batch in ears.of(OrderBatch) for report in batch.reports for fill in report.fills]
    return list({fill.venue_trade_id: fill for fill in fills}.values())


def test_orders_and_fills_are_told_as_they_happen(
    scene: VenueScene, trader: Trader, ears: Ears, stream: Stream
) -> None:
    since = LiveClock().now() - timedelta(seconds=5)
    rests, takes = limit(scene.key()), market(scene.key(), Side.BUY)
    (report,) = trader.place(rests)
    trader.place(takes)
    ears.until(lambda: OrderStatus.OPEN in statuses(ears, rests.client_order_id), "the resting order")
    ears.until(lambda: len(heard_fills(ears)) == 1, "the fill")
    ears.until(lambda: OrderStatus.FILLED in statuses(ears, takes.client_order_id), "the filled order")
    (fill,) = heard_fills(ears)
    assert (fill.symbol, fill.side, fill.quantity, fill.price.value) == (scene.symbol(), Side.BUY, size(LOT), 50_010)
    assert fill.liquidity is Liquidity.TAKER
    trader.cancel(rests)
    ears.until(lambda: OrderStatus.CANCELLED in statuses(ears, rests.client_order_id), "the cancelled order")
    named = {one.venue_order_id for batch in ears.of(OrderBatch) for one in batch.reports}
    assert report.venue_order_id is None or report.venue_order_id in named
    assert stream.unreadable == 0
    # Heard or asked for, a fill is one fill: the ledger knows it by its name.
    (asked,) = trader.client.fills(since)
    assert asked.venue_trade_id == fill.venue_trade_id
    assert (asked.fee, asked.price, asked.venue_order_id) == (fill.fee, fill.price, fill.venue_order_id)


def test_positions_and_the_wallet_are_told_after_a_fill(
    scene: VenueScene, trader: Trader, ears: Ears, stream: Stream
) -> None:
    trader.place(market(scene.key(), Side.BUY))
    ears.until(lambda: len(heard_fills(ears)) == 1, "the fill")
    if scene.capabilities.hearing is Hearing.POLLING:
        # Who asks instead of listening compares positions when it reconciles, and asks for them nowhere else.
        assert not ears.of(PositionBatch)
        return
    ears.until(lambda: told_sizes(ears).get(scene.symbol()) == size(LOT).value, "the position")
    ears.until(lambda: ears.of(BalanceBatch), "the wallet")
    trader.place(market(scene.key(), Side.SELL, purpose=Purpose.REDUCING))
    ears.until(lambda: not told_sizes(ears).get(scene.symbol()), "the closed position")
    assert stream.unreadable == 0


def test_the_last_of_several_fills_ends_the_order(
    scene: VenueScene, trader: Trader, ears: Ears, stream: Stream
) -> None:
    order = limit(scene.key(), at=49_995, quantity="0.03")
    trader.place(order)
    for number in range(1, 4):
        scene.trade("sell", "49995", "0.01")
        ears.until(lambda number=number: len(heard_fills(ears)) == number, f"{number} fills")
    ears.until(lambda: statuses(ears, order.client_order_id)[-1:] == [OrderStatus.FILLED], "filled")
    assert {fill.liquidity for fill in heard_fills(ears)} == {Liquidity.MAKER}
    assert len({fill.venue_trade_id for fill in heard_fills(ears)}) == 3


def test_an_amended_order_is_told_as_alive(scene: VenueScene, trader: Trader, ears: Ears, stream: Stream) -> None:
    order = limit(scene.key())
    trader.place(order)
    if scene.capabilities.amend.value == "native":
        trader.client.amend([amendment(order, 48_000)], trader.nonce, soon())
    marker = market(scene.key(), Side.BUY)
    trader.place(marker)
    ears.until(lambda: OrderStatus.FILLED in statuses(ears, marker.client_order_id), "what came after")
    assert set(statuses(ears, order.client_order_id)) == {OrderStatus.OPEN}
    trader.cancel(order)
    ears.until(lambda: statuses(ears, order.client_order_id)[-1] is OrderStatus.CANCELLED, "cancelled")


def test_a_stream_that_is_cut_says_since_when_it_was_deaf_and_hears_again(
    scene: VenueScene, trader: Trader, ears: Ears, stream: Stream
) -> None:
    before = LiveClock().now()
    scene.cut(stream)
    again = ears.connected(times=2)
    assert ears.of(Connected)[0].silent_since is None
    assert again.silent_since is not None
    assert abs(again.silent_since - before) < MINUTE
    assert len(ears.of(Disconnected)) == 1
    order = limit(scene.key())
    trader.place(order)
    ears.until(lambda: OrderStatus.OPEN in statuses(ears, order.client_order_id), "an order after the cut")


@pytest.mark.parametrize("disorder", ["ws_duplicate", "ws_out_of_order"])
def test_disorder_on_the_line_neither_loses_nor_doubles_a_fill(
    scene: VenueScene, trader: Trader, ears: Ears, stream: Stream, disorder: str
) -> None:
    scene.fault(disorder, count=4)
    orders = [market(scene.key(), side) for side in (Side.BUY, Side.SELL, Side.BUY)]
    for order in orders:
        trader.place(order)
    ears.until(lambda: len(heard_fills(ears)) == len(orders), "every fill")
    for order in orders:
        name = order.client_order_id
        ears.until(lambda name=name: OrderStatus.FILLED in statuses(ears, name), "every order filled")
    assert stream.unreadable == 0


def test_an_account_hears_nothing_of_others(scene: VenueScene, trader: Trader, ears: Ears, stream: Stream) -> None:
    with scene.trader() as other:
        other.place(market(scene.key(), Side.BUY))
        other.place(limit(scene.key()))
    marker = limit(scene.key())
    trader.place(marker)
    ears.until(lambda: OrderStatus.OPEN in statuses(ears, marker.client_order_id), "our own order")
    assert heard_fills(ears) == []
    reports = [report for batch in ears.of(OrderBatch) for report in batch.reports]
    assert {report.client_order_id for report in reports} == {marker.client_order_id}


def test_a_wrong_key_hears_nothing(scene: VenueScene, trader: Trader, ears: Ears) -> None:
    account = trader.account.credentials.account_address
    if not scene.capabilities.user_stream_needs_key:
        with running(registry.user_stream_for(scene.config, Credentials(account, ""), ears)):
            assert ears.connected()
        return
    wrong = scene.venue.wrong_key(trader.account)
    with running(registry.user_stream_for(scene.config, wrong, ears, trader.numbers)) as stream:
        ears.first(Refused)
        assert not stream.connected
    assert ears.of(Connected) == []
