"""One Binance futures account as one API key: the `ExecutionClient` of this venue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import structs

from apps.exchanges.adapters import Tools
from apps.exchanges.ports import (
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
from apps.exchanges.venues.binance import answers, parse, parse_account, requests
from apps.exchanges.venues.binance.answers import UNKNOWN_ORDER
from apps.exchanges.venues.binance.cancelling import Canceller, Target, target_of
from apps.exchanges.venues.binance.config import MAX_BATCH, endpoints
from apps.exchanges.venues.binance.history import History
from apps.exchanges.venues.binance.in_turn import Send, in_turn
from apps.exchanges.venues.binance.judge import refusal_code
from apps.exchanges.venues.binance.known import KnownOrders
from apps.exchanges.venues.binance.messages import AlgoRow, ErrorBody, OrderRow
from apps.exchanges.venues.binance.requests import Window
from apps.exchanges.venues.binance.rest import Calls, Rest
from apps.exchanges.venues.binance.symbols import Symbols
from apps.exchanges.venues.ccxt_generic.credentials import read_api_key
from apps.exchanges.venues.rows import Rows, UnreadableRows, reading
from moondev.domain.clock import milliseconds
from moondev.domain.decisions import RiskApproved
from moondev.domain.errors import Configuration, InvalidValue, TradingError, VenueRejected
from moondev.domain.fills import FillReport
from moondev.domain.orders import CancelOrder, OrderReport, PlaceOrder

R = TypeVar("R")
T = TypeVar("T")

_SAME_MARGIN_TYPE = -4046


class BinanceClient:
    """Places, changes and cancels orders, and asks what became of them. See `ExecutionClient`.

    The venue needs no nonce of ours: a request is told apart by its client order ids, which it takes once.
    """

    def __init__(self, venue: VenueConfig, credentials: Credentials, tools: Tools) -> None:
        """Prepare without touching the network. Raises Configuration for bad addresses or keys."""
        if not credentials.account_address:
            raise Configuration("the account has no address: any name tells accounts apart")
        key = read_api_key(credentials.signer_key)
        self._venue_code, self._key = venue.code, key.key
        self._account, self._clock = credentials.account_address, tools.clock
        self._rest = Rest(endpoints(venue), tools, key)
        self._unreadable = UnreadableRows()
        self._known = KnownOrders()
        self._symbols = Symbols(venue.code, self._listings)
        self._history = History(self._rest, tools.clock, self._unreadable.note)
        self._canceller = Canceller(self._rest, tools.clock, self._known)
        self._armed: frozenset[str] | None = None

    def __repr__(self) -> str:
        return f"BinanceClient({self._venue_code}, {self._account}, key {self._key})"

    @property
    def max_batch(self) -> int:
        """Return how many orders fit one request."""
        return MAX_BATCH

    @property
    def signer_address(self) -> str:
        """Return the public half of the API key."""
        return self._key

    def place(self, orders: Sequence[RiskApproved[PlaceOrder]], nonce: int, expires_at: datetime) -> list[OrderReport]:  # noqa: ARG002  the port's words
        """Send new orders; return one report per order, in order.

        Ordinary orders travel as one request. Conditional ones the venue takes one at a time: they follow, each by
        itself, and an error of a later request is told of its own orders only.
        """
        wanted = _batch([order.request for order in orders])
        symbols = [self._symbols.listed(order.instrument) for order in wanted]
        for order in wanted:
            requests.require_possible(order)
        ordinary = [place for place, order in enumerate(wanted) if not requests.is_conditional(order)]
        sends = (
            [Send(ordinary, lambda: self._place_ordinary(wanted, symbols, ordinary, expires_at))] if ordinary else []
        )
        for place, (order, symbol) in enumerate(zip(wanted, symbols, strict=True)):
            if requests.is_conditional(order):
                sends.append(Send([place], self._later(self._place_conditional, order, symbol, expires_at)))

        def untold(place: int, error: TradingError) -> OrderReport:
            return answers.unplaced(wanted[place].client_order_id, error, self._clock.now())

        return in_turn(sends, untold)

    def amend(self, amendments: Sequence[Amendment], nonce: int, expires_at: datetime) -> list[OrderReport]:  # noqa: ARG002  the port's words
        """Change resting limit orders in place as one request; return one report per amendment, in order."""
        wanted = _batch(amendments)
        if not wanted:
            return []
        for amendment in wanted:
            requests.require_amendable(amendment)
        names = [amendment.approved.request.client_order_id for amendment in wanted]
        changes = [requests.change(a, self._symbols.listed(a.approved.request.instrument)) for a in wanted]
        lane = lane_of(amendment.reduce_only for amendment in wanted)
        told = self._batched(Calls.AMEND, Calls.AMEND_MANY, changes, expires_at, lane)
        return [answers.amended(name, item, self._clock.now()) for name, item in zip(names, told, strict=True)]

    def cancel(self, orders: Sequence[CancelOrder], nonce: int) -> list[OrderReport]:  # noqa: ARG002  the port's words
        """Cancel by client order id, one request per symbol; return one report per order, in order."""
        wanted = _batch(orders)
        return self._canceller.cancel(
            [Target(self._symbols.symbol(order.instrument), order.client_order_id, "") for order in wanted]
        )

    def cancel_resting(self, orders: Sequence[LiveOrder], nonce: int) -> list[OrderReport]:  # noqa: ARG002  the port's words
        """Cancel by venue order id, one request per symbol; return one report per order, in order."""
        return self._canceller.cancel([target_of(order) for order in _batch(orders)])

    def order_status(self, client_order_id: UUID, instrument: str = "") -> OrderReport | None:
        """Return what the venue knows of an order; None when it never heard of it.

        The venue finds an order by symbol and name together; without an `instrument` every symbol it lists is asked
        about, dearly. Three days after its end it forgets an order that never filled, and then says the same.
        """
        if instrument:
            return self._status_in(self._symbols.symbol(instrument), client_order_id)
        known = self._known.symbols
        for symbol in (*sorted(known), *(symbol for symbol in self._symbols.lots() if symbol not in known)):
            report = self._status_in(symbol, client_order_id)
            if report is not None:
                return report
        return None

    def open_orders(self) -> list[RestingOrder]:
        """Return every live order of the account that can be read, conditional ones included, whoever placed it."""
        return [order for order in self.live_orders() if isinstance(order, RestingOrder)]

    def live_orders(self) -> list[LiveOrder]:
        """Return every live order of the account, by name only where the rest cannot be read."""
        # Those that wait first: one that is released between the two questions is in both lists, and never in none.
        waiting, odd_waiting = parse.waiting_orders(self._rest.ask(Calls.OPEN_CONDITIONAL, lane=Lane.RESERVED))
        resting, odd = parse.resting_orders(self._rest.ask(Calls.OPEN, lane=Lane.RESERVED))
        released = {order.client_order_id for order in self._noted(resting).read if order.client_order_id}
        still = [order for order in self._noted(waiting).read if order.client_order_id not in released]
        found: list[LiveOrder] = [*resting.read, *still, *odd, *odd_waiting]
        self._known.seen(order.symbol for order in found if order.symbol)
        return found

    def take_unreadable(self) -> list[str]:
        """Return, once, which rows could not be read since the last call."""
        return self._unreadable.take()

    def fills(self, since: datetime) -> list[FillReport]:
        """Return every fill at or after `since`, oldest first."""
        self.account_snapshot()
        return self._history.fills(since, self._known.symbols)

    def funding(self, since: datetime) -> list[FundingPayment]:
        """Return every funding payment at or after `since`, oldest first."""
        return self._history.funding(since, self._symbols.lots())

    def account_snapshot(self) -> AccountSnapshot:
        """Return equity, margin and positions as the venue sees them now."""
        snapshot = parse_account.account_snapshot(self._rest.ask(Calls.ACCOUNT), self._clock.now())
        self._known.seen(position.symbol for position in snapshot.positions)
        return snapshot

    def instruments(self) -> list[Listing]:
        """Return what the venue lists now, with its rules, freshly read."""
        listings = self._listings()
        self._symbols.learn(listings)
        return listings

    def set_leverage(self, instrument: str, leverage: int, margin_mode: MarginMode, nonce: int) -> None:  # noqa: ARG002  the port's words
        """Set margin mode and leverage of one symbol. Raises VenueRejected when they may not be."""
        symbol = self._symbols.listed(instrument)
        kind = "CROSSED" if margin_mode is MarginMode.CROSS else "ISOLATED"
        try:
            self._rest.ask(Calls.MARGIN_TYPE, {"symbol": symbol, "marginType": kind})
        except VenueRejected as error:
            if refusal_code(error) != _SAME_MARGIN_TYPE:
                raise
        self._rest.ask(Calls.LEVERAGE, {"symbol": symbol, "leverage": leverage})

    def schedule_cancel(self, at: datetime | None, nonce: int) -> None:  # noqa: ARG002  the port's words
        """Arm the cancel of ordinary orders for `at`, symbol by symbol where the account has any; None disarms it.

        Who has sent the orders does not matter: the venue is asked which symbols they are in. A symbol that is first
        traded in between is armed when the timer is set forward.
        """
        left = 0 if at is None else milliseconds(at) - milliseconds(self._clock.now())
        if at is not None and left <= 0:
            raise InvalidValue("at", at.isoformat(), "a time to come")
        # What a process before us has armed is found by its orders.
        symbols = self._armed if at is None and self._armed is not None else self._in_use()
        for symbol in sorted(symbols):
            self._rest.ask(Calls.COUNTDOWN, {"symbol": symbol, "countdownTime": left}, Lane.RESERVED)
        self._armed = frozenset() if at is None else symbols

    def close(self) -> None:
        """Give back the connections."""
        self._rest.close()

    def _place_ordinary(
        self, wanted: Sequence[PlaceOrder], symbols: Sequence[str], places: Sequence[int], expires_at: datetime
    ) -> list[OrderReport]:
        orders = [wanted[place] for place in places]
        news = [requests.new_order(wanted[place], symbols[place]) for place in places]
        for place, order in zip(places, orders, strict=True):
            self._known.note(order.client_order_id, symbols[place], conditional=False)
        lane = lane_of(order.reduce_only for order in orders)
        told = self._batched(Calls.PLACE, Calls.PLACE_MANY, news, expires_at, lane)
        received = self._clock.now()
        return [answers.placed(o.client_order_id, item, received) for o, item in zip(orders, told, strict=True)]

    def _place_conditional(self, order: PlaceOrder, symbol: str, expires_at: datetime) -> list[OrderReport]:
        words = requests.new_conditional(order, symbol) | self._window(expires_at)
        self._known.note(order.client_order_id, symbol, conditional=True)
        answer: AlgoRow | ErrorBody
        try:
            text = self._rest.ask(Calls.PLACE_CONDITIONAL, words, lane_of([order.reduce_only]))
            answer = parse.decoded("algo order", text, AlgoRow)
        except VenueRejected as error:
            answer = answers.of_an_order(error)
        return [answers.placed_conditional(order.client_order_id, answer, self._clock.now())]

    def _batched(
        self, one: Calls, many: Calls, items: Sequence[requests.Words], expires_at: datetime, lane: Lane
    ) -> list[OrderRow | ErrorBody]:
        """Send one or several orders as one request; return what is said of each."""
        window = self._window(expires_at)
        if len(items) > 1:
            return parse.answers(self._rest.ask(many, {"batchOrders": list(items), **window}, lane), len(items))
        try:
            return [parse.decoded("order", self._rest.ask(one, {**items[0], **window}, lane), OrderRow)]
        except VenueRejected as error:
            return [answers.of_an_order(error)]

    def _window(self, expires_at: datetime) -> requests.Words:
        window = Window.until(expires_at, self._clock.now())
        return replace(window, stamp_ms=milliseconds(self._rest.clock.now())).words()

    def _status_in(self, symbol: str, name: UUID) -> OrderReport | None:
        if self._known.is_conditional(name):
            return self._conditional_status(symbol, name) or self._ordinary_status(symbol, name)
        return self._ordinary_status(symbol, name) or self._conditional_status(symbol, name)

    def _ordinary_status(self, symbol: str, name: UUID) -> OrderReport | None:
        text = self._found(Calls.ORDER, {"symbol": symbol, "origClientOrderId": str(name)})
        return None if text is None else parse.order(text, ReportSource.RECONCILE, self._clock.now())

    def _conditional_status(self, symbol: str, name: UUID) -> OrderReport | None:
        """Return what is known of a conditional order; None when there is none, or it has become an ordinary one."""
        text = self._found(Calls.CONDITIONAL, {"clientAlgoId": str(name)})
        if text is None:
            return None
        row = parse.decoded("algo order", text, AlgoRow)
        released = row.algoStatus in parse.ALGO_RELEASED
        if released and row.algoStatus != parse.ALGO_OVER and not row.actualOrderId:
            # On its way from one service to the other it lives, and None would say that it never did.
            row, released = structs.replace(row, algoStatus=parse.ALGO_LIVES), False
        if not released:
            with reading("algo order", text):
                return parse.algo_report(row, ReportSource.RECONCILE, self._clock.now())
        if not row.actualOrderId:
            return None
        found = self._found(Calls.ORDER, {"symbol": symbol, "orderId": row.actualOrderId})
        return None if found is None else parse.order(found, ReportSource.RECONCILE, self._clock.now())

    def _found(self, call: Calls, named: requests.Words) -> str | None:
        """Return the answer about one order; None when the venue says that there is none."""
        try:
            return self._rest.ask(call, named, Lane.RESERVED)
        except VenueRejected as error:
            if refusal_code(error) in UNKNOWN_ORDER:
                return None
            raise

    def _in_use(self) -> frozenset[str]:
        """Return the symbols in which the account has orders or a position."""
        return parse_account.symbols_in_use(self._rest.ask(Calls.ACCOUNT, lane=Lane.RESERVED))

    def _listings(self) -> list[Listing]:
        # Without it no cancel can be named either.
        answer = self._rest.ask(Calls.INSTRUMENTS, lane=Lane.RESERVED)
        return list(self._noted(parse_account.listings(answer, self._venue_code)).read)

    def _noted(self, page: Rows[T]) -> Rows[T]:
        self._unreadable.note(page.unreadable)
        return page

    @staticmethod
    def _later(act: Callable[..., list[OrderReport]], *arguments: object) -> Callable[[], list[OrderReport]]:
        return lambda: act(*arguments)


def _batch(items: Sequence[R]) -> list[R]:
    if len(items) > MAX_BATCH:
        raise InvalidValue("orders", len(items), f"at most {MAX_BATCH} in one request")
    return list(items)
