"""From the engine's events to the websocket clients.

What must not be lost (order updates, fills, trades, closed bars, funding) is collected while the
engine works on one request and sent as one message per stream right after it, encoded once however
many clients listen. What only its latest state is worth (books, mids, bars in progress) is marked
and sent by a timer, so that a fast market costs no more than a calm one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from apps.exchanges.mock.engine.api import CancelReason, Candle
from apps.exchanges.mock.engine.events import (
    BarClosed,
    BarUpdated,
    BookChanged,
    Event,
    FundingPaid,
    Liquidated,
    MarkChanged,
    OrderUpdated,
    TradePrinted,
    UserFill,
)
from apps.exchanges.mock.wire.hyperliquid import views, views_account
from apps.exchanges.mock.wire.hyperliquid.connection import Connection
from apps.exchanges.mock.wire.hyperliquid.snapshots import Snapshots
from apps.exchanges.mock.wire.hyperliquid.subscriptions import Topic
from apps.exchanges.mock.wire.hyperliquid.venue import Venue
from apps.exchanges.mock.wire.hyperliquid.views import Json

_SLOW_SECONDS: Mapping[str, float] = {
    "allMids": 0.5,
    "activeAssetCtx": 0.5,
    "activeAssetData": 1.0,
    "clearinghouseState": 1.0,
    "spotState": 5.0,
    "openOrders": 1.0,
    "webData2": 2.0,
}
_NOT_ASKED_FOR = frozenset(CancelReason) - {CancelReason.USER, CancelReason.IMMEDIATE_REMAINDER}
_FAST = frozenset({"l2Book", "bbo", "candle"})


def encode(channel: str, data: object) -> bytes:
    """Return a message as it goes over the wire."""
    return orjson.dumps({"channel": channel, "data": data})


class Hub:
    """All connections of one venue, and what is to be sent to them."""

    def __init__(self, venue: Venue, snapshots: Snapshots) -> None:
        """Listen to the engine of `venue`."""
        self.connections: set[Connection] = set()
        self._venue = venue
        self._snapshots = snapshots
        self._listeners: dict[Topic, set[Connection]] = {}
        self._kinds: dict[str, set[Topic]] = defaultdict(set)
        self._pending: dict[Topic, list[Any]] = {}
        self._changed: set[tuple[str, str]] = set()
        self._last: dict[Topic, bytes] = {}
        self._due: dict[str, float] = {}
        self._scheduled = False
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            OrderUpdated: self._on_order,
            UserFill: self._on_fill,
            TradePrinted: self._on_trade,
            BookChanged: self._on_book,
            BarUpdated: self._on_bar,
            BarClosed: self._on_bar_closed,
            FundingPaid: self._on_funding,
            MarkChanged: lambda _: None,
            Liquidated: self._on_liquidation,
        }
        venue.exchange.subscribe(self._on_event)
        venue.on_ledger = self._on_ledger

    # connections
    def subscribe(self, connection: Connection, topic: Topic) -> None:
        """Send `topic` to `connection` from now on."""
        connection.topics.add(topic)
        self._listeners.setdefault(topic, set()).add(connection)
        self._kinds[topic.kind].add(topic)

    def unsubscribe(self, connection: Connection, topic: Topic) -> None:
        """Stop sending `topic` to `connection`."""
        connection.topics.discard(topic)
        listeners = self._listeners.get(topic, set())
        listeners.discard(connection)
        if not listeners:
            self._listeners.pop(topic, None)
            self._kinds[topic.kind].discard(topic)
            self._last.pop(topic, None)

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        for topic in tuple(connection.topics):
            self.unsubscribe(connection, topic)
        self.connections.discard(connection)

    def disconnect_all(self) -> int:
        """Cut every connection. Returns how many there were."""
        for connection in self.connections:
            connection.cut.set()
        return len(self.connections)

    # the engine's events
    def _on_event(self, event: Event) -> None:
        self._handlers[type(event)](event)

    def _on_order(self, event: OrderUpdated) -> None:
        self._venue.records.order(event.address, event.order)
        topic = Topic("orderUpdates", user=event.address)
        if topic in self._listeners:
            self._collect(topic, views.order_update(event.order, event.time_ms))
        if event.order.reason in _NOT_ASKED_FOR:
            topic = Topic("userEvents", user=event.address)
            if topic in self._listeners:
                self._collect(topic, event.order)

    def _on_fill(self, event: UserFill) -> None:
        self._venue.records.fills += 1
        for topic in (
            Topic("userFills", user=event.address),
            Topic("userFills", user=event.address, aggregate=True),
            Topic("userEvents", user=event.address),
        ):
            if topic in self._listeners:
                self._collect(topic, event.fill)

    def _on_trade(self, event: TradePrinted) -> None:
        topic = Topic("trades", coin=event.trade.coin)
        if topic in self._listeners:
            self._collect(topic, views.public_trade(event.trade))

    def _on_funding(self, event: FundingPaid) -> None:
        for kind in ("userFundings", "userEvents"):
            topic = Topic(kind, user=event.address)
            if topic in self._listeners:
                self._collect(topic, event.payment)

    def _on_liquidation(self, event: Liquidated) -> None:
        self._venue.enter_in_ledger(event.address, views_account.liquidation_delta(event))
        topic = Topic("userEvents", user=event.address)
        if topic in self._listeners:
            self._collect(topic, event)

    def _on_book(self, event: BookChanged) -> None:
        self._changed.add(("book", event.coin))

    def _on_bar(self, event: BarUpdated) -> None:
        self._changed.add(("candle", event.coin))

    def _on_bar_closed(self, event: BarClosed) -> None:
        candle: Candle = event.candle
        topic = Topic("candle", coin=candle.coin, interval=candle.interval)
        if topic in self._listeners:
            self._collect(topic, candle)

    # what must not be lost
    def _collect(self, topic: Topic, item: object) -> None:
        self._pending.setdefault(topic, []).append(item)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Send what was collected, in the order in which each stream's items came."""
        self._scheduled = False
        pending, self._pending = self._pending, {}
        for topic, items in pending.items():
            for channel, data in self._snapshots.increments(topic, items):
                self.broadcast(topic, encode(channel, data), channel)

    def broadcast(self, topic: Topic, message: bytes, channel: str) -> None:
        """Send one encoded message to all who listen to `topic`."""
        for connection in self._listeners.get(topic, ()):
            connection.send(channel, message)

    def _on_ledger(self, address: str, row: Json) -> None:
        topic = Topic("userNonFundingLedgerUpdates", user=address)
        if topic in self._listeners:
            self._collect(topic, row)

    # what only its latest state is worth
    def push_latest(self, now: float) -> None:
        """Send changed books and bars, and the slow streams that are due at `now` (monotonic seconds)."""
        changed, self._changed = self._changed, set()
        for kind in _FAST:
            source = "candle" if kind == "candle" else "book"
            self._push(topic for topic in self._kinds[kind] if (source, topic.coin) in changed)
        for kind, seconds in _SLOW_SECONDS.items():
            if now >= self._due.get(kind, 0.0):
                self._due[kind] = now + seconds
                self._push(tuple(self._kinds[kind]))

    def _push(self, topics: Iterable[Topic]) -> None:
        for topic in topics:
            for channel, data in self._snapshots.latest(topic):
                message = encode(channel, data)
                if topic.kind != "l2Book" and self._last.get(topic) == message:
                    continue
                self._last[topic] = message
                self.broadcast(topic, message, channel)
