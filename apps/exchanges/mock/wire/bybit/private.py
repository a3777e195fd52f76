"""The private stream: orders, executions, positions and the wallet of one account, and the cancel on silence."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import orjson

from apps.exchanges.mock.engine.api import CancelReason, Fill, FundingPayment, OrderSnapshot
from apps.exchanges.mock.engine.events import Event, FundingPaid, OrderUpdated, UserFill
from apps.exchanges.mock.wire.bybit.fields import optional_text, whole
from apps.exchanges.mock.wire.bybit.refusals import PARAMETER, RefusedError
from apps.exchanges.mock.wire.bybit.venue import Venue
from apps.exchanges.mock.wire.bybit.words import CATEGORY
from apps.exchanges.mock.wire.port import Json
from apps.exchanges.mock.wire.topics import TopicLine, Topics
from moondev.domain.clock import monotonic

TOPICS = frozenset({"order", "execution", "position", "wallet"})
DCP_TOPICS = frozenset({"dcp", "dcp.future"})
_SHORTEST_WINDOW, _LONGEST_WINDOW = 3, 300
# Something to tell, and the order as it was at that moment.
Happening = tuple[Fill | FundingPayment, OrderSnapshot | None]
_PRODUCTS = frozenset({"OPTIONS", "DERIVATIVES", "SPOT"})


class PrivateStream:
    """What accounts are told. Topics are kept as "account topic"."""

    def __init__(self, venue: Venue) -> None:
        """Listen to the engine of `venue`."""
        self.topics = Topics()
        self._venue = venue
        self._orders: dict[str, dict[int, None]] = {}
        self._executions: dict[str, list[Happening]] = {}
        self._coins: dict[str, dict[str, None]] = {}
        self._touched: dict[str, None] = {}
        self._scheduled = False
        self._deadlines: dict[str, float] = {}
        venue.exchange.subscribe(self._on_event)

    def known(self, topic: str) -> bool:
        """Return whether there is such a topic; a category may be named after a dot."""
        return topic in DCP_TOPICS or topic.removesuffix(f".{CATEGORY}") in TOPICS

    def join(self, line: TopicLine, topic: str) -> None:
        """Subscribe; being back in time keeps the orders."""
        self.topics.join(line, f"{line.account} {topic}")
        if topic in DCP_TOPICS:
            self._deadlines.pop(line.account, None)

    def leave(self, line: TopicLine, topic: str) -> None:
        """Unsubscribe."""
        self.topics.leave(line, f"{line.account} {topic}")

    def forget(self, line: TopicLine) -> None:
        """Drop a client that is gone; with the last DCP subscription of an account that has a window the clock starts.

        The venue's cancel on silence is bound to this connection: it is no timer that requests could refresh.
        """
        followed = [topic for topic in DCP_TOPICS if f"{line.account} {topic}" in line.topics]
        self.topics.forget(line)
        window = self._venue.silence_windows.get(line.account)
        if window and followed and not any(f"{line.account} {topic}" in self.topics for topic in DCP_TOPICS):
            self._deadlines[line.account] = monotonic() + window

    def set_window(self, account: str, fields: Json) -> Json:
        """Set after how many seconds of silence the account's orders are cancelled."""
        product = optional_text(fields, "product") or "OPTIONS"
        if product not in _PRODUCTS:
            raise RefusedError(PARAMETER, "product invalid")
        seconds = whole(fields, "timeWindow", 0)
        if not _SHORTEST_WINDOW <= seconds <= _LONGEST_WINDOW:
            raise RefusedError(PARAMETER, f"timeWindow must be {_SHORTEST_WINDOW} to {_LONGEST_WINDOW}")
        if product == "DERIVATIVES":
            self._venue.silence_windows[account] = seconds
        return {}

    def cancel_silent(self, now: float) -> None:
        """Cancel the orders of who stayed away for longer than its window; `now` in monotonic seconds."""
        for account in [account for account, deadline in self._deadlines.items() if now >= deadline]:
            del self._deadlines[account]
            self._venue.exchange.cancel_all(account, reason=CancelReason.SCHEDULED)

    def account_changed(self, account: str) -> None:
        """Tell the account's clients about a deposit."""
        self._touch(account)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderUpdated):
            self._orders.setdefault(event.address, {})[event.order.oid] = None
            self._schedule()
        elif isinstance(event, UserFill):
            order = self._venue.exchange.order_by_oid(event.address, event.fill.oid)
            self._executions.setdefault(event.address, []).append((event.fill, order))
            self._coins.setdefault(event.address, {})[event.fill.coin] = None
            self._touch(event.address)
        elif isinstance(event, FundingPaid):
            self._executions.setdefault(event.address, []).append((event.payment, None))
            self._coins.setdefault(event.address, {})[event.payment.coin] = None
            self._touch(event.address)

    def _touch(self, account: str) -> None:
        self._touched[account] = None
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Tell executions first, as the venue does most of the time, then orders, positions and wallets."""
        self._scheduled = False
        orders, self._orders = self._orders, {}
        executions, self._executions = self._executions, {}
        coins, self._coins = self._coins, {}
        touched, self._touched = self._touched, {}
        for account, happenings in executions.items():
            self._tell(account, "execution", [self._execution(item, order) for item, order in happenings])
        for account, oids in orders.items():
            if self._followed(account, "order"):
                self._tell(account, "order", [row for oid in oids if (row := self._order(account, oid)) is not None])
        for account, names in coins.items():
            rows = [{"category": CATEGORY, **self._position(account, coin)} for coin in names]
            self._tell(account, "position", rows)
        for account in touched:
            if self._followed(account, "wallet"):
                self._tell(account, "wallet", [self._venue.wallet_row(account)])

    def _execution(self, item: Fill | FundingPayment, order: OrderSnapshot | None) -> Json:
        row = self._venue.fill_row(item, order) if isinstance(item, Fill) else self._venue.funding_row(item)
        return {"category": CATEGORY, **row}

    def _order(self, account: str, oid: int) -> Json | None:
        order = self._venue.exchange.order_by_oid(account, oid)
        return None if order is None else {"category": CATEGORY, **self._venue.order_row(order)}

    def _position(self, account: str, coin: str) -> Json:
        row = self._venue.position_row(account, coin)
        # The stream has other words for two of its fields.
        row["entryPrice"], row["mmrSysUpdatedTime"] = row.pop("avgPrice"), row.pop("mmrSysUpdateTime")
        return row

    def _followed(self, account: str, topic: str) -> bool:
        return f"{account} {topic}" in self.topics or f"{account} {topic}.{CATEGORY}" in self.topics

    def _tell(self, account: str, topic: str, rows: list[Json]) -> None:
        if not rows:
            return
        for name in (topic, f"{topic}.{CATEGORY}"):
            if f"{account} {name}" in self.topics:
                message = {"id": uuid4().hex, "topic": name, "creationTime": self._venue.now_ms(), "data": rows}
                self.topics.send(f"{account} {name}", orjson.dumps(message), topic)
