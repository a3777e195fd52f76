"""What can be asked about one account: its orders, executions and worth, on as many pages as the venue has of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.exchanges.ports import AccountSnapshot, FundingPayment, ReportSource
from apps.exchanges.throttling import Lane
from apps.exchanges.venues.bybit import parse, parse_account
from apps.exchanges.venues.bybit.config import CATEGORY, QUOTE_CURRENCY
from apps.exchanges.venues.bybit.messages import Wallet
from apps.exchanges.venues.bybit.parse import Seen
from apps.exchanges.venues.bybit.rest import Rest
from apps.exchanges.venues.rows import UnreadableRows
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.errors import Connectivity, Invariant
from moondev.domain.fills import FillReport
from moondev.domain.orders import OrderReport

# The venue tells executions of at most seven days at once, of the last two years, and no more rows than these.
# https://bybit-exchange.github.io/docs/v5/order/execution
SPAN = timedelta(days=7)
MEMORY = timedelta(days=730)
EXECUTIONS_PER_PAGE, ORDERS_PER_PAGE, POSITIONS_PER_PAGE = 100, 50, 200
MAX_PAGES = 1_000
# How often the worth of an account is asked for while fills come between the questions.
TRIES = 4
# The venue's clock is another one: what happened this moment may have a stamp that has not come here yet.
_AHEAD = timedelta(seconds=5)

Query = Mapping[str, object]
_OURS: Query = {"category": CATEGORY, "settleCoin": QUOTE_CURRENCY}


class Questions:
    """Asks about one account."""

    def __init__(self, rest: Rest, clock: Clock, unreadable: UnreadableRows) -> None:
        """Ask through `rest`; rows that cannot be read are noted."""
        self._rest, self._clock, self._unreadable = rest, clock, unreadable

    def order_status(self, name: UUID) -> OrderReport | None:
        """Return what the venue knows of an order: among those of late, then among all. None: never heard of it."""
        query = {**_OURS, "orderLinkId": str(name)}
        for path in ("order/realtime", "order/history"):
            rows, _ = parse.page("order", self._rest.ask(path, query, Lane.RESERVED))
            found = parse.order_reports(rows, ReportSource.RECONCILE, self._clock.now())
            if found.unreadable:
                raise found.unreadable[0]
            if found.read:
                return found.read[0]
        return None

    def look_up(self, names: Sequence[UUID], lane: Lane) -> dict[str, Seen]:
        """Return what the venue shows now of some orders that were live a moment ago, by client order id."""
        if not names:
            return {}
        if len(names) == 1:
            query = {**_OURS, "orderLinkId": str(names[0])}
            return parse.seen(self._orders(query, lane), self._clock.now())
        wanted, found = set(map(str, names)), dict[str, Seen]()
        # New orders come first among the live ones, and those that have ended since first among the ended.
        for which in (0, 1):
            query = {**_OURS, "openOnly": which, "limit": ORDERS_PER_PAGE}
            found |= parse.seen(self._orders(query, lane), self._clock.now())
            if wanted <= set(found):
                break
        return found

    def open_rows(self) -> list[Any]:
        """Return the rows of all live orders, those that wait for a trigger included."""
        query = {**_OURS, "limit": ORDERS_PER_PAGE}
        return list(self._pages("open orders", "order/realtime", query, Lane.RESERVED))

    def fills(self, since: datetime) -> list[FillReport]:
        """Return every fill at or after `since`, oldest first, each once."""
        found = [item for item in self._executions(since, {}) if isinstance(item, FillReport)]
        fills = {fill.venue_trade_id: fill for fill in found if fill.time_exchange >= since}
        return sorted(fills.values(), key=lambda fill: fill.time_exchange)

    def funding(self, since: datetime) -> list[FundingPayment]:
        """Return every funding payment at or after `since`, oldest first, each once."""
        found = self._executions(since, {"execType": parse.FUNDING})
        payments = {item.payment_id: item for item in found if isinstance(item, FundingPayment)}
        wanted = [payment for payment in payments.values() if payment.time_exchange >= since]
        return sorted(wanted, key=lambda payment: payment.time_exchange)

    def account(self) -> AccountSnapshot:
        """Return the account: its wallet, and its positions at their marks.

        The two are asked for one after the other. Fees, funding and realised profit change the wallet, so one that is
        the same before and after belongs to the positions told in between; a fill without any of them changes neither
        the wallet nor, at the moment it happens, what wallet and positions come to.
        """
        before, _ = self._wallet()
        for _ in range(TRIES):
            query = {**_OURS, "limit": POSITIONS_PER_PAGE}
            held = parse_account.positions(list(self._pages("positions", "position/list", query, Lane.RESERVED)))
            after, at = self._wallet()
            if parse_account.quote_balance(before).walletBalance == parse_account.quote_balance(after).walletBalance:
                return parse_account.account_snapshot(after, held, at, self._clock.now())
            before = after
        raise Connectivity(f"the account did not stand still for {TRIES} questions")

    def _wallet(self) -> tuple[Wallet, datetime | None]:
        query = {"accountType": "UNIFIED", "coin": QUOTE_CURRENCY}
        return parse_account.wallet("wallet", self._rest.ask("account/wallet-balance", query, Lane.RESERVED))

    def _orders(self, query: Query, lane: Lane) -> list[Any]:
        return parse.page("orders", self._rest.ask("order/realtime", query, lane))[0]

    def _executions(self, since: datetime, query: Query) -> Iterator[FillReport | FundingPayment]:
        end = self._rest.clock.now() + _AHEAD
        start = max(since, end - MEMORY)
        while start < end:
            until = min(start + SPAN, end)
            span = {
                "category": CATEGORY,
                "startTime": milliseconds(start),
                "endTime": milliseconds(until),
                "limit": EXECUTIONS_PER_PAGE,
            }
            rows = list(self._pages("executions", "execution/list", span | dict(query), Lane.RESERVED))
            found = parse.executions(rows, self._clock.now())
            self._unreadable.note(found.unreadable)
            yield from found.read
            start = until

    def _pages(self, what: str, path: str, query: Query, lane: Lane) -> Iterator[Any]:
        """Yield the rows of all pages. Raises Invariant after MAX_PAGES: rows would be lost without a word."""
        cursor = ""
        for _ in range(MAX_PAGES):
            text = self._rest.ask(path, {**query, "cursor": cursor} if cursor else query, lane)
            rows, following = parse.page(what, text)
            yield from rows
            # The last page may name a next one, which is empty.
            if not rows or following in {"", cursor}:
                return
            cursor = following
        raise Invariant(f"more than {MAX_PAGES} pages of {what}")
