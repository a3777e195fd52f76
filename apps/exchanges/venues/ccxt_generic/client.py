"""One account at an exchange that only ccxt knows: the `ExecutionClient` of all of them.

Orders are found in lists, by our client order id, and cancelled by the exchange's own: which of ccxt's parameters
names a client order id differs from exchange to exchange, what is in a list does not.
"""

# ruff: noqa: ARG002 - nonces and expiries are words of the port that not every venue has

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from apps.exchanges.ports import (
    CANNOT_BE_NAMED,
    AccountSnapshot,
    Amendment,
    Credentials,
    FundingPayment,
    Listing,
    LiveOrder,
    MarginMode,
    ParseError,
    PositionSnapshot,
    ReportSource,
    RestingOrder,
    UnreadOrder,
    VenueConfig,
)
from apps.exchanges.throttling import Lane, Throttle
from apps.exchanges.venues.ccxt_generic import parse
from apps.exchanges.venues.ccxt_generic.credentials import read_api_key
from apps.exchanges.venues.ccxt_generic.known import KnownExchange
from apps.exchanges.venues.ccxt_generic.unified import Market, Unified
from apps.exchanges.venues.ccxt_generic.windows import everything
from apps.exchanges.venues.rows import UnreadableRows
from moondev.domain.clock import Clock, milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Connectivity, InvalidValue, NotSent, TradingError, VenueRejected
from moondev.domain.fills import FillReport
from moondev.domain.orders import CancelOrder, OrderReport, OrderStatus, OrderType, PlaceOrder, TimeInForce

_T = TypeVar("_T")

NOT_OPEN = "not among the open orders"
# Refusals that are about us and not about one order.
_NOT_THE_ORDER = frozenset(
    {"AuthenticationError", "PermissionDenied", "AccountNotEnabled", "AccountSuspended", "InvalidNonce"}
)
_CLOCKS_APART = timedelta(seconds=60)


