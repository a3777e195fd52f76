"""dYdX's stream of one account as domain events: its orders, fills, positions and money. It needs no key.

Funding is not in the stream. An order that was cancelled "with best effort" may still fill until its last block is
over: its end is told with that block.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import msgspec

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import (
    BalanceBatch,
    BalanceNews,
    FillBatch,
    OrderBatch,
    PositionBatch,
    ReportSource,
    Unreadable,
    UserHandler,
    VenueConfig,
)
from apps.exchanges.short_ids import ShortIds
from apps.exchanges.venues.dydx import parse, parse_account
from apps.exchanges.venues.dydx.config import QUOTE_CURRENCY, SUBACCOUNT, endpoints
from apps.exchanges.venues.dydx.dialect import BLOCKS, IndexerDialect, Topic
from apps.exchanges.venues.dydx.keys import account_address
from apps.exchanges.venues.dydx.messages import (
    AccountFirst,
    AccountNews,
    AssetMessage,
    BlockMessage,
    NamedOrder,
    OrderMessage,
    PositionMessage,
)
from apps.exchanges.venues.dydx.parse import decoded, whole
from apps.exchanges.venues.message_stream import MessageStream
from apps.exchanges.venues.rows import Rows, reading, rows
from apps.exchanges.venues.websocket import ConnectionSpent, Patience, ReconnectingWebsocket, SubscriptionRefused
from moondev.domain.orders import OrderReport, OrderStatus

T = TypeVar("T")

SUBACCOUNTS = "v4_subaccounts"
REMEMBERED = 10_000
# How many messages may overtake one before it counts as lost.
_OVERTAKEN = 8


class AccountDialect(IndexerDialect):
    """Hears one account, of which no part can be done without."""

    def __init__(self, address: str, handler: UserHandler, short_ids: ShortIds) -> None:
        """Hear the account of `address`; `short_ids` tell which of its orders are ours."""
        self._owners = OrderOwners(short_ids)
        super().__init__([(SUBACCOUNTS, f"{address}/{SUBACCOUNT}"), (BLOCKS, "")], handler)
        self.begin()

    def begin(self) -> None:
        """Forget which orders were about to end: whoever reconnects asks for them."""
        self._ending: dict[str, tuple[int, OrderReport]] = {}
        self._height = 0
        self._overtaken = 0

    def first(self, topic: Topic, contents: msgspec.Raw, received: datetime) -> Iterable[object]:
        """Return what an account has: its live orders, positions and money."""
        if topic[0] == BLOCKS:
            return self._block(contents)
        message = decoded("account", contents, AccountFirst)
        with reading("account", parse.shown(contents)):
            self._learn_height(message.blockHeight)
            positions = parse_account.first_positions(message.subaccount, received)
            money = self._money(list(message.subaccount.assetPositions.values()), received)
        return [*self._orders(message.orders, received), PositionBatch(positions, snapshot=True), BalanceBatch(money)]

    def news(self, topic: Topic, contents: msgspec.Raw, received: datetime) -> Iterable[object]:
        """Return what happened: orders before fills, so that a fill finds its order."""
        if topic[0] == BLOCKS:
            return self._block(contents)
        message = decoded("account", contents, AccountNews)
        with reading("account", parse.shown(contents)):
            self._learn_height(message.blockHeight)
        events = [*self._orders(message.orders, received), *self._fills(message.fills, received)]
        if message.perpetualPositions:
            events += self._positions(message.perpetualPositions, received)
        if message.assetPositions:
            assets = rows("asset", message.assetPositions, AssetMessage, parse_account.asset_amount)
            money = BalanceNews(QUOTE_CURRENCY, sum(assets.read, Decimal(0)), None, received)
            events += [*([BalanceBatch((money,))] if assets.read else []), *_left_out(assets, received)]
        return events

    def lost(self, received: datetime) -> Iterable[object]:
        """Begin a new connection when a message does not come any more: the platform then asks for what it missed."""
        del received
        self._overtaken += 1
        if self._overtaken > _OVERTAKEN:
            missing = min(self.numbering.missing)
            # No refusal: that would be an alarm about our key.
            raise ConnectionSpent(f"message {missing} of the account was lost on its way")
        return ()

    def refused(self, reason: str, topic: Topic | None) -> None:
        """Give the connection up: with a part missing it would pass for one that hears everything."""
        raise SubscriptionRefused(f"{topic or 'a subscription'}: {reason}")

    def events(self, message: bytes, received: datetime) -> Iterable[object]:
        """Return the events in one message; once nothing is missing, nothing was overtaken."""
        found = super().events(message, received)
        if not self.numbering.missing:
            self._overtaken = 0
        return found

    def _orders(self, items: list[object], received: datetime) -> list[object]:
        if not items:
            return []
        self._owners.learn(items)

        def read(row: OrderMessage) -> OrderReport:
            report = parse.order_report(row, self._height, self._owners.of_number, ReportSource.STREAM, received)
            self._note_ending(report, row)
            return report

        found = rows("order", items, OrderMessage, read)
        return [*([OrderBatch(found.read)] if found.read else []), *_left_out(found, received)]

    def _fills(self, items: list[object], received: datetime) -> list[object]:
        if not items:
            return []
        found = parse.streamed_fills(items, self._owners.of_order, received)
        return [*([FillBatch(found.read, snapshot=False)] if found.read else []), *_left_out(found, received)]

    def _positions(self, items: list[object], received: datetime) -> list[object]:
        found = rows("position", items, PositionMessage, lambda row: parse_account.position_news(row, received))
        return [PositionBatch(found.read, snapshot=False), *_left_out(found, received)]

    @staticmethod
    def _money(assets: Iterable[AssetMessage], received: datetime) -> tuple[BalanceNews, ...]:
        wallet = sum((parse_account.asset_amount(asset) for asset in assets), Decimal(0))
        return (BalanceNews(QUOTE_CURRENCY, wallet, None, received),)

    def _note_ending(self, report: OrderReport, message: OrderMessage) -> None:
        """Remember an order that may fill until its last block, or forget it when its end is known."""
        if message.status == parse.BEST_EFFORT_CANCELED and report.status is None:
            last = whole("goodTilBlock", message.goodTilBlock or "0")
            self._ending[message.id] = (last, report)
        elif report.status in (OrderStatus.FILLED, OrderStatus.CANCELLED):
            self._ending.pop(message.id, None)

    def _block(self, contents: msgspec.Raw) -> Iterable[object]:
        message = decoded("block", contents, BlockMessage)
        with reading("block", parse.shown(contents)):
            self._learn_height(message.blockHeight or message.height)
        over = [name for name, (last, _) in self._ending.items() if last < self._height]
        if not over:
            return ()
        reports = [self._ending.pop(name)[1] for name in over]
        return (OrderBatch(tuple(replace(report, status=OrderStatus.CANCELLED) for report in reports)),)

    def _learn_height(self, text: str) -> None:
        if text:
            with reading("height", text):
                self._height = max(self._height, whole("height", text, 2**63))


class OrderOwners:
    """Which of our orders the venue means: by its number in the chain's name, by the indexer's id in fills."""

    def __init__(self, short_ids: ShortIds, capacity: int = REMEMBERED) -> None:
        """Ask `short_ids`, once per order; remember `capacity` of them."""
        self._short_ids, self._capacity = short_ids, capacity
        self._by_id: OrderedDict[str, int] = OrderedDict()
        self._by_number: dict[int, UUID] = {}

    def learn(self, items: list[object]) -> None:
        """Find out whose the orders are that are new to us, in one question for all of them."""
        named = rows("order", items, NamedOrder, lambda row: (row.id, whole("clientId", row.clientId))).read
        fresh = {name: number for name, number in named if number not in self._by_number}
        if not fresh:
            return
        self._by_number |= self._short_ids.ids(list(fresh.values()))
        self._by_id |= fresh
        while len(self._by_id) > self._capacity:
            self._by_number.pop(self._by_id.popitem(last=False)[1], None)

    def of_number(self, number: int) -> UUID | None:
        """Return our id of an order's number."""
        return self._by_number.get(number)

    def of_order(self, venue_order_id: str) -> UUID | None:
        """Return our id of an order by the indexer's."""
        number = self._by_id.get(venue_order_id)
        return None if number is None else self._by_number.get(number)


def user_stream(
    venue: VenueConfig, account: str, handler: UserHandler, tools: Tools, patience: Patience | None = None
) -> MessageStream:
    """Return the stream of one account. Raises Configuration for a bad address, InvalidValue for a bad account."""
    dialect = AccountDialect(account_address(account), handler, tools.short_ids)
    url = endpoints(venue).websocket_url
    return MessageStream(dialect, ReconnectingWebsocket(url, dialect, handler, tools.clock, patience))


def _left_out(found: Rows[T], received: datetime) -> list[object]:
    """Return news of the rows that could not be read, if any."""
    reasons = tuple(map(str, found.unreadable))
    return [Unreadable(reasons, received)] if reasons else []
