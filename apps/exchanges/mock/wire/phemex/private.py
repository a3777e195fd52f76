"""The private channel: account, orders with their fills, and positions of one account, each event in a row of its own.

https://phemex-docs.github.io/#subscribe-account-order-position-aop
"""

from __future__ import annotations

import asyncio
from collections import deque

import orjson

from apps.exchanges.mock.engine.api import Fill, OrderSnapshot, OrderStatus
from apps.exchanges.mock.engine.events import Event, FundingPaid, OrderUpdated, UserFill
from apps.exchanges.mock.wire.phemex import views_account
from apps.exchanges.mock.wire.phemex.account_reads import AccountReads
from apps.exchanges.mock.wire.phemex.channels import ACCOUNT
from apps.exchanges.mock.wire.phemex.order_events import OrderEvents
from apps.exchanges.mock.wire.phemex.venue import Venue
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.topics import TopicLine, Topics

# How much of the past the first message tells.
_CLOSED, _FILLED = 100, 100


class PrivateStream:
    """What accounts are told."""

    def __init__(self, venue: Venue, reads: AccountReads) -> None:
        """Listen to the engine of `venue`."""
        self.topics = Topics()
        self._venue, self._reads = venue, reads
        self._events = OrderEvents(venue)
        self._past: dict[str, tuple[deque[Json], deque[Json]]] = {}
        self._orders: dict[str, list[Json]] = {}
        self._coins: dict[str, dict[str, None]] = {}
        self._touched: dict[str, None] = {}
        self._scheduled = False
        venue.exchange.subscribe(self._on_event)

    def join(self, line: TopicLine) -> None:
        """Subscribe, and send what there is."""
        self.topics.join(line, line.account)
        line.send(ACCOUNT, self._message(line.account, "snapshot", self._snapshot(line.account)))

    def leave(self, line: TopicLine) -> None:
        """Unsubscribe."""
        self.topics.leave(line, line.account)

    def account_changed(self, account: str) -> None:
        """Tell the account's clients about a deposit."""
        self._touched[account] = None
        self._schedule()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderUpdated):
            row = self._events.of_order(event.address, event.order, event.time_ms)
            if row is not None:
                self._keep(event.address, row)
        elif isinstance(event, UserFill):
            self._keep(event.address, self._filled(event.address, event.fill))
            self._coins.setdefault(event.address, {})[event.fill.coin] = None
            self._touched[event.address] = None
        elif isinstance(event, FundingPaid):
            self._coins.setdefault(event.address, {})[event.payment.coin] = None
            self._touched[event.address] = None
            self._schedule()

    def _filled(self, account: str, fill: Fill) -> Json:
        order = self._venue.exchange.order_by_oid(account, fill.oid)
        return self._events.of_fill(account, fill, order, self._reads.facts_of(fill))

    def _keep(self, account: str, row: Json) -> None:
        closed, filled = self._past.setdefault(account, (deque(maxlen=_CLOSED), deque(maxlen=_FILLED)))
        if row["execStatus"] in ("TakerFill", "MakerFill"):
            filled.append(row)
        elif row["ordStatus"] in ("Canceled", "Rejected", "Deactivated"):
            closed.append(row)
        self._orders.setdefault(account, []).append(row)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        orders, self._orders = self._orders, {}
        coins, self._coins = self._coins, {}
        touched, self._touched = self._touched, {}
        for account in {**orders, **touched}:
            if account in self.topics:
                parts = {
                    "accounts_p": [self._account(account)] if account in touched else [],
                    "orders_p": orders.get(account, []),
                    "positions_p": self._positions(account, coins.get(account, {})),
                }
                self.topics.send(account, self._message(account, "incremental", parts), ACCOUNT)

    def _snapshot(self, account: str) -> Json:
        """Return account, positions, live orders, and the newest orders that ended and fills."""
        closed, filled = self._past.get(account, ((), ()))
        live = [
            self._events.standing(account, order)
            for order in self._venue.exchange.open_orders(account)
            if _shown(order)
        ]
        coins = {**dict.fromkeys(self._venue.touched(account)), **dict.fromkeys(self._reads.states(account))}
        return {
            "accounts_p": [self._account(account)],
            "orders_p": [*filled, *closed, *live],
            "positions_p": self._positions(account, coins),
        }

    def _account(self, account: str) -> Json:
        return views_account.streamed_account(self._reads.account_row(account))

    def _positions(self, account: str, coins: dict[str, None]) -> list[Json]:
        states = self._reads.states(account)
        return [
            views_account.streamed_position(
                self._reads.position_row(account, coin, states), states.get(coin), self._venue.now_ns()
            )
            for coin in coins
        ]

    def _message(self, _account: str, kind: str, parts: Json) -> bytes:
        number, now = self._venue.next_sequence(), self._venue.now_ns()
        return orjson.dumps({"sequence": number, "timestamp": now, "type": kind, "version": 0, **parts})


def _shown(order: OrderSnapshot) -> bool:
    return order.status is OrderStatus.OPEN