class CcxtClient:
    """Places and cancels orders, one a request, and asks what became of them. See `ExecutionClient`."""

    def __init__(
        self, venue: VenueConfig, credentials: Credentials, known: KnownExchange, clock: Clock, throttle: Throttle
    ) -> None:
        """Prepare without touching the network. Raises Configuration for bad addresses or keys."""
        key = read_api_key(credentials.signer_key)
        self._key_name, self._address = key.key, credentials.account_address
        self._unified = Unified(venue, known, clock, throttle, key)
        self._known, self._clock = known, clock
        self._unreadable = UnreadableRows()

    def __repr__(self) -> str:
        return f"CcxtClient({self._unified.venue_code}, {self._address}, key {self._key_name})"

    @property
    def max_batch(self) -> int:
        """Return how many orders fit one request."""
        return self._known.capabilities.max_batch

    @property
    def signer_address(self) -> str:
        """Return the public name of the API key."""
        return self._key_name

    def place(self, orders: Sequence[RiskApproved[PlaceOrder]], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Send one new order. The exchange is not told when it lapses: after `expires_at` it is not sent."""
        requests = self._batch([order.request for order in orders])
        for request in requests:
            self._known.capabilities.require_order(request)
        return [self._place(request, expires_at) for request in requests]

    def amend(self, amendments: Sequence[Amendment], nonce: int, expires_at: datetime) -> list[OrderReport]:
        """Refuse: an order is cancelled and placed anew instead. Raises InvalidValue for anything but an empty list."""
        if amendments:
            raise InvalidValue("amendments", len(amendments), "none: cancel and place anew")
        return []

    def cancel(self, orders: Sequence[CancelOrder], nonce: int) -> list[OrderReport]:
        """Cancel one order, found among the open ones by its client order id."""
        reports = []
        for order in self._batch(orders):
            market = self._unified.market_of(order.instrument)
            found = self._to_cancel(order.client_order_id, market)
            if found is None:
                reports.append(self._said(order.client_order_id, None, None, NOT_OPEN))
            else:
                reports.append(self._cancelled(order.client_order_id, str(found["id"]), str(market["symbol"])))
        return reports

    def cancel_resting(self, orders: Sequence[LiveOrder], nonce: int) -> list[OrderReport]:
        """Cancel one order by the exchange's own id; one that cannot be named keeps nothing else waiting."""
        return [self._cancelled_resting(order) for order in self._batch(orders)]

    def order_status(self, client_order_id: UUID, instrument: str = "") -> OrderReport | None:
        """Return what the exchange knows of an order; None when none of its lists has it.

        Raises Connectivity instead of None while there are more open orders than it tells of.
        """
        market = self._unified.market_of(instrument) if instrument else None
        found = self._find(client_order_id, market)
        if found is None:
            if self._is_full(self._open(market)):
                raise Connectivity(f"more orders are open than one answer tells: {client_order_id} may be among them")
            return None
        return parse.order_report(found, self._contracts, ReportSource.RECONCILE, self._clock.now())

    def open_orders(self) -> list[RestingOrder]:
        """Return every live order that can be read, whoever placed it."""
        return [order for order in self.live_orders() if isinstance(order, RestingOrder)]

    def live_orders(self) -> list[LiveOrder]:
        """Return every live order, by name only where the rest cannot be read."""
        self._unified.require_markets()
        live: list[LiveOrder] = []
        rows = self._open(None)
        if self._is_full(rows):
            # A halt cancels these and asks again, so they are better than none; that there may be more is told.
            self._unreadable.note([ParseError("open orders", "there may be more than one answer tells", len(rows))])
        for row in rows:
            try:
                live.append(parse.resting_order(row, self._contracts))
            except ParseError as error:
                self._unreadable.note([error])
                name = parse.client_order_id(row.get("clientOrderId"))
                live.append(
                    UnreadOrder(self._symbol_or_none(row), str(row.get("id") or ""), name, bool(row.get("reduceOnly")))
                )
        return live

    def take_unreadable(self) -> list[str]:
        """Return, once, which rows could not be read since the last call."""
        return self._unreadable.take()

    def fills(self, since: datetime) -> list[FillReport]:
        """Return every fill at or after `since`, oldest first."""
        rows = self._all_since("fetch_my_trades", since)
        received = self._clock.now()
        good, bad = parse.several("trade", rows, lambda row: parse.fill(row, self._contracts, received))
        self._unreadable.note(bad)
        once = {fill.venue_trade_id: fill for fill in good}
        return sorted(once.values(), key=lambda fill: fill.time_exchange)

    def funding(self, since: datetime) -> list[FundingPayment]:
        """Return every funding payment at or after `since`, oldest first."""
        rows = self._all_since("fetch_funding_history", since)
        received, sign = self._clock.now(), -1 if self._known.quirks.funding_is_cost else 1
        good, bad = parse.several(
            "funding", rows, lambda row: parse.funding_payment(row, self._contracts, received, sign)
        )
        self._unreadable.note(bad)
        once = {payment.payment_id: payment for payment in good}
        return sorted(once.values(), key=lambda payment: payment.time_exchange)

    def account_snapshot(self) -> AccountSnapshot:
        """Return equity, margin and positions as the exchange sees them now."""
        self._unified.require_markets()
        positions = self._positions()
        balance = self._unified.call("fetch_balance", lane=Lane.RESERVED)
        return parse.account_snapshot(
            balance,
            positions,
            self._unified.currency,
            self._clock.now(),
            with_open_profit=self._known.quirks.equity_is_total,
        )

    def instruments(self) -> list[Listing]:
        """Return what the exchange lists now, with its rules, freshly read."""
        return self._unified.listings()

    def set_leverage(self, instrument: str, leverage: int, margin_mode: MarginMode, nonce: int) -> None:
        """Set the leverage of one instrument. Raises VenueRejected when it may not be, InvalidValue when it cannot."""
        self._known.capabilities.require_leverage(leverage)
        market = self._unified.market_of(instrument)
        if margin_mode is not MarginMode.CROSS:
            raise InvalidValue("margin_mode", margin_mode.value, MarginMode.CROSS.value)
        try:
            self._unified.call("set_leverage", leverage, market["symbol"])
        except VenueRejected as error:
            if not any(word in str(error) for word in self._known.quirks.unchanged):
                raise

    def schedule_cancel(self, at: datetime | None, nonce: int) -> None:
        """Refuse: ccxt has no switch that all exchanges share."""
        raise InvalidValue("at", at, "nothing: this venue has no dead man's switch here")

    def close(self) -> None:
        """Give back the connections."""
        self._unified.close()

    def _place(self, order: PlaceOrder, expires_at: datetime) -> OrderReport:
        market = self._unified.market_of(order.instrument)
        amount, price = self._amount(order, market), self._price(order, market)
        if self._clock.now() >= expires_at:
            raise NotSent(f"the order lapsed at {expires_at.isoformat()}, before it was sent")
        lane = Lane.RESERVED if order.reduce_only else Lane.ORDINARY
        words = ("limit", order.side.value, amount, price, _parameters(order))
        name = order.client_order_id
        try:
            answer = self._unified.call("create_order", market["symbol"], *words, lane=lane)
        except VenueRejected as error:
            if error.code in _NOT_THE_ORDER:
                raise
            return self._said(name, None, OrderStatus.REJECTED, error.body)
        with parse.unified("answer", answer):
            accepted = self._said(name, str(parse.field(answer, "id")), None, "accepted, and nothing said of it")
        # Most answers hold an id and nothing else. What became of it is a question of its own, and may stay open:
        # whatever it ends in, the order is there, and an error from here would read as if it had not been sent.
        with suppress(TradingError):
            found = self._find(name, market)
            if found is not None:
                report = parse.order_report(found, self._contracts, ReportSource.SEND, self._clock.now())
                return replace(report, client_order_id=name)
        return accepted

    def _amount(self, order: PlaceOrder, market: Market) -> str:
        contracts = (order.quantity.value / parse.contract_size(market)).normalize()
        return self._exact("quantity", contracts, "amount_to_precision", market)

    def _price(self, order: PlaceOrder, market: Market) -> str:
        return self._exact("price", order.price.value, "price_to_precision", market)

    def _exact(self, name: str, value: Decimal, rounding: str, market: Market) -> str:
        """Return `value` as ccxt writes it. Raises InvalidValue when it would round: nobody planned that."""
        with suppress(Exception):
            text = str(getattr(self._unified.exchange, rounding)(market["symbol"], f"{value:f}"))
            if Decimal(text) == value:
                return text
        raise InvalidValue(name, f"{value:f}", "a value on the instrument's grid")

    def _cancelled_resting(self, order: LiveOrder) -> OrderReport:
        try:
            market = self._unified.market(order.symbol)
        except InvalidValue:
            # Of a market that is not ours or not listed any more; a halt has to go on past it.
            return self._said(order.client_order_id, order.venue_order_id, None, CANNOT_BE_NAMED)
        return self._cancelled(order.client_order_id, order.venue_order_id, str(market["symbol"]))

    def _cancelled(self, name: UUID | None, venue_id: str, symbol: str) -> OrderReport:
        try:
            self._unified.call("cancel_order", venue_id, symbol, lane=Lane.RESERVED)
        except VenueRejected as error:
            if error.code != "OrderNotFound":
                raise
            return self._said(name, venue_id, None, error.body)
        return self._said(name, venue_id, OrderStatus.CANCELLED, "")

    def _said(self, name: UUID | None, venue_id: str | None, status: OrderStatus | None, reason: str) -> OrderReport:
        return OrderReport(ReportSource.SEND, name, venue_id or "?", status, None, self._clock.now(), reason=reason)

    def _to_cancel(self, name: UUID, market: Market) -> parse.Row | None:
        """Return the open order of that name. Raises NotSent when the list cannot be read: the cancel has not left."""
        try:
            return self._named(name, self._open(market))
        except Connectivity as error:
            raise NotSent(f"the open orders cannot be read: {error}") from error

    def _find(self, name: UUID, market: Market | None) -> parse.Row | None:
        self._unified.require_markets()
        return self._named(name, self._open(market)) or self._named(name, self.ended(market))

    def _open(self, market: Market | None) -> list[parse.Row]:
        symbol = None if market is None else market["symbol"]
        # Where nobody says how many are wanted, some exchanges tell fewer than they could.
        limit = self._known.orders_per_page or None
        return list(self._unified.call("fetch_open_orders", symbol, None, limit, lane=Lane.RESERVED))

    def _is_full(self, rows: Sequence[parse.Row]) -> bool:
        return 0 < self._known.orders_per_page <= len(rows)

    def ended(self, market: Market | None) -> list[parse.Row]:
        """Return the newest orders that have ended, of one perpetual or of all."""
        symbol = None if market is None else market["symbol"]
        found: list[parse.Row] = []
        for method in self._known.histories:
            found += self._unified.call(_snake(method), symbol, lane=Lane.RESERVED)
        return found

    def last_words(self, venue_ids: AbstractSet[str]) -> dict[str, OrderReport]:
        """Return what the exchange says of orders that have ended, by its own id, as far as its lists reach."""
        received = self._clock.now()
        rows = [row for row in self.ended(None) if str(row.get("id")) in venue_ids]
        found = [parse.order_report(row, self._contracts, ReportSource.STREAM, received) for row in rows]
        return {str(report.venue_order_id): report for report in found}

    @staticmethod
    def _named(name: UUID, orders: Sequence[parse.Row]) -> parse.Row | None:
        return next((row for row in orders if parse.client_order_id(row.get("clientOrderId")) == name), None)

    def _positions(self) -> list[PositionSnapshot]:
        currency = self._unified.currency
        rows = self._unified.call("fetch_positions", lane=Lane.RESERVED)
        # An unreadable position is an unreadable account: what is left out would pass for flat.
        with parse.unified("positions", rows):
            found = [parse.position(row, self._contracts, currency) for row in rows]
        return [one for one in found if one is not None]

    def _all_since(self, method: str, since: datetime) -> list[parse.Row]:
        self._unified.require_markets()
        now = self._clock.now()
        # An exchange whose clock is ahead of ours stamps the newest rows later than now.
        end = milliseconds(now + _CLOCKS_APART)
        start = milliseconds(since)
        if start > end:
            return []
        limit = self._known.trades_per_page

        def page(first: int, last: int) -> list[parse.Row]:
            rows = self._unified.call(method, None, first, limit, {"until": last}, lane=Lane.RESERVED)
            return [row for row in rows if first <= float(row.get("timestamp") or first) <= last]

        return everything(start, end, page, limit)

    def _contracts(self, unified: object) -> tuple[str, Decimal]:
        return self._unified.contracts(unified)

    def _symbol_or_none(self, row: parse.Row) -> str:
        try:
            return self._unified.contracts(row.get("symbol"))[0]
        except ValueError:
            return ""

    def _batch(self, requests: Sequence[_T]) -> Sequence[_T]:
        if len(requests) > self.max_batch:
            raise InvalidValue("orders", len(requests), f"at most {self.max_batch} in one request")
        return requests


def _parameters(order: PlaceOrder) -> dict[str, object]:
    """Return what ccxt is told beside side, amount and price. A market order is one that cannot rest."""
    parameters: dict[str, object] = {"clientOrderId": order.client_order_id.hex}
    if order.order_type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC:
        parameters["timeInForce"] = "IOC"
    elif order.time_in_force is TimeInForce.FOK:
        parameters["timeInForce"] = "FOK"
    elif order.time_in_force is TimeInForce.POST_ONLY:
        parameters["postOnly"] = True
    if order.reduce_only:
        parameters["reduceOnly"] = True
    return parameters


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
