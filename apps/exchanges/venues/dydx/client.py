"""One dYdX account as its own signer: the `ExecutionClient` of this venue.

A node's "code 0" means that it has the transaction, not that a block will: reports of sent orders have no status, and
`order_status` tells what became of them. https://docs.dydx.xyz/concepts/trading/orders
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import (
    CANNOT_BE_NAMED,
    AccountSnapshot,
    Amendment,
    Credentials,
    FundingPayment,
    Listing,
    LiveOrder,
    MarginMode,
    ReportSource,
    RestingOrder,
    VenueConfig,
)
from apps.exchanges.throttling import Lane, lane_of
from apps.exchanges.venues.dydx import orders as chain
from apps.exchanges.venues.dydx import parse, parse_account, parse_market
from apps.exchanges.venues.dydx.config import (
    CAPABILITIES,
    MAX_BATCH,
    SHORT_TERM,
    STATEFUL,
    STATEFUL_BLOCK,
    SUBACCOUNT,
    endpoints,
)
from apps.exchanges.venues.dydx.heights import Heights
from apps.exchanges.venues.dydx.history import ROWS_PER_PAGE, read_all
from apps.exchanges.venues.dydx.judging import TransactionRefused, Unknown
from apps.exchanges.venues.dydx.keys import account_address
from apps.exchanges.venues.dydx.markets import Market
from apps.exchanges.venues.dydx.names import FLAGS, ChainName, KnownNames, Sent
from apps.exchanges.venues.dydx.names import SHORT_TERM as MEMORY_ONLY
from apps.exchanges.venues.dydx.rest import Rest, before_sending
from apps.exchanges.venues.dydx.statuses import Statuses
from apps.exchanges.venues.rows import Rows, UnreadableRows
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import InvalidValue, Invariant
from moondev.domain.fills import FillReport
from moondev.domain.orders import CancelOrder, OrderReport, OrderStatus, PlaceOrder

T = TypeVar("T")

ACKNOWLEDGED = "taken by the node; the indexer will tell what became of it"
NO_ORDER = "no live order is known under this name"
_OPEN = "OPEN,UNTRIGGERED,BEST_EFFORT_OPENED"
# The module of the chain that knows orders; refusals of any other are about the transaction.
_CLOB = "clob:"
# An order of this name is there already, or was: the same order, sent before.
_THERE_ALREADY = frozenset({"clob:9", "clob:20", "clob:24", "clob:30", "clob:3005"})


class DydxClient:
    """Places and cancels orders, one a transaction, and asks what became of them. See `ExecutionClient`."""

    def __init__(self, venue: VenueConfig, credentials: Credentials, tools: Tools) -> None:
        """Prepare without touching the network. Raises Configuration for bad addresses or keys."""
        where = endpoints(venue)
        self._venue_code = venue.code
        self._address = account_address(credentials.account_address)
        self._signer = chain.TransactionSigner(credentials.signer_key, where.chain)
        self._clock, self._throttle, self._short_ids = tools.clock, tools.throttle, tools.short_ids
        self._rest = Rest(where, tools.clock, tools.throttle)
        self._heights = Heights(self._rest.height, tools.clock)
        self._markets: dict[str, Market] = {}
        self._account_number: int | None = None
        self._names = KnownNames()
        self._statuses = Statuses(self._rest, tools.clock)
        self._unreadable = UnreadableRows()

    def __repr__(self) -> str:
        return f"DydxClient({self._venue_code}, {self._address}, signer {self._signer.address})"

    @property
    def max_batch(self) -> int:
        """Return how many orders fit one transaction."""
        return MAX_BATCH

    @property
    def signer_address(self) -> str:
        """Return the address of the key that signs: the account's own."""
        return self._signer.address

    def place(self, orders: Sequence[RiskApproved[PlaceOrder]], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Send one order as one transaction. Its report has no status, unless the node refused it."""
        if not _one([order.request for order in orders]):
            return []
        order = orders[0].request
        CAPABILITIES.require_order(order)
        with before_sending():
            market = self._market(order.instrument)
            moment, number = self._heights.exact(), self._number_on_chain()
        # Stored before it is used: whatever happens from here on, the order can be found by it.
        drawn = self._short_ids.numbers([order.client_order_id])[order.client_order_id]
        name = ChainName(self._address, drawn, chain.flags_of(order), market.pair)
        wanted = chain.place(order, name, market, moment, expires_at)
        transaction = self._signer.signed(wanted, number, nonce)
        self._throttle.spend(_cost(name), lane_of([order.reduce_only]))
        self._names.note(Sent(name, wanted.order_ends))
        try:
            self._rest.broadcast(transaction)
        except TransactionRefused as refusal:
            return [self._refused(order.client_order_id, name, refusal)]
        return [self._said(order.client_order_id, name.venue_order_id, ACKNOWLEDGED)]

    def amend(self, amendments: Sequence[Amendment], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Refuse: the chain replaces an order in a way that cannot be told from placing it twice."""
        del nonce, expires_at
        if not amendments:
            return []
        raise InvalidValue("amend", len(amendments), "nothing at dYdX: cancel, confirm, and place again")

    def cancel(self, orders: Sequence[CancelOrder], nonce: int) -> list[OrderReport]:
        """Cancel one order by client order id. Its report has no status: the node's word is no promise."""
        if not _one(orders):
            return []
        wanted = orders[0].client_order_id
        drawn = self._short_ids.known([wanted]).get(wanted)
        name = None if drawn is None else self._live_name(drawn)
        return [self._cancel(wanted, name, "", nonce)]

    def cancel_resting(self, orders: Sequence[LiveOrder], nonce: int) -> list[OrderReport]:
        """Cancel one order by venue order id; needs no numbers of ours."""
        if not _one(orders):
            return []
        order = orders[0]
        if not order.venue_order_id:
            return [self._said(order.client_order_id, "?", CANNOT_BE_NAMED)]
        return [self._cancel(order.client_order_id, self._called(order.venue_order_id), order.venue_order_id, nonce)]

    def order_status(self, client_order_id: UUID, instrument: str = "") -> OrderReport | None:
        """Return what the indexer knows of an order; None when it does not, which before its expiry proves nothing.

        Raises Connectivity instead of None while the indexer is behind the chain.
        """
        drawn = self._short_ids.known([client_order_id]).get(client_order_id)
        if drawn is None:
            # Nothing was ever sent under this name. Only: a venue that is away must not look like one that says no.
            self._rest.indexed_height(Lane.RESERVED)
            return None
        sent = self._names.numbered(drawn)
        # Of an order this process has not seen, no last block is known either.
        possible = [Sent(name) for name in self._possible_names(drawn, instrument)] if sent is None else [sent]
        answers = (self._statuses.of(one, client_order_id) for one in possible)
        found = next((answer for answer in answers if answer is not None), None)
        if found is None:
            self._statuses.require_current()
        return found

    def open_orders(self) -> list[RestingOrder]:
        """Return every live order of the account that can be read, triggers included, whoever placed it."""
        return [order for order in self.live_orders() if isinstance(order, RestingOrder)]

    def live_orders(self) -> list[LiveOrder]:
        """Return every live order of the account, by name only where the rest cannot be read."""
        asked = {**self._mine, "status": _OPEN, "limit": ROWS_PER_PAGE}
        answer = self._rest.indexer("indexerGetOrders", asked, Lane.RESERVED)
        named = parse.named_orders(answer, self._address)
        self._names.note(*named.read)
        ids = self._short_ids.ids([sent.name.number for sent in named.read])
        resting, unread = parse.open_orders(answer, ids.get)
        if resting.count >= ROWS_PER_PAGE:
            raise Invariant(f"{resting.count} live orders and perhaps more: the indexer tells of no further ones")
        return [*self._noted(resting).read, *unread]

    def take_unreadable(self) -> list[str]:
        """Return, once, which rows could not be read since the last call."""
        return self._unreadable.take()

    def fills(self, since: datetime) -> list[FillReport]:
        """Return every fill at or after `since`, oldest first."""
        return read_all(since, self._fills_page, lambda fill: fill.venue_trade_id)

    def funding(self, since: datetime) -> list[FundingPayment]:
        """Return every funding payment at or after `since`, oldest first."""
        return read_all(since, self._funding_page, lambda payment: payment.payment_id)

    def account_snapshot(self) -> AccountSnapshot:
        """Return equity, margin and positions as the indexer sees them now."""
        if not self._markets:
            self.instruments()
        asked = {"address": self._address, "subaccountNumber": SUBACCOUNT}
        answer = self._rest.indexer("indexerGetAddressesAddressSubaccountNumberSubaccountNumber", asked, Lane.RESERVED)
        leverage = {symbol: market.leverage for symbol, market in self._markets.items()}
        return parse_account.account_snapshot(answer, leverage, self._clock.now())

    def instruments(self) -> list[Listing]:
        """Return the markets that trade now, with their rules, freshly read."""
        answer = self._rest.indexer("indexerGetPerpetualMarkets", {}, Lane.RESERVED)
        found = self._noted(parse_market.markets(answer, self._venue_code)).read
        self._markets = {market.listing.instrument.symbol: market for market in found}
        return [market.listing for market in found]

    def set_leverage(self, instrument: str, leverage: int, margin_mode: MarginMode, nonce: int) -> None:
        """Refuse: margin follows from the position, and there is nothing to set."""
        del instrument, margin_mode, nonce
        CAPABILITIES.require_leverage(leverage)

    def schedule_cancel(self, at: datetime | None, nonce: int) -> None:
        """Refuse: the chain has no such timer; what is short-term lapses with its block."""
        del nonce
        raise InvalidValue("schedule_cancel", at, "nothing: dYdX has no timer, orders lapse by their own deadlines")

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()

    @property
    def _mine(self) -> dict[str, object]:
        return {"address": self._address, "subaccountNumber": SUBACCOUNT}

    def _cancel(self, client_id: UUID | None, name: ChainName | None, venue_id: str, nonce: int) -> OrderReport:
        if name is None:
            return self._said(client_id, venue_id or None, NO_ORDER)
        with before_sending():
            number = self._number_on_chain()
            # For orders in the chain's state the height does not matter, for the others not by a block or two.
            moment = self._heights.reckoned() if name.flags == MEMORY_ONLY else chain.Moment(0, self._clock.now())
        transaction = self._signer.signed(chain.cancel(name, moment), number, nonce)
        if name.flags == MEMORY_ONLY:
            self._throttle.spend({SHORT_TERM: 1}, Lane.RESERVED)
        try:
            self._rest.broadcast(transaction)
        except TransactionRefused as refusal:
            if not refusal.code.startswith(_CLOB):
                raise
            # Never placed, gone already, or not to be cancelled so: only the order itself can say which.
            return self._said(client_id, name.venue_order_id, str(refusal))
        self._statuses.cancel_sent(name.venue_order_id)
        return self._said(client_id, name.venue_order_id, ACKNOWLEDGED)

    def _refused(self, client_id: UUID, name: ChainName, refusal: TransactionRefused) -> OrderReport:
        if not refusal.code.startswith(_CLOB):
            # The transaction itself was no good: a key, a nonce, a chain. Nothing of this kind is about the order.
            raise refusal
        if refusal.code in _THERE_ALREADY:
            return self._said(client_id, name.venue_order_id, str(refusal))
        return replace(self._said(client_id, name.venue_order_id, str(refusal)), status=OrderStatus.REJECTED)

    def _said(self, client_id: UUID | None, venue_id: str | None, reason: str) -> OrderReport:
        return OrderReport(ReportSource.SEND, client_id, venue_id, None, None, self._clock.now(), reason=reason)

    def _live_name(self, drawn: int) -> ChainName | None:
        """Return the name of an order of ours; what this process does not know, one look at the live ones tells."""
        if self._names.numbered(drawn) is None:
            self.live_orders()
        sent = self._names.numbered(drawn)
        return None if sent is None else sent.name

    def _called(self, venue_order_id: str) -> ChainName | None:
        """Return the name of an order by the indexer's id of it; None when the indexer does not know it either."""
        sent = self._names.called(venue_order_id)
        if sent is None:
            with before_sending():
                try:
                    answer = self._rest.indexer("indexerGetOrdersOrderId", {"orderId": venue_order_id}, Lane.RESERVED)
                except Unknown:
                    return None
                sent = parse.named_order(answer, self._address)
            self._names.note(sent)
        return sent.name

    def _possible_names(self, drawn: int, instrument: str) -> list[ChainName]:
        """Return the names an order of this number can have: it may have been of any of three kinds."""
        pair = self._market(instrument).pair
        return [ChainName(self._address, drawn, flags, pair) for flags in FLAGS]

    def _fills_page(self, number: int) -> Rows[FillReport]:
        answer = self._rest.indexer("indexerGetFills", {**self._mine, "limit": ROWS_PER_PAGE, "page": number})
        return self._noted(parse.fills(answer, self._whose, self._clock.now()))

    def _funding_page(self, number: int) -> Rows[FundingPayment]:
        answer = self._rest.indexer("indexerGetFundingPayments", {**self._mine, "limit": ROWS_PER_PAGE, "page": number})
        return self._noted(parse_account.funding_payments(answer, self._clock.now()))

    def _whose(self, venue_order_id: str) -> UUID | None:
        sent = self._names.called(venue_order_id)
        return None if sent is None else self._short_ids.ids([sent.name.number]).get(sent.name.number)

    def _noted(self, page: Rows[T]) -> Rows[T]:
        self._unreadable.note(page.unreadable)
        return page

    def _number_on_chain(self) -> int:
        if self._account_number is None:
            self._account_number = self._rest.account_number(self._address)
        return self._account_number

    def _market(self, instrument: str) -> Market:
        code, _, symbol = instrument.partition(":")
        if code == self._venue_code and symbol not in self._markets:
            self.instruments()
        market = self._markets.get(symbol) if code == self._venue_code else None
        if market is None:
            raise InvalidValue("instrument", instrument, f"an instrument that {self._venue_code} lists")
        return market


def _one(requests: Sequence[object]) -> bool:
    """Return whether there is anything to do. Raises InvalidValue when there is more than a transaction carries."""
    if len(requests) > MAX_BATCH:
        raise InvalidValue("orders", len(requests), f"at most {MAX_BATCH} in one request")
    return bool(requests)


def _cost(name: ChainName) -> dict[str, int]:
    return {SHORT_TERM: 1} if name.flags == MEMORY_ONLY else {STATEFUL: 1, STATEFUL_BLOCK: 1}
