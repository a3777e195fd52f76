"""One Phemex account with one API key: the `ExecutionClient` of this venue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import count
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
    RestingOrder,
    VenueConfig,
)
from apps.exchanges.throttling import Lane, lane_of
from apps.exchanges.venues.ccxt_generic.credentials import read_api_key
from apps.exchanges.venues.phemex import answers, parse, requests
from apps.exchanges.venues.phemex.config import CONTRACT, MAX_BATCH, OTHERS, QUOTE_CURRENCY, endpoints
from apps.exchanges.venues.phemex.listed import Listed
from apps.exchanges.venues.phemex.rest import PhemexRest
from apps.exchanges.venues.rows import Rows, UnreadableRows
from moondev.domain.clock import milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import InvalidValue, VenueRejected
from moondev.domain.fills import FillReport
from moondev.domain.orders import CancelOrder, OrderReport, PlaceOrder

T = TypeVar("T")

# "Cannot find order": also what the venue says instead of an empty list.
ORDER_NOT_FOUND = "10002"
_PAGE = 200
_MONEY = {"currency": QUOTE_CURRENCY}


class PhemexClient:
    """Places, changes and cancels orders, and asks what became of them. See `ExecutionClient`.

    Nonces are not used: the venue has none.
    """

    def __init__(self, venue: VenueConfig, credentials: Credentials, tools: Tools) -> None:
        """Prepare without touching the network. Raises Configuration for bad addresses or keys."""
        self._venue_code, self._clock = venue.code, tools.clock
        self._key = read_api_key(credentials.signer_key)
        self._rest = PhemexRest(endpoints(venue), tools.clock, tools.throttle, self._key)
        self._unreadable = UnreadableRows()
        self._listed = Listed(venue.code, self._rest, self._unreadable)
        # Symbols we sent something for: the venue lists orders symbol by symbol.
        self._dealt: dict[str, None] = {}

    def __repr__(self) -> str:
        return f"PhemexClient({self._venue_code}, key {self._key.key})"

    @property
    def max_batch(self) -> int:
        """Return how many orders fit one signed request."""
        return MAX_BATCH

    @property
    def signer_address(self) -> str:
        """Return the public name of the API key."""
        return self._key.key

    # writes
    def place(self, orders: Sequence[RiskApproved[PlaceOrder]], nonce: int, expires_at: datetime) -> list[OrderReport]:  # noqa: ARG002 - no nonces here
        """Send one new order; return its report."""
        requested = _batch([order.request for order in orders])
        return [self._placed(order, expires_at) for order in requested]

    def amend(self, amendments: Sequence[Amendment], nonce: int, expires_at: datetime) -> list[OrderReport]:  # noqa: ARG002 - no nonces here
        """Change one resting order in place; return its report."""
        return [self._amended(amendment, expires_at) for amendment in _batch(amendments)]

    def cancel(self, orders: Sequence[CancelOrder], nonce: int) -> list[OrderReport]:  # noqa: ARG002 - no nonces here
        """Cancel one order by client order id; return its report."""
        return [self._cancelled(self._named(order.instrument), order.client_order_id, "") for order in _batch(orders)]

    def cancel_resting(self, orders: Sequence[LiveOrder], nonce: int) -> list[OrderReport]:  # noqa: ARG002 - no nonces here
        """Cancel one order by the venue's id; return its report."""
        return [self._cancelled(order.symbol, order.client_order_id, order.venue_order_id) for order in _batch(orders)]

    def set_leverage(self, instrument: str, leverage: int, margin_mode: MarginMode, nonce: int) -> None:  # noqa: ARG002 - no nonces here
        """Set the account's leverage for one instrument. Raises VenueRejected when it may not be."""
        symbol = self._symbol(instrument)
        # Below zero means cross margin.
        sign = "-" if margin_mode is MarginMode.CROSS else ""
        fields = {"symbol": symbol, "leverageRr": f"{sign}{leverage}"}
        self._rest.signed("privatePutGPositionsLeverage", fields, CONTRACT)
        self._dealt[symbol] = None

    def schedule_cancel(self, at: datetime | None, nonce: int) -> None:  # noqa: ARG002 - no nonces here
        """Refuse: the venue has no cancel on silence. Raises InvalidValue."""
        raise InvalidValue("schedule_cancel", at, "nothing: Phemex cancels no orders by itself")

    # questions
    def order_status(self, client_order_id: UUID, instrument: str = "") -> OrderReport | None:
        """Return what the venue knows of an order; None when it never heard of it.

        Live orders are asked for first, because the history is kept by another service, which may lag behind. Without
        an `instrument` every symbol the account has dealt in is asked about.
        """
        symbols = [self._named(instrument)] if instrument else self._symbols_dealt_in()
        for symbol in filter(None, symbols):
            found = self._status_in(symbol, client_order_id)
            if found is not None:
                return found
        return None

    def open_orders(self) -> list[RestingOrder]:
        """Return every live order of the account that can be read, triggers included, whoever placed it."""
        return [order for order in self.live_orders() if isinstance(order, RestingOrder)]

    def live_orders(self) -> list[LiveOrder]:
        """Return every live order of the account, by name only where the rest cannot be read.

        The venue lists them by symbol, so every symbol is asked that the account has a position row for.
        """
        found: list[LiveOrder] = []
        for symbol in self._symbols_dealt_in():
            text = self._active(symbol)
            if text is not None:
                resting, unread = parse.open_orders(text)
                found += [*self._noted(resting).read, *unread]
        return found

    def take_unreadable(self) -> list[str]:
        """Return, once, which rows could not be read since the last call."""
        return self._unreadable.take()

    def fills(self, since: datetime) -> list[FillReport]:
        """Return every fill at or after `since`, oldest first.

        Asked of the history that names executions in full: the shorter list of trades cuts their names to seven letters
        and does not say whose order they were.
        """
        found: dict[str, FillReport] = {}
        for offset in count(0, _PAGE):
            text = self._rest.signed(
                "privateGetApiDataGFuturesTrades",
                {**_MONEY, "start": milliseconds(since), "offset": offset, "limit": _PAGE},
                OTHERS,
                Lane.RESERVED,
            )
            page = self._noted(parse.fills(text, self._clock.now()))
            # Newest first; what happens while we turn pages moves rows to the next one, where they are met again.
            new = {fill.venue_trade_id: fill for fill in page.read if fill.venue_trade_id not in found}
            found |= new
            # A venue that tells the same page for ever must not keep us for ever.
            if parse.count(text) < _PAGE or not new:
                break
        oldest_first = list(found.values())[::-1]
        return sorted(oldest_first, key=lambda fill: fill.time_exchange)

    def funding(self, since: datetime) -> list[FundingPayment]:
        """Return every funding payment at or after `since`, oldest first; asked symbol by symbol, newest first."""
        found = [payment for symbol in self._symbols_dealt_in() for payment in self._funding_of(symbol, since)]
        return sorted(found, key=lambda payment: payment.time_exchange)

    def account_snapshot(self) -> AccountSnapshot:
        """Return equity, margin and positions as the venue sees them now."""
        return parse.account_snapshot(self._account(Lane.ORDINARY), self._clock.now())

    def instruments(self) -> list[Listing]:
        """Return what the venue lists now, with its rules, freshly read."""
        return self._listed.refresh()

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()

    def _placed(self, order: PlaceOrder, expires_at: datetime) -> OrderReport:
        symbol = self._symbol(order.instrument)
        fields, lane = requests.place(order, symbol), lane_of([order.reduce_only])
        self._dealt[symbol] = None
        try:
            text = self._rest.signed("privatePostGOrders", fields, CONTRACT, lane, expires_at)
        except VenueRejected as refusal:
            return answers.refused(order.client_order_id, _about_orders(refusal), self._clock.now())
        return answers.placed(order.client_order_id, text, self._clock.now())

    def _amended(self, amendment: Amendment, expires_at: datetime) -> OrderReport:
        order = amendment.approved.request
        fields, lane = requests.amend(amendment, self._symbol(order.instrument)), lane_of([amendment.reduce_only])
        try:
            text = self._rest.signed("privatePutGOrdersReplace", fields, CONTRACT, lane, expires_at)
        except VenueRejected as refusal:
            return answers.open_question(order.client_order_id, "", _about_orders(refusal), self._clock.now())
        return answers.amended(order.client_order_id, text, self._clock.now())

    def _cancelled(self, symbol: str, client_order_id: UUID | None, order_id: str) -> OrderReport:
        if not symbol or not (client_order_id or order_id):
            # An order whose row was odd in just this place: no request can name it, and the next one could not either.
            return answers.report(client_order_id, None, self._clock.now(), reason=CANNOT_BE_NAMED, order_id=order_id)
        name = "" if order_id else str(client_order_id)
        fields = requests.cancel(symbol, client_order_id=name, order_id=order_id)
        try:
            text = self._rest.signed("privateDeleteGOrdersCancel", fields, CONTRACT, Lane.RESERVED)
        except VenueRejected as refusal:
            return answers.open_question(client_order_id, order_id, _about_orders(refusal), self._clock.now())
        return answers.cancelled(client_order_id, order_id, text, self._clock.now())

    def _status_in(self, symbol: str, client_order_id: UUID) -> OrderReport | None:
        text = self._active(symbol)
        live = None if text is None else parse.live_report(text, client_order_id, self._clock.now())
        if live is not None:
            return live
        fields = {"symbol": symbol, "clOrdID": str(client_order_id)}
        try:
            text = self._rest.signed("privateGetApiDataGFuturesOrdersByOrderId", fields, OTHERS, Lane.RESERVED)
        except VenueRejected as refusal:
            if refusal.code != ORDER_NOT_FOUND:
                raise
            return None
        return parse.past_report(text, client_order_id, self._clock.now())

    def _active(self, symbol: str) -> str | None:
        """Return the live orders of a symbol; None when the venue says that there are none, which it calls an error."""
        try:
            return self._rest.signed("privateGetGOrdersActiveList", {"symbol": symbol}, CONTRACT, Lane.RESERVED)
        except VenueRejected as refusal:
            if refusal.code != ORDER_NOT_FOUND:
                raise
            return None

    def _funding_of(self, symbol: str, since: datetime) -> list[FundingPayment]:
        found: dict[str, FundingPayment] = {}
        for offset in count(0, _PAGE):
            fields = {"symbol": symbol, "offset": offset, "limit": _PAGE}
            text = self._rest.signed("privateGetApiDataGFuturesFundingFees", fields, OTHERS)
            page = self._noted(parse.funding(text, self._clock.now()))
            new = {one.payment_id: one for one in page.read if one.payment_id not in found}
            found |= new
            if page.count < _PAGE or not new or any(one.time_exchange < since for one in page.read):
                break
        return [one for one in found.values() if one.time_exchange >= since]

    def _symbols_dealt_in(self) -> list[str]:
        """Return every symbol that may have orders or payments of the account."""
        told = parse.touched_symbols(self._account(Lane.RESERVED))
        return list({**dict.fromkeys(told), **self._dealt})

    def _account(self, lane: Lane) -> str:
        return self._rest.signed("privateGetGAccountsAccountPositions", _MONEY, CONTRACT, lane)

    def _symbol(self, instrument: str) -> str:
        """Return the venue's name of an instrument that it lists."""
        return self._listed.symbol(instrument)

    def _named(self, instrument: str) -> str:
        """Return the venue's name of an instrument, listed or not; empty when it is another venue's.

        No list is asked: what was placed can be cancelled and asked for even when nobody lists it any more.
        """
        prefix = f"{self._venue_code}:"
        return instrument.removeprefix(prefix) if instrument.startswith(prefix) else ""

    def _noted(self, page: Rows[T]) -> Rows[T]:
        self._unreadable.note(page.unreadable)
        return page


def _batch(requested: Sequence[T]) -> list[T]:
    if len(requested) > MAX_BATCH:
        raise InvalidValue("orders", len(requested), f"at most {MAX_BATCH} in one request")
    return list(requested)


def _about_orders(refusal: VenueRejected) -> VenueRejected:
    """Return a refusal that is about the order; raise one that is about who asks: key, signature, rights."""
    if refusal.http_status != 200:
        raise refusal
    return refusal
